/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VDPA_H
#define VSTATE_VDPA_H

/**
 * @file
 * Front end of vdpa_vstate: a device that an application attaches to a socket of the
 * application's, by rte_vdpa.
 */

#include <rte_dev.h>

#include "dev/vstate_dev.h"

struct rte_vdpa_device;

/** Make the device known to rte_vdpa; NULL with rte_errno. */
struct rte_vdpa_device *vstate_vdpa_register(struct rte_device *rdev, struct vstate_dev *dev);
void vstate_vdpa_unregister(struct rte_vdpa_device *vdpa);

#endif /* VSTATE_VDPA_H */

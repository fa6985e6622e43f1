/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VDPA_H
#define VSTATE_VDPA_H

/**
 * @file
 * The front door of vdpa_vstate: a device that an application attaches to a socket of the
 * application's, by rte_vdpa. Probe and remove.
 */

#include <stdbool.h>

struct rte_device;
struct vstate_dev;

/** Make the device known to rte_vdpa; 0 or -EIO. */
int vstate_vdpa_register(struct rte_device *rdev, struct vstate_dev *dev);
/** Undo that. Nothing is done for a device that rte_vdpa does not know. */
void vstate_vdpa_unregister(struct vstate_dev *dev);
/** A front end is connected to the device through rte_vdpa: it cannot be removed. */
bool vstate_vdpa_is_attached(const struct vstate_dev *dev);

#endif /* VSTATE_VDPA_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VDPA_H
#define VSTATE_VDPA_H

/**
 * @file
 * The front door of vdpa_vstate. The application attaches the device to a socket of its own with
 * rte_vdpa. The functions are for probe and remove.
 */

#include <stdbool.h>

struct rte_device;
struct vstate_dev;

/** Register the device with rte_vdpa. @return 0; -EIO with the reason in the log */
int vstate_vdpa_register(struct rte_device *rdev, struct vstate_dev *dev);
/** Unregister the device from rte_vdpa, if it is registered. */
void vstate_vdpa_unregister(struct vstate_dev *dev);
/** Return whether a front end is connected through rte_vdpa, so that the device must stay. */
bool vstate_vdpa_is_attached(const struct vstate_dev *dev);

#endif /* VSTATE_VDPA_H */

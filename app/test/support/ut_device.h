/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_DEVICE_H
#define UT_DEVICE_H

/** @file A network device for a test, without a vdev, a port or a front end. */

#include <stdint.h>

#include "dev/vstate_conf.h"

struct vstate_dev;

/** Return arguments of a device with @p queues pairs and @p mtu, without socket and state file. */
struct vstate_conf ut_conf(uint16_t queues, uint16_t mtu);

/** Make and publish a device. @return NULL with rte_errno */
struct vstate_dev *ut_device_make(const char *name, const struct vstate_conf *conf);
/** Unpublish and free a device of ut_device_make(). */
void ut_device_unmake(struct vstate_dev *dev);

#endif /* UT_DEVICE_H */

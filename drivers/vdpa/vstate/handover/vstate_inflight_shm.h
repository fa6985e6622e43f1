/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INFLIGHT_SHM_H
#define VSTATE_INFLIGHT_SHM_H

/**
 * @file
 * The in-flight region of vhost-user ("Inflight I/O tracking"): memory that the device makes,
 * the front end keeps, and hands to the device that comes after a crash. Its layouts are in
 * vstate_inflight_layout.h. What is read from it is checked: it was in the hands of others.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dev/vstate_resume_point.h"

struct vstate_dev;

extern const struct vstate_keeper vstate_inflight_shm_keeper;

/** What GET_INFLIGHT_FD and SET_INFLIGHT_FD say of a region. */
struct vstate_inflight_shm_geometry {
	uint64_t mmap_size, mmap_offset;
	uint16_t num_queues, queue_size;
};

/**
 * Make a region for the front end, which gives it back by vstate_inflight_shm_set().
 * @param g its number of queues and their size; size and offset are written
 * @return a descriptor; -EINVAL, -ENOMEM or another -errno
 */
int vstate_inflight_shm_make(const struct vstate_dev *dev, struct vstate_inflight_shm_geometry *g, bool packed);

/**
 * Take a region into use, in place of the one before. It is handed to the control thread, and
 * meets the rings when they start. @p fd stays the caller's.
 */
int vstate_inflight_shm_set(struct vstate_dev *dev, const struct vstate_inflight_shm_geometry *g, int fd,
		bool packed);
/** Let go of it. Control thread, or with the control thread gone. */
void vstate_inflight_shm_drop(struct vstate_dev *dev);

#endif /* VSTATE_INFLIGHT_SHM_H */

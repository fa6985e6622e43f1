/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INFLIGHT_SHM_H
#define VSTATE_INFLIGHT_SHM_H

/**
 * @file
 * The in-flight region of vhost-user ("Inflight I/O tracking"). The device allocates this memory
 * and the front end keeps it. After a crash the front end passes it to the new device. Its layouts
 * are in ring/vstate_inflight_layout.h. All of its content is checked, because other processes can
 * write it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dev/vstate_resume_point.h"

struct vstate_dev;

extern const struct vstate_keeper vstate_inflight_shm_keeper;

/** Payload of GET_INFLIGHT_FD and SET_INFLIGHT_FD: sizes in bytes, descriptors of each queue. */
struct vstate_inflight_shm_geometry {
	uint64_t mmap_size, mmap_offset;
	uint16_t num_queues, queue_size;
};

/**
 * Allocate an in-flight region for the front end. The front end returns it later with
 * SET_INFLIGHT_FD.
 * @param g number of queues and their size; mmap_size and mmap_offset are written
 * @return a file descriptor, owned by the caller; -EINVAL, -ENOMEM or another -errno
 */
int vstate_inflight_shm_make(const struct vstate_dev *dev, struct vstate_inflight_shm_geometry *g,
		bool packed);

/**
 * Map an in-flight region and use it in place of the previous one. It is applied to the rings when
 * they start. The caller keeps @p fd. Takes the control lock.
 * @return 0; -EINVAL with the reason in the log
 */
int vstate_inflight_shm_set(struct vstate_dev *dev, const struct vstate_inflight_shm_geometry *g,
		int fd, bool packed);
/**
 * Unmap the in-flight region, if there is one. Control lock held, or no other thread uses the
 * device.
 */
void vstate_inflight_shm_drop(struct vstate_dev *dev);

#endif /* VSTATE_INFLIGHT_SHM_H */

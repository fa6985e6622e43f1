/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_URING_H
#define VSTATE_BLK_URING_H

/** @file A file behind io_uring: one ring for each queue. */

struct vstate_blk_conf;
struct vstate_blk_store;

/**
 * Open the file.
 * @return NULL with rte_errno: ENOSYS or EPERM if the kernel does not allow io_uring, which is not
 *   logged; else the reason is logged
 */
struct vstate_blk_store *vstate_blk_uring_open(const char *dev_name,
		const struct vstate_blk_conf *conf);

#endif /* VSTATE_BLK_URING_H */

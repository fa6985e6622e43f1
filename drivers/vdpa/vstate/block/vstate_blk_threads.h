/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_THREADS_H
#define VSTATE_BLK_THREADS_H

/** @file A file behind threads that wait in system calls, where io_uring is not allowed. */

struct vstate_blk_conf;
struct vstate_blk_store;

/**
 * Open the file and start the threads.
 * @return NULL with rte_errno, the reason is logged
 */
struct vstate_blk_store *vstate_blk_threads_open(const char *dev_name,
		const struct vstate_blk_conf *conf);

#endif /* VSTATE_BLK_THREADS_H */

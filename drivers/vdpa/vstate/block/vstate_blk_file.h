/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_FILE_H
#define VSTATE_BLK_FILE_H

/** @file The file or block device of a store, and operations on it by system calls that wait. */

#include "vstate_blk_store.h"

/**
 * Make a store of the file of a device.
 * @param ops kind of the store; its close() is vstate_blk_file_close()
 * @return NULL with rte_errno, and the reason in the log
 */
struct vstate_blk_store *vstate_blk_file_open(const char *dev_name,
		const struct vstate_blk_conf *conf, const struct vstate_blk_store_ops *ops);
/** Close the file, and free the store. All channels are closed. */
void vstate_blk_file_close(struct vstate_blk_store *store);
/** Do an operation now, and write its result. Waits. Any thread. */
void vstate_blk_file_do(const struct vstate_blk_store *store, struct vstate_blk_io *io);
/** Result of an operation whose system call has this result: 0, -ECANCELED or another -errno. */
int vstate_blk_file_result(int res);
/**
 * The same of a read or write that transferred @p res bytes. A short transfer is repeated once, as
 * a cancellation may have interrupted it.
 */
int vstate_blk_file_transferred(struct vstate_blk_io *io, int64_t res);
/** Mode of fallocate() for a DISCARD or WRITE_ZEROES. */
int vstate_blk_file_mode(const struct vstate_blk_io *io);

#endif /* VSTATE_BLK_FILE_H */

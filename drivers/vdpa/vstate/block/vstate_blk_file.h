/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_FILE_H
#define VSTATE_BLK_FILE_H

/** @file The file or block device of a store, and operations on it by system calls that wait. */

#include "vstate_blk_store.h"

/**
 * Open the file of a device, and write its size and abilities to @p store.
 * @return 0; -errno with the reason in the log
 */
int vstate_blk_file_open(const char *dev_name, const struct vstate_blk_conf *conf,
		struct vstate_blk_store *store);
/** Do an operation now, and write its result. Waits. Any thread. */
void vstate_blk_file_do(const struct vstate_blk_store *store, struct vstate_blk_io *io);
/** Mode of fallocate() for a DISCARD or WRITE_ZEROES. */
int vstate_blk_file_mode(const struct vstate_blk_io *io);

#endif /* VSTATE_BLK_FILE_H */

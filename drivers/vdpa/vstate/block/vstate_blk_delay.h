/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_DELAY_H
#define VSTATE_BLK_DELAY_H

/**
 * @file
 * A store for tests that begins each operation after a delay, in order or not. What was not begun
 * can be cancelled.
 */

struct vstate_blk_conf;
struct vstate_blk_store;

/**
 * Put a delay before a store whose operations are done by system calls or in memory.
 * @param inner closed with the result, or by the caller if this fails
 * @return NULL with rte_errno
 */
struct vstate_blk_store *vstate_blk_delay_open(const struct vstate_blk_conf *conf,
		struct vstate_blk_store *inner);

#endif /* VSTATE_BLK_DELAY_H */

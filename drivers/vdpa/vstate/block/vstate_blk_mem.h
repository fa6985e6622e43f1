/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_MEM_H
#define VSTATE_BLK_MEM_H

/** @file Stores for tests: memory of this process, and one that reads and stores nothing. */

struct vstate_blk_conf;
struct vstate_blk_store;
struct vstate_blk_io;

/** @return NULL with rte_errno */
struct vstate_blk_store *vstate_blk_mem_open(const struct vstate_blk_conf *conf);
/** Do an operation now, and write its result. */
void vstate_blk_mem_do(const struct vstate_blk_store *store, struct vstate_blk_io *io);

#endif /* VSTATE_BLK_MEM_H */

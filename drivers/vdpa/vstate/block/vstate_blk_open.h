/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_OPEN_H
#define VSTATE_BLK_OPEN_H

/** @file Opens the store that the device arguments ask for. */

struct vstate_blk_conf;
struct vstate_blk_store;

/** @return NULL with rte_errno, the reason is logged */
struct vstate_blk_store *vstate_blk_open(const char *dev_name,
		const struct vstate_blk_conf *conf);

#endif /* VSTATE_BLK_OPEN_H */

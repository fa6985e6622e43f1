/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_BLK_H
#define VHOST_STATE_BLK_H

/**
 * @file
 * Block device (VIRTIO "Block Device").
 */

#include "vhost_state_class.h"

extern const struct vhost_state_class vhost_state_blk;

/* For classes whose devices have disks. */

/** Check the data of a disk. Return 0, or the -errno of the reason in @p e. */
int vhost_state_blk_check(const struct rte_vhost_state_blk *blk, struct rte_vhost_state_error *e);
/**
 * Check that a disk of @p capacity sectors and blocks of @p blk_size bytes can take over @p blk.
 * Return 0, or the -errno of the reason in @p e.
 */
int vhost_state_blk_check_fit(const struct rte_vhost_state_blk *blk, uint64_t capacity,
		uint32_t blk_size, bool read_only, struct rte_vhost_state_error *e);
/** Return true if all fields are equal. */
bool vhost_state_blk_equal(const struct rte_vhost_state_blk *a,
		const struct rte_vhost_state_blk *b);
/** Print the members of the disk's JSON object, without its braces. */
void vhost_state_blk_dump_json(const struct rte_vhost_state_blk *blk, FILE *f);

#endif /* VHOST_STATE_BLK_H */

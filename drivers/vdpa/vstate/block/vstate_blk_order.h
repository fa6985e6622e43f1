/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_ORDER_H
#define VSTATE_BLK_ORDER_H

/**
 * @file
 * A flush waits for what was submitted before it in its queue. Other requests have no order.
 *
 * Requests between two flushes are a group. A flush belongs to the group before it, and may begin
 * when this group and all older ones are empty. The caller holds the lease.
 */

#include <stdbool.h>

struct vstate_blk_req;
struct vstate_blk_vq;

/** Return whether another request can be submitted. Else too many flushes wait. */
bool vstate_blk_order_has_room(const struct vstate_blk_vq *q);
/** A request that is not a flush is about to be submitted. */
void vstate_blk_order_begin(struct vstate_blk_vq *q, struct vstate_blk_req *req);
/** @return true: the flush may be submitted now; false: it waits */
bool vstate_blk_order_flush(struct vstate_blk_vq *q, struct vstate_blk_req *req);
/**
 * A request that is not a flush is done.
 * @return flushes that may be submitted now, as a list
 */
struct vstate_blk_req *vstate_blk_order_end(struct vstate_blk_vq *q,
		const struct vstate_blk_req *req);
/** Return all flushes that wait, as a list. They wait no more. */
struct vstate_blk_req *vstate_blk_order_drop(struct vstate_blk_vq *q);

#endif /* VSTATE_BLK_ORDER_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_QUEUE_H
#define VSTATE_BLK_QUEUE_H

/**
 * @file
 * The work of one queue: requests come from the ring, go to the store, and return to the ring.
 */

#include <stdbool.h>
#include <stdint.h>

struct vstate_blk_protocol;
struct vstate_blk_store;
struct vstate_blk_vq;

/**
 * Allocate the requests of a queue, and a channel to each store. If this fails, the caller calls
 * vstate_blk_queue_fini(), too.
 * @param nb_stores  1 to VSTATE_BLK_STORES
 * @return 0 or -errno
 */
int vstate_blk_queue_init(struct vstate_blk_vq *q, const struct vstate_blk_protocol *protocol,
		struct vstate_blk_store *const *stores, uint16_t nb_stores);
/** Free them. No request is under way. */
void vstate_blk_queue_fini(struct vstate_blk_vq *q);

/**
 * Take what is done from the store, then new requests from the ring. Poll thread; takes the lease.
 * @return requests moved
 */
uint32_t vstate_blk_queue_poll(struct vstate_blk_vq *q);

/**
 * One step of a stop: take what is done, and begin nothing new. The lease is revoked, and the
 * control lock is held.
 * @param finish  also submit requests that wait, if the file is locked. Else what was not begun is
 *   cancelled, and waits.
 * @return whether nothing touches the guest's memory any more, and with @p finish nothing waits
 */
bool vstate_blk_queue_drain(struct vstate_blk_vq *q, bool finish);

/** Write to @p buf what the oldest request is that is under way, for the log. */
void vstate_blk_queue_oldest(const struct vstate_blk_vq *q, char *buf, uint32_t size);

#endif /* VSTATE_BLK_QUEUE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_AVAIL_H
#define VSTATE_AVAIL_H

/**
 * @file
 * The next buffer: one that another device had in flight, while there are any, else one of the
 * ring. For code that processes buffers in order, once for both layouts: @p packed is a constant.
 */

#include "vstate_compat.h"
#include "vstate_layout.h"

static vstate_inline bool
listed_is_next(const struct vstate_vq *vq)
{
	return unlikely(vq->inflight != NULL) && vq->inflight->taken < vq->inflight->nb;
}

/* Begin a walk of the next buffer. 1: begun; 0: there is none; -1: fault. */
static vstate_inline int
buf_chain_begin(struct vstate_vq *vq, struct vstate_chain *c,
		const enum vstate_chain_parts parts, const bool packed)
{
	return listed_is_next(vq) ? vstate_inflight_chain_begin(vq, c, parts, packed) :
		ring_chain_begin(vq, c, parts, packed);
}

/* The buffer of a finished walk is dequeued. */
static vstate_inline void
buf_dequeue(struct vstate_vq *vq, const struct vstate_chain *c, const bool packed)
{
	if (listed_is_next(vq))
		vq->inflight->taken++;
	else
		ring_avail_skip(vq, c->num, packed);
}

/* Buffers (split) or descriptors (packed), up to @p max; a buffer in flight counts as one. */
static vstate_inline uint16_t
buf_count(struct vstate_vq *vq, uint16_t max, const bool packed)
{
	uint16_t listed = 0;

	if (unlikely(vq->inflight != NULL))
		listed = RTE_MIN(max, vq->inflight->nb - vq->inflight->done);
	return listed + ring_avail_count(vq, max - listed, packed);
}

/* Set what vstate_vq_is_empty() compares. With buffers in flight a queue is never empty. */
static vstate_inline void
buf_look_ahead(struct vstate_vq *vq, const bool packed)
{
	ring_look_ahead(vq, packed);
	if (likely(vq->inflight == NULL))
		return;
	vq->look_mask = 0;
	vq->look_value = 1;
}

/* Of the buffers in flight, how many the burst has dequeued. */
static vstate_inline uint16_t
listed_get(const struct vstate_vq *vq)
{
	return unlikely(vq->inflight != NULL) ? vq->inflight->taken : 0;
}

static vstate_inline void
listed_set(struct vstate_vq *vq, uint16_t taken)
{
	if (unlikely(vq->inflight != NULL))
		vq->inflight->taken = taken;
}

#endif /* VSTATE_AVAIL_H */

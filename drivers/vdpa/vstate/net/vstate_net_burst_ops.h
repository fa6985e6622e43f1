/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_BURST_OPS_H
#define VSTATE_NET_BURST_OPS_H

/**
 * @file
 * The bursts as operations of a virtqueue, once for both ring layouts. A layout includes
 * this file last, after what vstate_net_burst.h and vstate_net_batch.h want of it and
 *
 *   void ring_look(vq)		tell where the next buffer of the ring will show
 *   uint16_t ring_waiting(vq)	buffers or descriptors available, asked by any thread
 *   void ring_quiet(vq)		ask the driver for as few kicks as it can be asked for
 *
 * and LAYOUT_OPS as the name of the operations.
 */

#include "vstate_net_burst.h"

static uint16_t
ops_take(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	return burst_take(vq, pool, pkts, n);
}

/* Tell where the next buffer will show. */
static __rte_always_inline void
look_ahead(struct vstate_vq *vq)
{
	ring_look(vq);
	listed_look(vq);
}

static void
ops_give(struct vstate_vq *vq, uint16_t n)
{
	burst_give(vq, n);
	look_ahead(vq);
}

static uint8_t
ops_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	return vstate_net_mbuf_look(pkts, n);
}

static __rte_noinline uint16_t
ops_fill(struct vstate_vq *vq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	return burst_fill(vq, pkts, n, look);
}

static void
ops_flush(struct vstate_vq *vq)
{
	shadow_flush(vq);
}

static uint16_t
ops_put(struct vstate_vq *vq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	n = ops_fill(vq, pkts, n, look);
	shadow_flush(vq);
	return n;
}

static uint16_t
ops_count(struct vstate_vq *vq, uint16_t max)
{
	return buf_count(vq, max);
}

static void
ops_on_grant(struct vstate_vq *vq)
{
	look_ahead(vq);
	ring_quiet(vq);
}

const struct vstate_vq_ops LAYOUT_OPS = {
	.take = ops_take,
	.give = ops_give,
	.look = ops_look,
	.put = ops_put,
	.fill = ops_fill,
	.flush = ops_flush,
	.count = ops_count,
	.waiting = ring_waiting,
	.on_grant = ops_on_grant,
};

#endif /* VSTATE_NET_BURST_OPS_H */

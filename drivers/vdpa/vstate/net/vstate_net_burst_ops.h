/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_BURST_OPS_H
#define VSTATE_NET_BURST_OPS_H

/**
 * @file
 * The bursts as operations of a virtqueue, once for both ring layouts. Included by
 * vstate_net_split.c and vstate_net_packed.c, which define LAYOUT_PACKED, and LAYOUT_OPS as the
 * name of the operations.
 */

#include "vstate_net_burst.h"

static uint16_t
ops_take(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	return burst_take(nq, pool, pkts, n);
}

static void
ops_give(struct vstate_net_vq *nq, uint16_t n)
{
	struct vstate_vq *vq = &nq->vq;

	burst_give(nq, n);
	buf_look_ahead(vq, LAYOUT_PACKED);
}

static uint8_t
ops_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	return vstate_net_mbuf_look(pkts, n);
}

static __rte_noinline uint16_t
ops_fill(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	return burst_fill(nq, pkts, n, look);
}

static void
ops_flush(struct vstate_net_vq *nq)
{
	struct vstate_vq *vq = &nq->vq;

	shadow_publish(vq, vq->avail, true, LAYOUT_PACKED);
}

static uint16_t
ops_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	struct vstate_vq *vq = &nq->vq;

	n = ops_fill(nq, pkts, n, look);
	shadow_publish(vq, vq->avail, true, LAYOUT_PACKED);
	return n;
}

static uint16_t
ops_count(struct vstate_net_vq *nq, uint16_t max)
{
	return buf_count(&nq->vq, max, LAYOUT_PACKED);
}

const struct vstate_net_ops LAYOUT_OPS = {
	.take = ops_take,
	.give = ops_give,
	.look = ops_look,
	.put = ops_put,
	.fill = ops_fill,
	.flush = ops_flush,
	.count = ops_count,
};

#endif /* VSTATE_NET_BURST_OPS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "vstate_net_casts.h"
#include "vstate_net_mbuf.h"
#include "vstate_net_ops.h"
#include "vstate_net_vq.h"

/* Receivers of a frame, by its destination address. */
enum cast {
	CAST_UNICAST,
	CAST_MULTICAST,
	CAST_BROADCAST,
};

/* An application may send a frame without an address. */
static enum cast
cast_get(const struct rte_mbuf *m)
{
	const struct rte_ether_addr *to = rte_pktmbuf_mtod(m, const struct rte_ether_addr *);

	if (m->data_len < sizeof(*to) || !rte_is_multicast_ether_addr(to))
		return CAST_UNICAST;
	return rte_is_broadcast_ether_addr(to) ? CAST_BROADCAST : CAST_MULTICAST;
}

static void
cast_count(struct vstate_net_vq *nq, enum cast cast)
{
	nq->counters.multicast += cast == CAST_MULTICAST;
	nq->counters.broadcast += cast == CAST_BROADCAST;
}

static uint16_t
casts_take(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t nb = nq->casts_ops->take(nq, pool, pkts, n), i;

	for (i = 0; i < nb; i++)
		nq->taken_cast[i] = cast_get(pkts[i]);
	return nb;
}

/* Frames that are not given are taken again, and counted then. */
static void
casts_give(struct vstate_net_vq *nq, uint16_t n)
{
	uint16_t i;

	for (i = 0; i < n; i++)
		cast_count(nq, nq->taken_cast[i]);
	nq->casts_ops->give(nq, n);
}

static uint8_t
casts_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	return vstate_net_mbuf_look(pkts, n);
}

static uint16_t
casts_fill(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	uint16_t nb = nq->casts_ops->fill(nq, pkts, n, look), i;

	for (i = 0; i < nb; i++)
		cast_count(nq, cast_get(pkts[i]));
	return nb;
}

static uint16_t
casts_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	uint16_t nb = casts_fill(nq, pkts, n, look);

	nq->casts_ops->flush(nq);
	return nb;
}

static void
casts_flush(struct vstate_net_vq *nq)
{
	nq->casts_ops->flush(nq);
}

static uint16_t
casts_room(struct vstate_net_vq *nq, uint16_t max)
{
	return nq->casts_ops->count(nq, max);
}

void
vstate_net_casts_begin(struct vstate_net_vq *nq)
{
	static const struct vstate_net_ops ops = {
		.take = casts_take,
		.give = casts_give,
		.look = casts_look,
		.put = casts_put,
		.fill = casts_fill,
		.flush = casts_flush,
		.count = casts_room,
	};

	nq->casts_ops = nq->ops;
	nq->ops = &ops;
}

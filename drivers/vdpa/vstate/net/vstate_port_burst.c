/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_vhost.h>

#include "vstate_compat.h"
#include "vstate_net_mbuf.h"
#include "vstate_net_offload.h"
#include "vstate_net_rarp.h"
#include "vstate_net_segment.h"
#include "vstate_port.h"
#include "vstate_port_burst.h"
#include "vstate_net_vq.h"

/*
 * Receive up to @p n frames from a queue that is not empty, under the lease that the caller took.
 * Out of line: a poll of an empty queue then saves no registers.
 */
static __rte_noinline uint16_t
vq_take(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n,
		struct vstate_pace *pace)
{
	struct vstate_net_vq *nq = vstate_net_vq_of(vq);
	uint16_t nb = 0;

	if (pace == NULL || !vstate_pace_rests(pace, vq, n)) {
		nb = nq->ops->take(nq, pool, pkts, RTE_MIN(n, VSTATE_BURST));
		nq->ops->give(nq, nb);
		if (pace != NULL)
			vstate_pace_note(pace, n, nb, vq->size);
	}
	vstate_lease_give(&vq->lease);
	return nb;
}

/* Receive under the lease that the caller took, and give it back. */
static vstate_inline uint16_t
vq_receive_leased(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts,
		uint16_t n, struct vstate_pace *pace)
{
	if (!vstate_vq_is_empty(vq))
		return vq_take(vq, pool, pkts, n, pace);
	vstate_lease_give(&vq->lease);
	return 0;
}

/* As vq_receive(), if the lease is not plain. Out of line for the same reason. */
static __rte_noinline uint16_t
vq_receive_other(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n,
		struct vstate_pace *pace)
{
	return vstate_lease_take_other(&vq->lease) ?
		vq_receive_leased(vq, pool, pkts, n, pace) : 0;
}

/* @param pace  NULL: receive what is there */
static vstate_inline uint16_t
vq_receive(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n,
		struct vstate_pace *pace)
{
	if (!vstate_lease_is_plain(&vq->lease))
		return vq_receive_other(vq, pool, pkts, n, pace);
	return vstate_lease_take_plain(&vq->lease) ?
		vq_receive_leased(vq, pool, pkts, n, pace) : 0;
}

/* The guest has moved here and cannot announce itself: receive an announcement in its place. */
static uint16_t
rarp_receive(struct vstate_port_rxq *rxq, struct rte_mbuf **pkts)
{
	struct vstate_dev *dev = rxq->dev;
	uint64_t due;
	struct rte_mbuf *m = vstate_net_rarp_make(rxq->net, rxq->pool, &due);

	if (m == NULL)
		return 0; /* again with the next burst */
	m->port = vstate_net_vq_of(dev->vqs[0])->port_id;
	pkts[0] = m;
	vstate_net_rarp_done(rxq->net, due);
	return 1;
}

/* Remove the tags of frames. A frame that ends inside its tag is not changed. */
static void
vlan_strip(struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		if (pkts[i]->data_len < RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN ||
				rte_vlan_strip(pkts[i]) != 0)
			continue;
		/* header lengths are known only of frames with a partial checksum */
		if ((pkts[i]->packet_type & RTE_PTYPE_L2_MASK) != RTE_PTYPE_L2_ETHER_VLAN)
			continue;
		pkts[i]->l2_len -= RTE_VLAN_HLEN;
		pkts[i]->packet_type ^= RTE_PTYPE_L2_ETHER_VLAN ^ RTE_PTYPE_L2_ETHER;
	}
}

/* Receive from all pairs that this queue serves, beginning where the last burst ended. */
static uint16_t
pairs_receive(struct vstate_port_rxq *rxq, struct rte_mbuf **pkts, uint16_t n)
{
	struct vstate_dev *dev = rxq->dev;
	uint16_t nb_pairs = vstate_net_pairs(dev);
	uint16_t first = rxq->next_pair, pair = first;
	uint16_t got, done = 0;

	if (unlikely(first >= nb_pairs))
		return 0; /* more port queues than the guest can have */
	do {
		do {
			got = vq_receive(dev->vqs[VSTATE_TXQ(pair)], rxq->pool, pkts + done,
					n - done, NULL);
			done += got;
		} while (got == VSTATE_BURST && done < n);
		pair += rxq->nb_rxq;
		if (pair >= nb_pairs)
			pair = rxq->id;
	} while (done < n && pair != first);
	rxq->next_pair = pair;
	return done;
}

/* The control side sets it while the port polls. */
static vstate_inline bool
is_rarp_due(const struct vstate_port_rxq *rxq)
{
	return rte_atomic_load_explicit(rxq->rarp_due, rte_memory_order_relaxed) != 0;
}

/* Receive in the uncommon cases: announcements, several pairs, tags to strip, IP to check. */
static __rte_noinline uint16_t
port_rx_any(struct vstate_port_rxq *rxq, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t done = 0, i;

	if (unlikely(rxq->stopped))
		return 0;
	if (unlikely(is_rarp_due(rxq) && n > 0))
		done = rarp_receive(rxq, pkts);
	done += pairs_receive(rxq, pkts + done, n - done);
	if (unlikely(rxq->vlan_strip))
		vlan_strip(pkts, done);
	if (unlikely(rxq->ip_cksum)) {
		for (i = 0; i < done; i++)
			vstate_net_offload_check_ip(pkts[i]);
	}
	return done;
}

uint16_t
vstate_port_rx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vstate_port_rxq *rxq = queue;

	/* The common case: one pair, one burst. */
	if (likely(rxq->only != NULL && n <= VSTATE_BURST && !is_rarp_due(rxq)))
		return vq_receive(rxq->only, rxq->pool, pkts, n, &rxq->pace);
	return port_rx_any(rxq, pkts, n);
}

/* Take a lease for transmission. A shared queue that stays busy counts as full. */
static vstate_inline bool
txq_lease(const struct vstate_port_txq *txq, struct vstate_vq *vq)
{
	return txq->shared ? vstate_lease_take_shared(&vq->lease) : vstate_lease_take(&vq->lease);
}

/* Free sent frames. Whole mbufs return to their pool at once, without their second cache line. */
static vstate_inline void
sent_free(struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	if (likely(look & VSTATE_NET_MBUF_WHOLE))
		rte_mempool_put_bulk(pkts[0]->pool, (void **)pkts, n);
	else
		rte_pktmbuf_free_bulk(pkts, n);
}

/* ---- frames that need more than a copy; the caller holds the lease ---- */

static bool
frame_is_to_segment(const struct vstate_net_vq *nq, const struct rte_mbuf *m)
{
	return (m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)) != 0 &&
		!vstate_net_offload_takes_gso(nq, m);
}

/* Insert VLAN tags where flags ask for them. @return frames before the first special one */
static uint16_t
special_prepare(const struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		if ((pkts[i]->ol_flags & RTE_MBUF_F_TX_VLAN) && rte_vlan_insert(&pkts[i]) != 0)
			break;
		if (frame_is_to_segment(nq, pkts[i]))
			break;
	}
	return i;
}

/* Put a frame in segments. The segments without a buffer are lost, but the first one is not. */
static bool
segments_put(struct vstate_net_vq *nq, struct rte_mbuf *m)
{
	struct rte_mbuf *segs[VSTATE_NET_SEGMENTS];
	uint16_t put = 0, more;
	int nb = vstate_net_segment(m, segs);

	if (nb == -ENOMEM) {
		nq->counters.nombuf++;
		return false;
	}
	if (nb < 0) {
		nq->counters.bad_offload++;
		return true;
	}
	do {
		more = nq->ops->put(nq, segs + put, nb - put, VSTATE_NET_MBUF_UNKNOWN);
		put += more;
	} while (more > 0 && put < nb);
	rte_pktmbuf_free_bulk(segs, nb);
	if (put == 0)
		return false;
	nq->counters.segmented++;
	nq->counters.segments_lost += nb - put;
	return true;
}

/* Put a frame that special_prepare() left out. A frame that cannot be sent would block others. */
static bool
special_put_one(struct vstate_net_vq *nq, struct rte_mbuf *m)
{
	if ((m->ol_flags & RTE_MBUF_F_TX_VLAN) == 0)
		return segments_put(nq, m);
	/* rte_vlan_insert() refuses shared mbufs, and mbufs without headroom */
	nq->counters.bad_offload++;
	return true;
}

/* Put and free frames of which some need more than a copy. @return their number */
static __rte_noinline uint16_t
special_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t ready, put, done = 0;

	while (done < n) {
		ready = special_prepare(nq, pkts + done, n - done);
		/* a tag may need an mbuf of its own, and makes a frame longer */
		put = ready == 0 ? special_put_one(nq, pkts[done]) :
			nq->ops->put(nq, pkts + done, ready, VSTATE_NET_MBUF_UNKNOWN);
		rte_pktmbuf_free_bulk(pkts + done, put);
		done += put;
		if (put == 0 || put < ready)
			break;
	}
	return done;
}

uint16_t
vstate_port_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vstate_port_txq *txq = queue;
	struct vstate_dev *dev = txq->dev;
	/* Acquire: partner of the release in vstate_net_run_changed(). */
	uint16_t active = rte_atomic_load_explicit(&txq->net->active_pairs,
			rte_memory_order_acquire);
	uint16_t batch, put, done = 0;
	struct vstate_net_vq *nq;
	uint8_t look;

	if (unlikely(active == 0))
		return 0;
	nq = vstate_net_vq_of(dev->vqs[VSTATE_RXQ(txq->id < active ? txq->id :
			txq->id % active)]);
	while (done < n) {
		batch = RTE_MIN(n - done, VSTATE_BURST);
		look = nq->ops->look(pkts + done, batch);
		if (!txq_lease(txq, &nq->vq))
			break;
		if (unlikely(look & VSTATE_NET_MBUF_SPECIAL))
			put = special_put(nq, pkts + done, batch);
		else
			put = nq->ops->put(nq, pkts + done, batch, look);
		vstate_lease_give(&nq->vq.lease);
		if (likely(put > 0 && (look & VSTATE_NET_MBUF_SPECIAL) == 0))
			sent_free(pkts + done, put, look);
		done += put;
		if (put < batch)
			break;
	}
	return done;
}

/* Whether a frame that is to be segmented can be sent to the guest that is there now. */
static bool
segmentation_is_served(const struct vstate_port_txq *txq, const struct rte_mbuf *m)
{
	uint16_t active = rte_atomic_load_explicit(&txq->net->active_pairs,
			rte_memory_order_acquire);
	struct vstate_net_vq *nq;
	bool served;

	if (active == 0 || vstate_net_segment_can(m))
		return true;
	nq = vstate_net_vq_of(txq->dev->vqs[VSTATE_RXQ(txq->id % active)]);
	if (!txq_lease(txq, &nq->vq))
		return true;
	served = vstate_net_offload_takes_gso(nq, m);
	vstate_lease_give(&nq->vq.lease);
	return served;
}

uint16_t
vstate_port_prepare(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = vstate_net_offload_prepare(pkts[i]);
		if (ret == 0 && (pkts[i]->ol_flags & (RTE_MBUF_F_TX_TCP_SEG |
				RTE_MBUF_F_TX_UDP_SEG)) && !segmentation_is_served(queue, pkts[i]))
			ret = -ENOTSUP;
		if (ret != 0) {
			rte_errno = -ret;
			break;
		}
	}
	return i;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BATCH_H
#define VSTATE_BATCH_H

/**
 * @file
 * The common case, many frames at a time: each frame in one descriptor, in the queue's
 * window, in one mbuf. What does not look like that ends the batch, and the general code
 * of vstate_burst.h takes the next frame.
 *
 * First all descriptors are read, once, into arrays of our own, checked, and their
 * buffers prefetched; then the frames are copied. So the memory latencies of a batch
 * overlap, and what is copied is what was checked.
 *
 * Included by vstate_burst.h; the layout defines besides
 *   uint16_t ring_gather(vq, g, n, direction)	read up to n leading plain descriptors
 *   void ring_skip(vq, n)			move vq->avail behind n plain descriptors
 */

#include <rte_mempool.h>
#include <rte_prefetch.h>

/* Descriptors of a batch, as they were read. */
struct gathered {
	uint64_t addr[VSTATE_BURST];
	uint32_t len[VSTATE_BURST];
	uint16_t id[VSTATE_BURST];
};

static __rte_always_inline uint16_t
ring_gather(struct vstate_vq *vq, struct gathered *g, uint16_t n, uint16_t direction);

static __rte_always_inline void
ring_skip(struct vstate_vq *vq, uint16_t n);

/* ---- from the driver ---- */

/* Leading buffers that hold a whole frame where it can be copied at once. */
static __rte_always_inline uint16_t
batch_readable(struct vstate_vq *vq, struct gathered *g, uint16_t n, uint32_t room)
{
	const uint32_t min = vq->hdr_len + RTE_ETHER_HDR_LEN;
	uint16_t i;

	for (i = 0; i < n; i++) {
		if (unlikely(g->len[i] < min || g->len[i] - vq->hdr_len > room ||
				!vstate_window_holds(&vq->win, g->addr[i], g->len[i])))
			break;
		rte_prefetch0(vstate_window_ptr(&vq->win, g->addr[i]));
	}
	return i;
}

/* data_off, refcnt, nb_segs and port, which are written as one. */
#define REARM_OFFSET offsetof(struct rte_mbuf, data_off)

/* As rte_pktmbuf_reset(), for a frame of one segment. */
static __rte_always_inline void
mbuf_set(struct rte_mbuf *m, uint64_t rearm, uint32_t len)
{
	memcpy(RTE_PTR_ADD(m, REARM_OFFSET), &rearm, sizeof(rearm));
	m->ol_flags &= RTE_MBUF_F_EXTERNAL;
	m->packet_type = 0;
	m->pkt_len = len;
	m->data_len = len;
	m->vlan_tci = 0;
	m->vlan_tci_outer = 0;
	m->tx_offload = 0;
}

static __rte_always_inline uint64_t
mbuf_rearm(uint16_t port)
{
	struct rte_mbuf m = {
		.data_off = RTE_PKTMBUF_HEADROOM,
		.nb_segs = 1,
		.port = port,
	};

	uint64_t rearm;

	rte_mbuf_refcnt_set(&m, 1);
	memcpy(&rearm, RTE_PTR_ADD(&m, REARM_OFFSET), sizeof(rearm));
	return rearm;
}

/* False: the header is one that the general code must look at. */
static __rte_always_inline bool
frame_copy_in(const struct vstate_vq *vq, const uint8_t *p, struct rte_mbuf *m, uint64_t rearm,
		uint32_t len)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;

	mbuf_set(m, rearm, len);
	if (vq->host_offloads)
		memcpy(&hdr, p, 10);
	rte_memcpy(rte_pktmbuf_mtod(m, void *), p + vq->hdr_len, len);
	if (vq->host_offloads && unlikely((hdr.hdr.flags | hdr.hdr.gso_type) != 0))
		return vstate_offload_from_header(vq, &hdr, m);
	return true;
}

/** Take up to @p n frames the fast way; @return how many. */
static __rte_always_inline uint16_t
batch_take(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	const uint64_t rearm = mbuf_rearm(vq->port_id);
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	struct gathered g;
	uint16_t i, done;

	n = RTE_MIN(n, VSTATE_SHADOW - vq->nb_shadow);
	n = ring_gather(vq, &g, n, 0);
	n = batch_readable(vq, &g, n, rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM);
	if (n == 0 || unlikely(rte_mempool_get_bulk(pool, (void **)pkts, n) != 0))
		return 0;
	for (done = 0; done < n; done++) {
		uint32_t len = g.len[done] - vq->hdr_len;

		if (unlikely(!frame_copy_in(vq, vstate_window_ptr(&vq->win, g.addr[done]), pkts[done],
				rearm, len)))
			break;
		shadow[done] = (struct vstate_used){ .id = g.id[done], .num = 1 };
		vq->taken_len[done] = len;
	}
	if (unlikely(done < n)) {
		/* not yet written where the general code will find them again */
		for (i = done; i < n; i++)
			mbuf_set(pkts[i], rearm, 0);
		rte_pktmbuf_free_bulk(&pkts[done], n - done);
	}
	vq->nb_shadow += done;
	ring_skip(vq, done);
	return done;
}

/* ---- to the driver ---- */

#define TX_OFFLOAD_FLAGS \
	(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG)

/* Leading frames that fit the leading buffers, one each. */
static __rte_always_inline uint16_t
batch_writable(struct vstate_vq *vq, const struct gathered *g, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];
		uint32_t len = vq->hdr_len + m->pkt_len;

		if (unlikely(m->nb_segs != 1 || (m->ol_flags & TX_OFFLOAD_FLAGS) != 0 ||
				g->len[i] < len || !vstate_window_holds(&vq->win, g->addr[i], len)))
			break;
		__builtin_prefetch(vstate_window_ptr(&vq->win, g->addr[i]), 1);
	}
	return i;
}

static __rte_always_inline void
frame_copy_out(const struct vstate_vq *vq, uint8_t *p, const struct rte_mbuf *m)
{
	/* flags, gso and checksum fields are zero, num_buffers is one */
	memset(p, 0, 10);
	if (vq->hdr_len == sizeof(struct virtio_net_hdr_mrg_rxbuf)) {
		const uint16_t one = rte_cpu_to_le_16(1);

		memcpy(p + 10, &one, sizeof(one));
	}
	rte_memcpy(p + vq->hdr_len, rte_pktmbuf_mtod(m, const void *), m->pkt_len);
}

/** Put up to @p n frames the fast way; @return how many. */
static __rte_always_inline uint16_t
batch_put(struct vstate_vq *vq, struct rte_mbuf **pkts, uint16_t n)
{
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	struct gathered g;
	uint16_t i;

	n = RTE_MIN(n, VSTATE_SHADOW - vq->nb_shadow);
	n = ring_gather(vq, &g, n, VRING_DESC_F_WRITE);
	n = batch_writable(vq, &g, pkts, n);
	for (i = 0; i < n; i++) {
		uint32_t len = vq->hdr_len + pkts[i]->pkt_len;

		frame_copy_out(vq, vstate_window_ptr(&vq->win, g.addr[i]), pkts[i]);
		vstate_vq_dirty(vq, g.addr[i], len);
		shadow[i] = (struct vstate_used){ .id = g.id[i], .num = 1, .len = len };
	}
	vq->nb_shadow += n;
	ring_skip(vq, n);
	return n;
}

#endif /* VSTATE_BATCH_H */

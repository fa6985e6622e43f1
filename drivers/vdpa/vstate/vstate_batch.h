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

/* data_off, refcnt, nb_segs and port, which are written as one. */
#define REARM_OFFSET offsetof(struct rte_mbuf, data_off)

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

/*
 * What a receiver sets for a frame of one segment: as two words what lies together in the
 * mbuf, and nothing in its second cache line.
 */
static __rte_always_inline void
mbuf_set(struct rte_mbuf *m, uint64_t rearm, uint32_t len)
{
	/* {packet_type, pkt_len} and {data_len, vlan_tci, hash.rss} */
	const uint32_t fields[4] = { 0, len, len, 0 };

	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, pkt_len) !=
			offsetof(struct rte_mbuf, packet_type) + 4);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, data_len) !=
			offsetof(struct rte_mbuf, packet_type) + 8);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, hash) !=
			offsetof(struct rte_mbuf, packet_type) + 12);
	memcpy(RTE_PTR_ADD(m, REARM_OFFSET), &rearm, sizeof(rearm));
	m->ol_flags &= RTE_MBUF_F_EXTERNAL;
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	/* a length is below 65536, so that data_len's word leaves vlan_tci zero */
	memcpy(RTE_PTR_ADD(m, offsetof(struct rte_mbuf, packet_type)), fields, sizeof(fields));
#else
	m->packet_type = 0;
	m->pkt_len = fields[1];
	m->data_len = fields[2];
	m->vlan_tci = 0;
#endif
}

/*
 * Leading buffers that hold a whole frame where it can be copied at once. The copies will
 * come later: the buffers are asked for here.
 */
static __rte_always_inline uint16_t
batch_readable(const struct vstate_window *win, const struct gathered *g, uint16_t n,
		uint32_t hdr_len, uint32_t room)
{
	const uint32_t min = hdr_len + RTE_ETHER_HDR_LEN;
	uint16_t i;

	for (i = 0; i < n; i++) {
		if (unlikely(g->len[i] < min || g->len[i] - hdr_len > room ||
				!vstate_window_holds(win, g->addr[i], g->len[i])))
			break;
		rte_prefetch0(vstate_window_ptr(win, g->addr[i]));
	}
	return i;
}

/* Frames [done, n) go back: the general code will look at the first of them. */
static void
batch_undo(struct rte_mbuf **pkts, uint16_t done, uint16_t n, uint64_t rearm)
{
	uint16_t i;

	for (i = done; i < n; i++)
		mbuf_set(pkts[i], rearm, 0);
	rte_pktmbuf_free_bulk(&pkts[done], n - done);
}

/** Take up to @p n frames the fast way; @return how many. */
static __rte_always_inline uint16_t
batch_take(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	/* Locals, as the compiler must believe that each store may change the queue. */
	const uint64_t rearm = mbuf_rearm(vq->port_id);
	const uint32_t hdr_len = vq->hdr_len;
	const struct vstate_window win = vq->win;
	const bool host_offloads = vq->host_offloads;
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct gathered g;
	uint16_t done;

	n = RTE_MIN(n, VSTATE_SHADOW - vq->nb_shadow);
	n = ring_gather(vq, &g, n, 0);
	n = batch_readable(&win, &g, n, hdr_len,
			rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM);
	if (n == 0 || unlikely(rte_mempool_get_bulk(pool, (void **)pkts, n) != 0))
		return 0;
	for (done = 0; done < n; done++) {
		const uint8_t *p = vstate_window_ptr(&win, g.addr[done]);
		struct rte_mbuf *m = pkts[done];
		uint32_t len = g.len[done] - hdr_len;

		mbuf_set(m, rearm, len);
		if (host_offloads)
			memcpy(&hdr, p, 10);
		vstate_copy(rte_pktmbuf_mtod(m, void *), p + hdr_len, len);
		if (host_offloads && unlikely((hdr.hdr.flags | hdr.hdr.gso_type) != 0) &&
				!vstate_offload_from_header(vq, &hdr, m))
			break;
		shadow[done] = (struct vstate_used){ .id = g.id[done], .num = 1 };
		vq->taken_len[done] = len;
	}
	if (unlikely(done < n))
		batch_undo(pkts, done, n, rearm);
	vq->nb_shadow += done;
	ring_skip(vq, done);
	return done;
}

/* ---- to the driver ---- */

#define TX_OFFLOAD_FLAGS \
	(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG | \
	 RTE_MBUF_F_TX_UDP_SEG)

/* Leading frames that fit the leading buffers, one each. */
static __rte_always_inline uint16_t
batch_writable(const struct vstate_window *win, const struct gathered *g,
		struct rte_mbuf *const *pkts, uint16_t n, uint32_t hdr_len)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];

		if (unlikely(m->nb_segs != 1 || (m->ol_flags & TX_OFFLOAD_FLAGS) != 0 ||
				g->len[i] < hdr_len + m->pkt_len ||
				!vstate_window_holds(win, g->addr[i], g->len[i])))
			break;
		__builtin_prefetch(vstate_window_ptr(win, g->addr[i]), 1);
		rte_prefetch0(rte_pktmbuf_mtod(m, const void *));
	}
	return i;
}

/* A header without offloads: all fields zero, but for num_buffers where there is one. */
static __rte_always_inline void
header_plain(uint8_t *p, uint32_t hdr_len)
{
	const uint16_t one = rte_cpu_to_le_16(1);

	memset(p, 0, sizeof(struct virtio_net_hdr));
	if (hdr_len == sizeof(struct virtio_net_hdr_mrg_rxbuf))
		memcpy(p + offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers), &one,
				sizeof(one));
}

/** Put up to @p n frames the fast way; @return how many. */
static __rte_always_inline uint16_t
batch_put(struct vstate_vq *vq, struct rte_mbuf **pkts, uint16_t n)
{
	const uint32_t hdr_len = vq->hdr_len;
	const struct vstate_window win = vq->win;
	const bool dirty = vq->dirty.base != NULL;
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	struct gathered g;
	uint16_t i;

	n = RTE_MIN(n, VSTATE_SHADOW - vq->nb_shadow);
	n = ring_gather(vq, &g, n, VRING_DESC_F_WRITE);
	n = batch_writable(&win, &g, pkts, n, hdr_len);
	for (i = 0; i < n; i++) {
		const uint32_t len = pkts[i]->pkt_len;
		uint8_t *p = vstate_window_ptr(&win, g.addr[i]);

		if (unlikely(len > VSTATE_LARGE) && i + 1 < n)
			vstate_prefetch_lines(vstate_window_ptr(&win, g.addr[i + 1]),
					hdr_len + pkts[i + 1]->pkt_len);
		header_plain(p, hdr_len);
		vstate_copy(p + hdr_len, rte_pktmbuf_mtod(pkts[i], const void *), len);
		if (unlikely(dirty))
			vstate_dirty_mark(&vq->dirty, g.addr[i], hdr_len + len);
		shadow[i] = (struct vstate_used){
			.id = g.id[i], .num = 1, .len = hdr_len + len };
	}
	vq->nb_shadow += n;
	ring_skip(vq, n);
	return n;
}

#endif /* VSTATE_BATCH_H */

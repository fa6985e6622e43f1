/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BATCH_H
#define VSTATE_BATCH_H

/**
 * @file
 * The common case, many frames at a time: each frame in one mbuf, and in one buffer in the
 * queue's window, of one descriptor or of two of which the first is the header. What does not
 * look like that ends the batch, and the general code of vstate_burst.h takes the next frame.
 *
 * First all descriptors are read, once, into arrays of our own, checked, and their
 * buffers prefetched; then the frames are copied. So the memory latencies of a batch
 * overlap, and what is copied is what was checked.
 *
 * Included by vstate_burst.h; the layout defines besides
 *   uint16_t ring_gather(vq, g, n, want)	read up to n leading buffers that are wanted
 *   void ring_skip(vq, n)			move vq->avail behind n descriptors or heads
 */

#include <rte_mempool.h>
#include <rte_prefetch.h>

#include "vstate_gather.h"
#include "vstate_pool.h"

static __rte_always_inline uint16_t
ring_gather(struct vstate_vq *vq, struct gathered *g, uint16_t n, const struct gather_want *want);

static __rte_always_inline void
ring_skip(struct vstate_vq *vq, uint16_t n);

/* Descriptors or heads of the first @p n buffers that are in the shadow. */
static __rte_always_inline uint16_t
shadow_descs(const struct vstate_vq *vq, uint16_t n)
{
	uint16_t i, num = 0;

	if (!LAYOUT_PACKED)
		return n;
	for (i = 0; i < n; i++)
		num += vq->shadow[i].num;
	return num;
}

/* Frames of one size often follow each other: their counter is written once. */
struct size_run {
	struct vstate_vq_counters *counters;
	uint32_t len;
	uint32_t count;
};

static __rte_always_inline void
size_run_end(struct size_run *run)
{
	if (run->count != 0)
		vstate_count_size(run->counters, run->len, run->count);
}

static __rte_always_inline void
size_run_add(struct size_run *run, uint32_t len)
{
	if (len != run->len) {
		size_run_end(run);
		run->len = len;
		run->count = 0;
	}
	run->count++;
}

/* Count @p n frames of @p len bytes. */
static __rte_always_inline void
count_alike(struct vstate_vq *vq, uint32_t len, uint16_t n)
{
	vq->counters.packets += n;
	vq->counters.bytes += (uint64_t)len * n;
	vstate_count_size(&vq->counters, len, n);
}

/* ---- from the driver ---- */

/* What a new mbuf has in its words from data_off on. */
struct rearm {
	/* data_off, refcnt, nb_segs and port. */
	uint64_t data;
	uint64_t ol_flags;
};

#define REARM_OFFSET offsetof(struct rte_mbuf, data_off)

static __rte_always_inline struct rearm
mbuf_rearm(const struct vstate_vq *vq, struct rte_mempool *pool)
{
	struct rte_mbuf m = {
		.data_off = RTE_PKTMBUF_HEADROOM,
		.nb_segs = 1,
		.port = vq->port_id,
	};
	struct rearm r;

	rte_mbuf_refcnt_set(&m, 1);
	memcpy(&r.data, RTE_PTR_ADD(&m, REARM_OFFSET), sizeof(r.data));
	/* A pool's mbufs have their own memory, or all of them have memory that is pinned. */
	r.ol_flags = rte_pktmbuf_priv_flags(pool) & RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF ?
		RTE_MBUF_F_EXTERNAL : 0;
	return r;
}

/*
 * What a receiver sets for a frame of one segment: in words what lies together in the
 * mbuf, and nothing in its second cache line.
 */
static __rte_always_inline void
mbuf_set(struct rte_mbuf *m, struct rearm rearm, uint32_t len)
{
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, pkt_len) !=
			offsetof(struct rte_mbuf, packet_type) + 4);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, data_len) !=
			offsetof(struct rte_mbuf, packet_type) + 8);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, hash) !=
			offsetof(struct rte_mbuf, packet_type) + 12);
	memcpy(RTE_PTR_ADD(m, REARM_OFFSET), &rearm.data, sizeof(rearm.data));
	m->ol_flags = rearm.ol_flags;
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	/* {packet_type, pkt_len} and {data_len, vlan_tci, hash.rss}; a length is below 65536,
	 * so that data_len's word leaves vlan_tci zero
	 */
	const uint64_t fields[2] = { (uint64_t)len << 32, len };

	memcpy(RTE_PTR_ADD(m, offsetof(struct rte_mbuf, packet_type)), fields, sizeof(fields));
#else
	m->packet_type = 0;
	m->pkt_len = len;
	m->data_len = len;
	m->vlan_tci = 0;
#endif
}

/* Frames [done, n) go back: the general code will look at the first of them. */
static void
batch_undo(struct rte_mbuf **pkts, uint16_t done, uint16_t n, struct rearm rearm)
{
	uint16_t i;

	for (i = done; i < n; i++)
		mbuf_set(pkts[i], rearm, 0);
	rte_pktmbuf_free_bulk(&pkts[done], n - done);
}

/* Obey a header if it says anything. */
static __rte_always_inline bool
batch_offload(const struct vstate_vq *vq, const uint8_t *p, struct rte_mbuf *m)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	uint64_t begin;

	/* flags and gso_type come first; each byte is read once */
	memcpy(&begin, p, sizeof(begin));
	memcpy(&hdr, &begin, sizeof(begin));
	if (likely((hdr.hdr.flags | hdr.hdr.gso_type) == 0))
		return true;
	memcpy(RTE_PTR_ADD(&hdr, sizeof(begin)), p + sizeof(begin),
			sizeof(hdr.hdr) - sizeof(begin));
	return vstate_offload_from_header(vq, &hdr, m);
}

/*
 * More bytes than this are not taken at once, so that the mbufs of large frames stay in the cache
 * next to the core until they are sent or freed, and the next burst gets the same ones.
 */
#define VSTATE_TAKE_BYTES 12288

/* Leading buffers of that many bytes, and the one that goes beyond. */
static __rte_always_inline uint16_t
batch_cut(const struct gathered *g, uint16_t n)
{
	uint32_t bytes = 0;
	uint16_t i;

	for (i = 0; i < n && bytes < VSTATE_TAKE_BYTES; i++)
		bytes += g->len[i];
	return i;
}

/** Take up to @p n frames the fast way; @return how many. */
static __rte_always_inline uint16_t
batch_take(struct vstate_vq *vq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	/* Locals, as the compiler must believe that each store may change the queue. */
	const struct rearm rearm = mbuf_rearm(vq, pool);
	const uint32_t hdr_len = vq->hdr_len;
	const struct gather_want want = gather_want(vq, 0, hdr_len + RTE_ETHER_HDR_LEN,
			hdr_len + rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM);
	const bool host_offloads = vq->host_offloads;
	uint32_t differ = 0;
	struct gathered g;
	uint16_t done;

	/* Nothing is in the shadow before a take. */
	g.used = vq->shadow;
	n = ring_gather(vq, &g, n, &want);
	if (unlikely(g.len[0] > VSTATE_LARGE))
		n = batch_cut(&g, n);
	if (n == 0 || unlikely(!vstate_pool_get(pool, pkts, n))) {
		vq->nb_simple = 0;
		return 0;
	}
	for (done = 0; done < n; done++) {
		struct rte_mbuf *m = pkts[done];
		const uint32_t len = g.len[done];

		mbuf_set(m, rearm, len);
		vstate_copy(rte_pktmbuf_mtod(m, void *), g.data[done], len);
		if (host_offloads && unlikely(!batch_offload(vq, g.hdr[done], m)))
			break;
		vq->taken_len[done] = len;
		differ |= len ^ g.len[0];
	}
	vq->nb_simple = done;
	vq->simple_alike = differ == 0;
	vq->nb_shadow = done;
	if (unlikely(done < n))
		batch_undo(pkts, done, n, rearm);
	ring_skip(vq, likely(done == g.nb) ? g.nb_descs : shadow_descs(vq, done));
	return done;
}

/* ---- to the driver ---- */

#define TX_OFFLOAD_FLAGS \
	(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG | \
	 RTE_MBUF_F_TX_UDP_SEG)

static __rte_always_inline bool
frame_is_plain(const struct rte_mbuf *m)
{
	return m->nb_segs == 1 && (m->ol_flags & TX_OFFLOAD_FLAGS) == 0;
}

/* Leading frames that fit the leading buffers, one each. @p alike: they have one length. */
static __rte_always_inline uint16_t
batch_writable(const struct gathered *g, struct rte_mbuf *const *pkts, uint16_t n, bool *alike)
{
	uint32_t differ = 0;
	uint16_t i;

	for (i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];

		if (unlikely(!frame_is_plain(m) || g->len[i] < m->pkt_len))
			break;
		differ |= m->pkt_len ^ pkts[0]->pkt_len;
		rte_prefetch0(rte_pktmbuf_mtod(m, const void *));
	}
	*alike = differ == 0;
	return i;
}

/* A header without offloads: all fields zero, but for num_buffers where there is one. */
static __rte_always_inline void
header_plain(uint8_t *p, const uint32_t hdr_len)
{
	const uint16_t one = rte_cpu_to_le_16(1);

	memset(p, 0, sizeof(struct virtio_net_hdr));
	if (hdr_len == sizeof(struct virtio_net_hdr_mrg_rxbuf))
		memcpy(p + offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers), &one,
				sizeof(one));
}

/* Copy frames to their buffers; one instance for each length of a header. */
static __rte_always_inline void
batch_write(const struct gathered *g, struct vstate_used *shadow, struct rte_mbuf *const *pkts,
		uint16_t n, const uint32_t hdr_len)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		const uint8_t *frame = rte_pktmbuf_mtod(pkts[i], const uint8_t *);
		const uint32_t len = pkts[i]->pkt_len;

		header_plain(g->hdr[i], hdr_len);
		if (unlikely(len > VSTATE_LARGE) && i + 1 < n)
			vstate_copy_large(g->hdr[i] + hdr_len, frame, len, g->hdr[i + 1]);
		else
			vstate_copy(g->hdr[i] + hdr_len, frame, len);
		vstate_used_set(&shadow[i], vstate_used_word(&shadow[i]) + hdr_len + len);
	}
}

/* Note the buffers in the dirty log, those of one page after another once. */
static void
batch_dirty(struct vstate_vq *vq, const struct gathered *g, const struct vstate_used *shadow,
		uint16_t n)
{
	uint64_t gpa, noted = UINT64_MAX;
	uint16_t i;

	for (i = 0; i < n; i++) {
		gpa = vstate_window_gpa(&vq->win, g->hdr[i]);
		if (gpa >> VSTATE_DIRTY_PAGE_SHIFT == noted &&
				(gpa + shadow[i].len - 1) >> VSTATE_DIRTY_PAGE_SHIFT == noted)
			continue;
		vstate_dirty_mark(&vq->dirty, gpa, shadow[i].len);
		noted = (gpa + shadow[i].len - 1) >> VSTATE_DIRTY_PAGE_SHIFT;
	}
}

/* Count frames that may have all lengths. */
static void
batch_count(struct vstate_vq *vq, struct rte_mbuf *const *pkts, uint16_t n)
{
	struct size_run run = { .counters = &vq->counters };
	uint16_t i;

	for (i = 0; i < n; i++) {
		vq->counters.bytes += pkts[i]->pkt_len;
		size_run_add(&run, pkts[i]->pkt_len);
	}
	size_run_end(&run);
	vq->counters.packets += n;
}

/** Put up to @p n frames the fast way, and count them; @return how many. */
static __rte_always_inline uint16_t
batch_put(struct vstate_vq *vq, struct rte_mbuf **pkts, uint16_t n)
{
	const struct gather_want want = gather_want(vq, VRING_DESC_F_WRITE, vq->hdr_len,
			UINT32_MAX);
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	struct gathered g;
	bool alike;

	/* before buffers are looked at for nothing */
	if (unlikely(!frame_is_plain(pkts[0])))
		return 0;
	g.used = shadow;
	n = ring_gather(vq, &g, RTE_MIN(n, VSTATE_SHADOW - vq->nb_shadow), &want);
	n = batch_writable(&g, pkts, n, &alike);
	if (unlikely(n == 0))
		return 0;
	if (likely(want.hdr_len == HDR_MAX))
		batch_write(&g, shadow, pkts, n, HDR_MAX);
	else
		batch_write(&g, shadow, pkts, n, sizeof(struct virtio_net_hdr));
	if (unlikely(vq->dirty.base != NULL))
		batch_dirty(vq, &g, shadow, n);
	vq->nb_shadow += n;
	/* all of them are of one descriptor */
	ring_skip(vq, n);
	if (likely(alike))
		count_alike(vq, pkts[0]->pkt_len, n);
	else
		batch_count(vq, pkts, n);
	return n;
}

/* Buffers of merged frames are at least this long, as a rule: how many to look at. */
#define MERGE_BUFFER 1024

/* Leading buffers that hold @p len bytes together, behind one header; 0 if they are too few. */
static __rte_always_inline uint16_t
merge_buffers(const struct gathered *g, uint16_t n, uint32_t len, uint32_t hdr_len)
{
	uint64_t room = 0;
	uint16_t i;

	for (i = 0; i < n; i++) {
		room += i == 0 ? g->len[0] : g->len[i] + hdr_len;
		if (room >= len)
			return i + 1;
	}
	return 0;
}

/**
 * Put one frame of any number of segments into as many plain buffers as it needs.
 * @return false: that is for the general code
 */
static __rte_always_inline bool
merge_put(struct vstate_vq *vq, const struct rte_mbuf *m, struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	const struct gather_want want = gather_want(vq, VRING_DESC_F_WRITE, HDR_MAX, UINT32_MAX);
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	uint32_t left = m->pkt_len, off = 0, room, len;
	const struct rte_mbuf *seg = m;
	struct gathered g;
	const uint8_t *from;
	uint16_t n, i;
	uint8_t *p;

	n = RTE_MIN(VSTATE_BURST, VSTATE_SHADOW - vq->nb_shadow);
	g.used = shadow;
	n = ring_gather(vq, &g, RTE_MIN(n, left / MERGE_BUFFER + 2), &want);
	n = merge_buffers(&g, n, left, HDR_MAX);
	if (unlikely(n == 0))
		return false;
	hdr->num_buffers = rte_cpu_to_le_16(n);
	memcpy(g.hdr[0], hdr, HDR_MAX);
	for (i = 0; i < n; i++) {
		p = i == 0 ? g.data[0] : g.hdr[i];
		room = i == 0 ? g.len[0] : g.len[i] + HDR_MAX;
		room = RTE_MIN(room, left);
		left -= room;
		len = room + (i == 0 ? HDR_MAX : 0);
		vstate_used_set(&shadow[i], vstate_used_word(&shadow[i]) + len);
		for (; room > 0; room -= len, p += len, off += len) {
			for (; off == seg->data_len; off = 0)
				seg = seg->next;
			len = RTE_MIN(room, seg->data_len - off);
			from = rte_pktmbuf_mtod_offset(seg, const uint8_t *, off);
			if (len > VSTATE_LARGE && i + 1 < n)
				vstate_copy_large(p, from, len, g.hdr[i + 1] + (p - g.hdr[i]));
			else
				vstate_copy(p, from, len);
		}
	}
	if (unlikely(vq->dirty.base != NULL))
		batch_dirty(vq, &g, shadow, n);
	vq->nb_shadow += n;
	ring_skip(vq, n);
	return true;
}

#endif /* VSTATE_BATCH_H */

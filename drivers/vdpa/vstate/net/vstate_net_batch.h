/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_BATCH_H
#define VSTATE_NET_BATCH_H

/**
 * @file
 * The common case, many frames at a time. Each frame has one mbuf and one buffer, and the buffer
 * is in the queue's window. The buffer has one descriptor, or two of which the first is the
 * header. Any other frame or buffer ends the batch, and the general code of vstate_net_burst.h
 * processes the next frame.
 *
 * First all descriptors are read once into local arrays and checked, and their buffers are
 * prefetched. Then the frames are copied. So the memory latencies of a batch overlap, and the
 * copy uses the values that were checked.
 *
 * Included by vstate_net_burst.h.
 */

#include <linux/virtio_net.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_prefetch.h>

#include "ring/vstate_copy.h"
#include "ring/vstate_packed_gather.h"
#include "ring/vstate_publish.h"
#include "ring/vstate_split_gather.h"
#include "vstate_compat.h"
#include "vstate_net_mbuf.h"
#include "vstate_net_vq.h"

/* Gather up to @p n wanted leading buffers. vq->avail does not move. @return their number */
static vstate_inline uint16_t
batch_gather_wanted(struct vstate_vq *vq, struct gathered *g, uint16_t n,
		const struct gather_want *want)
{
	return LAYOUT_PACKED ? packed_gather(vq, g, n, want) : split_gather(vq, g, n, want);
}

/* A run of frames of one size. Such runs are common, and write their counter once. */
struct size_run {
	struct vstate_net_vq_counters *counters;
	uint32_t len;
	uint32_t count;
};

static vstate_inline void
size_run_end(struct size_run *run)
{
	if (run->count != 0)
		vstate_count_size(run->counters, run->len, run->count);
}

static vstate_inline void
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
static vstate_inline void
count_alike(struct vstate_net_vq *nq, uint32_t len, uint16_t n)
{
	nq->counters.packets += n;
	nq->counters.bytes += (uint64_t)len * n;
	vstate_count_size(&nq->counters, len, n);
}

/* ---- from the driver ---- */

/*
 * The words of an mbuf that a receiver sets for a frame of one segment, from data_off to the hash
 * of RSS. They are written at once, and the second cache line is not written.
 */
typedef uint64_t mbuf_words VSTATE_VECTOR_AT(32, 8);

#define MBUF_WORDS_OFFSET offsetof(struct rte_mbuf, data_off)

/* Make the words of an empty frame. */
static vstate_inline void
mbuf_words_make(mbuf_words *empty, const struct vstate_net_vq *nq, struct rte_mempool *pool)
{
	/* In the order of an mbuf. A local mbuf would be cleared whole for these few fields. */
	const struct {
		uint16_t data_off, refcnt, nb_segs, port;
	} rearm = { RTE_PKTMBUF_HEADROOM, 1, 1, nq->port_id };
	/* All mbufs of a pool have memory of their own, or all have pinned external memory. */
	const uint64_t ol_flags = rte_pktmbuf_priv_flags(pool) &
		RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF ? RTE_MBUF_F_EXTERNAL : 0;
	uint64_t first;

	RTE_BUILD_BUG_ON(sizeof(rearm) != sizeof(first));
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, refcnt) != MBUF_WORDS_OFFSET + 2);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, nb_segs) != MBUF_WORDS_OFFSET + 4);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, port) != MBUF_WORDS_OFFSET + 6);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, ol_flags) != MBUF_WORDS_OFFSET + 8);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, packet_type) != MBUF_WORDS_OFFSET + 16);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, pkt_len) != MBUF_WORDS_OFFSET + 20);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, data_len) != MBUF_WORDS_OFFSET + 24);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, vlan_tci) != MBUF_WORDS_OFFSET + 26);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, hash) != MBUF_WORDS_OFFSET + 28);
	memcpy(&first, &rearm, sizeof(first));
	*empty = (mbuf_words){ first, ol_flags, 0, 0 };
}

/* Make @p m a frame of one segment of @p len < 65536 bytes. */
static vstate_inline void
mbuf_set(struct rte_mbuf *m, const mbuf_words *empty, uint32_t len)
{
	mbuf_words words = *empty;

	/* {packet_type, pkt_len} and {data_len, vlan_tci, hash.rss} */
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	words[2] = (uint64_t)len << 32;
	words[3] = len;
#else
	words[2] = len;
	words[3] = (uint64_t)len << 48;
#endif
	*(mbuf_words *)RTE_PTR_ADD(m, MBUF_WORDS_OFFSET) = words;
}

/* Free the mbufs of frames [done, n). The general code processes the first of these frames. */
static void
batch_undo(struct rte_mbuf **pkts, uint16_t done, uint16_t n, const mbuf_words *empty)
{
	unsigned int i;

	for (i = done; i < n; i++)
		mbuf_set(pkts[i], empty, 0);
	rte_pktmbuf_free_bulk(&pkts[done], n - done);
}

/* Apply the offloads of a header, if it has any. False: the header is bad. */
static vstate_inline bool
batch_offload(const struct vstate_net_vq *nq, const uint8_t *p, struct rte_mbuf *m)
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
	return vstate_net_offload_from_header(nq, &hdr, m);
}

/*
 * Bytes after which a take ends. So the mbufs of large frames stay in the cache next to the core
 * until they are sent or freed, and the next burst gets the same mbufs.
 */
#define VSTATE_TAKE_BYTES 12288

/* True for a chain whose first descriptor has more than the header: no batch takes it. */
static vstate_inline bool
batch_is_for_others(const struct vstate_net_vq *nq, const struct vstate_hint *begin)
{
	return (begin->flags & VRING_DESC_F_NEXT) && begin->len > nq->hdr_len;
}

/* Number of buffers to gather, if all are as long as the first. */
static vstate_inline uint16_t
batch_most(const struct vstate_net_vq *nq, const struct vstate_hint *begin)
{
	if (likely(begin->len <= VSTATE_LARGE))
		return VSTATE_BURST;
	return VSTATE_TAKE_BYTES / (begin->len - nq->hdr_len) + 1;
}

static vstate_inline bool
lengths_differ(const struct gathered *g, uint16_t n)
{
	uint32_t differ = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		differ |= g->len[i] ^ g->len[0];
	return differ != 0;
}

/* Gather @p most of @p n buffers, and all of them if the lengths differ. */
static vstate_inline uint16_t
batch_gather(struct vstate_vq *vq, struct gathered *g, uint16_t n, uint16_t most,
		const struct gather_want *want)
{
	uint16_t limit = RTE_MIN(n, most), got;

	for (;;) {
		got = batch_gather_wanted(vq, g, limit, want);
		if (likely(limit == n || got < limit || !lengths_differ(g, got)))
			return got;
		limit = n;
	}
}

/* Number of leading buffers up to the one that reaches VSTATE_TAKE_BYTES. */
static vstate_inline uint16_t
batch_cut(const struct gathered *g, uint16_t n)
{
	uint32_t bytes = 0;
	unsigned int i;

	for (i = 0; i < n && bytes < VSTATE_TAKE_BYTES; i++)
		bytes += g->len[i];
	return i;
}

/* Note the lengths of the frames of a batch. */
static vstate_inline void
batch_lengths(struct vstate_net_vq *nq, const struct gathered *g, uint16_t n)
{
	memcpy(nq->taken_len, g->len, n * sizeof(g->len[0]));
	nq->simple_alike = !lengths_differ(g, n);
}

/*
 * Properties that the frames of a batch share. Each instance of take_frames() has constants. They
 * are not read from the queue for each frame: for the compiler each store may change the queue.
 */
struct take_how {
	/** Headers may ask for offloads. */
	bool host_offloads;
	/** The length of all frames, or 0 if the lengths differ. */
	uint32_t alike;
	const mbuf_words *empty;
};

/* Copy one frame of @p len bytes. */
static vstate_inline bool
take_one(const struct vstate_net_vq *nq, struct rte_mbuf *m, const uint8_t *hdr,
		const uint8_t *data, uint32_t len, const struct take_how *how)
{
	if (how->alike != 0)
		len = how->alike;
	mbuf_set(m, how->empty, len);
	vstate_copy(RTE_PTR_ADD(m->buf_addr, RTE_PKTMBUF_HEADROOM), data, len);
	return !how->host_offloads || likely(batch_offload(nq, hdr, m));
}

#ifdef VSTATE_SIMD_FOUR
/* The words of four frames that are loaded ahead. */
struct take_four {
	vstate_simd_four mbuf, hdr, data;
	vstate_simd_four_32 len;
};

static vstate_inline struct take_four
take_four_load(const struct gathered *g, struct rte_mbuf *const *pkts, unsigned int i,
		const struct take_how *how)
{
	struct take_four t = {
		.mbuf = simd_four_load(&pkts[i]),
		.data = simd_four_load(&g->data[i]),
	};

	if (how->host_offloads)
		t.hdr = simd_four_load(&g->hdr[i]);
	if (how->alike == 0)
		t.len = simd_four_load_32(&g->len[i]);
	return t;
}

static vstate_inline bool
take_four_one(const struct vstate_net_vq *nq, const struct take_four *t, const unsigned int k,
		const struct take_how *how)
{
	return take_one(nq, (struct rte_mbuf *)(uintptr_t)t->mbuf[k],
			how->host_offloads ? (const uint8_t *)(uintptr_t)t->hdr[k] : NULL,
			(const uint8_t *)(uintptr_t)t->data[k], how->alike == 0 ? t->len[k] : 0,
			how);
}

/* Take frames in groups of four, up to a bad header. @return number of frames taken */
static vstate_inline uint16_t
take_fours(const struct vstate_net_vq *nq, const struct gathered *g, struct rte_mbuf *const *pkts,
		uint16_t n, const struct take_how *how)
{
	struct take_four now, next;
	unsigned int done;

	if (n < VSTATE_SIMD_FOUR)
		return 0;
	next = take_four_load(g, pkts, 0, how);
	for (done = 0; done + VSTATE_SIMD_FOUR <= n; done += VSTATE_SIMD_FOUR) {
		now = next;
		next = take_four_load(g, pkts, simd_four_next(done, n), how);
		if (!take_four_one(nq, &now, 0, how) || !take_four_one(nq, &now, 1, how) ||
				!take_four_one(nq, &now, 2, how) ||
				!take_four_one(nq, &now, 3, how))
			break;
	}
	return done;
}
#else
static vstate_inline uint16_t
take_fours(const struct vstate_net_vq *nq, const struct gathered *g, struct rte_mbuf *const *pkts,
		uint16_t n, const struct take_how *how)
{
	RTE_SET_USED(nq);
	RTE_SET_USED(g);
	RTE_SET_USED(pkts);
	RTE_SET_USED(n);
	RTE_SET_USED(how);
	return 0;
}
#endif

/* Copy @p n frames. @return number of frames before the first one with a bad header */
static vstate_inline uint16_t
take_frames(const struct vstate_net_vq *nq, const struct gathered *g, struct rte_mbuf *const *pkts,
		uint16_t n, const struct take_how how)
{
	uint16_t done = take_fours(nq, g, pkts, n, &how);

	/* The remaining frames, and again a group with a bad header. */
	for (; done < n; done++)
		if (!take_one(nq, pkts[done], g->hdr[done], g->data[done], g->len[done], &how))
			break;
	return done;
}

/**
 * Take up to @p n frames the fast way.
 * @param begin  hint of the first descriptor
 * @return number of frames taken
 */
static vstate_inline uint16_t
batch_take(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n,
		const struct vstate_hint *begin)
{
	struct vstate_vq *vq = &nq->vq;
	mbuf_words empty;
	const uint32_t hdr_len = nq->hdr_len;
	const struct gather_want want = gather_want(vq, 0, hdr_len, hdr_len + RTE_ETHER_HDR_LEN,
			hdr_len + RTE_MIN(nq->frame_max, (uint32_t)
				rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM));
	struct gathered g;
	uint32_t alike;
	uint16_t done;

	mbuf_words_make(&empty, nq, pool);
	/* The shadow is empty before a take. */
	g.used = vq->shadow;
	n = batch_gather(vq, &g, n, batch_most(nq, begin), &want);
	if (unlikely(g.len[0] > VSTATE_LARGE))
		n = batch_cut(&g, n);
	if (n == 0 || unlikely(!vstate_net_mbuf_get(pool, pkts, n))) {
		nq->nb_simple = 0;
		return 0;
	}
	batch_lengths(nq, &g, n);
	alike = nq->simple_alike ? g.len[0] : 0;
	if (nq->host_offloads && alike != 0)
		done = take_frames(nq, &g, pkts, n, (struct take_how){ true, alike, &empty });
	else if (nq->host_offloads)
		done = take_frames(nq, &g, pkts, n, (struct take_how){ true, 0, &empty });
	else if (alike != 0)
		done = take_frames(nq, &g, pkts, n, (struct take_how){ false, alike, &empty });
	else
		done = take_frames(nq, &g, pkts, n, (struct take_how){ false, 0, &empty });
	nq->nb_simple = done;
	vq->nb_shadow = done;
	if (unlikely(done < n))
		batch_undo(pkts, done, n, &empty);
	ring_avail_skip(vq, likely(done == g.nb) ? g.nb_descs :
			shadow_descs(vq, done, LAYOUT_PACKED), LAYOUT_PACKED);
	return done;
}

/* ---- to the driver ---- */

static vstate_inline bool
frame_is_plain(const struct rte_mbuf *m)
{
	return m->nb_segs == 1 && (m->ol_flags & VSTATE_TX_OFFLOADS) == 0;
}

/* Number of leading plain frames of which each fits its buffer. */
static vstate_inline uint16_t
batch_writable(const struct gathered *g, struct rte_mbuf *const *pkts, uint16_t n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (unlikely(!frame_is_plain(pkts[i]) || g->len[i] < pkts[i]->pkt_len))
			break;
	return i;
}

/*
 * Write a header without offloads: all fields are 0, and num_buffers, if there is one, is 1. A
 * header that a turn before left is not written again: DPDK's driver places headers in lines of
 * their own, and its core then keeps its copy of the line.
 */
static vstate_inline void
header_plain(uint8_t *p, const uint32_t hdr_len)
{
	/* num_buffers is the last field. */
	const uint64_t begin = 0, end = hdr_len == HDR_MAX ? rte_cpu_to_le_64(RTE_BIT64(48)) : 0;
	uint64_t old_begin, old_end;

	/* two words that overlap */
	memcpy(&old_begin, p, sizeof(old_begin));
	memcpy(&old_end, p + hdr_len - sizeof(end), sizeof(end));
	if (likely(((old_begin ^ begin) | (old_end ^ end)) == 0))
		return;
	memcpy(p, &begin, sizeof(begin));
	memcpy(p + hdr_len - sizeof(end), &end, sizeof(end));
}

/*
 * Copy one frame of @p len bytes to its buffer.
 * @param next  the buffer of the next frame, or NULL
 * @return bytes written
 */
static vstate_inline uint32_t
write_one(uint8_t *hdr, const struct rte_mbuf *m, const uint32_t len, const uint32_t hdr_len,
		const uint8_t *next)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);

	header_plain(hdr, hdr_len);
	if (unlikely(len > VSTATE_LARGE) && next != NULL)
		vstate_copy_large(hdr + hdr_len, frame, len, next, len);
	else
		vstate_copy(hdr + hdr_len, frame, len);
	return hdr_len + len;
}

#ifdef VSTATE_SIMD_FOUR
struct write_four {
	vstate_simd_four mbuf, hdr, used;
};

static vstate_inline struct write_four
write_four_load(const struct gathered *g, const struct vstate_used *shadow,
		struct rte_mbuf *const *pkts, unsigned int i)
{
	return (struct write_four){
		.mbuf = simd_four_load(&pkts[i]),
		.hdr = simd_four_load(&g->hdr[i]),
		.used = simd_four_load(&shadow[i]),
	};
}

static vstate_inline void
write_four_one(const struct write_four *w, const unsigned int k, struct vstate_used *shadow,
		const uint32_t alike, const uint32_t hdr_len, uint64_t next)
{
	const struct rte_mbuf *m = (const struct rte_mbuf *)(uintptr_t)w->mbuf[k];

	vstate_used_set(shadow, w->used[k] + write_one((uint8_t *)(uintptr_t)w->hdr[k], m,
			alike != 0 ? alike : m->pkt_len, hdr_len,
			(const uint8_t *)(uintptr_t)next));
}

/* Write frames in groups of four. @return number of frames written */
static vstate_inline uint16_t
write_fours(const struct gathered *g, struct vstate_used *shadow, struct rte_mbuf *const *pkts,
		uint16_t n, const uint32_t alike, const uint32_t hdr_len)
{
	struct write_four now, next;
	unsigned int i;

	if (n < VSTATE_SIMD_FOUR)
		return 0;
	next = write_four_load(g, shadow, pkts, 0);
	for (i = 0; i + VSTATE_SIMD_FOUR <= n; i += VSTATE_SIMD_FOUR) {
		now = next;
		next = write_four_load(g, shadow, pkts, simd_four_next(i, n));
		write_four_one(&now, 0, &shadow[i], alike, hdr_len, now.hdr[1]);
		write_four_one(&now, 1, &shadow[i + 1], alike, hdr_len, now.hdr[2]);
		write_four_one(&now, 2, &shadow[i + 2], alike, hdr_len, now.hdr[3]);
		/* behind the last frame this is a buffer that was written already */
		write_four_one(&now, 3, &shadow[i + 3], alike, hdr_len, next.hdr[0]);
	}
	return i;
}
#else
static vstate_inline uint16_t
write_fours(const struct gathered *g, struct vstate_used *shadow, struct rte_mbuf *const *pkts,
		uint16_t n, const uint32_t alike, const uint32_t hdr_len)
{
	RTE_SET_USED(g);
	RTE_SET_USED(shadow);
	RTE_SET_USED(pkts);
	RTE_SET_USED(n);
	RTE_SET_USED(alike);
	RTE_SET_USED(hdr_len);
	return 0;
}
#endif

/* Copy frames to their buffers. @p alike: the length of all frames, or 0 if lengths differ. */
static vstate_inline void
batch_write_hdr(const struct gathered *g, struct vstate_used *shadow, struct rte_mbuf *const *pkts,
		uint16_t n, const uint32_t alike, const uint32_t hdr_len)
{
	unsigned int i;

	for (i = write_fours(g, shadow, pkts, n, alike, hdr_len); i < n; i++)
		vstate_used_set(&shadow[i], vstate_used_word(&shadow[i]) +
				write_one(g->hdr[i], pkts[i],
					alike != 0 ? alike : pkts[i]->pkt_len, hdr_len,
					i + 1 < n ? g->hdr[i + 1] : NULL));
}

/* As batch_write_hdr(), with one instance for each length of a header. */
static vstate_inline void
batch_write(const struct gathered *g, struct vstate_used *shadow, struct rte_mbuf *const *pkts,
		uint16_t n, const uint32_t alike, const uint32_t hdr_len)
{
	if (likely(hdr_len == HDR_MAX))
		batch_write_hdr(g, shadow, pkts, n, alike, HDR_MAX);
	else
		batch_write_hdr(g, shadow, pkts, n, alike, sizeof(struct virtio_net_hdr));
}

/* Mark the buffers in the dirty log. Buffers in the same page as the one before mark it once. */
static void
batch_dirty(struct vstate_vq *vq, const struct gathered *g, const struct vstate_used *shadow,
		uint16_t n)
{
	uint64_t gpa, noted = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < n; i++) {
		gpa = vstate_window_gpa(&vq->win, g->hdr[i]);
		if (gpa >> VSTATE_DIRTY_PAGE_SHIFT == noted &&
				(gpa + shadow[i].len - 1) >> VSTATE_DIRTY_PAGE_SHIFT == noted)
			continue;
		vstate_dirty_mark(&vq->dirty, gpa, shadow[i].len);
		noted = (gpa + shadow[i].len - 1) >> VSTATE_DIRTY_PAGE_SHIFT;
	}
}

/* Count frames of several lengths. */
static void
batch_count(struct vstate_net_vq *nq, struct rte_mbuf *const *pkts, uint16_t n)
{
	struct size_run run = { .counters = &nq->counters };
	unsigned int i;

	for (i = 0; i < n; i++) {
		nq->counters.bytes += pkts[i]->pkt_len;
		size_run_add(&run, pkts[i]->pkt_len);
	}
	size_run_end(&run);
	nq->counters.packets += n;
}

/**
 * Put up to @p n frames the fast way, and count them.
 * @param look  VSTATE_NET_MBUF_* of these frames
 * @return number of frames put
 */
static vstate_inline uint16_t
batch_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	struct vstate_vq *vq = &nq->vq;
	/* 0: the lengths differ. No application sends an empty frame. */
	const uint32_t alike = look & VSTATE_NET_MBUF_ALIKE ? pkts[0]->pkt_len : 0;
	const struct gather_want want = gather_want(vq, VRING_DESC_F_WRITE, nq->hdr_len,
			nq->hdr_len + alike, UINT32_MAX);
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	struct gathered g;

	/* before buffers are gathered in vain */
	if (unlikely(alike == 0) && !frame_is_plain(pkts[0]))
		return 0;
	g.used = shadow;
	n = batch_gather_wanted(vq, &g, RTE_MIN(n, VSTATE_SHADOW - vq->nb_shadow), &want);
	if (unlikely(alike == 0))
		n = batch_writable(&g, pkts, n);
	if (unlikely(n == 0))
		return 0;
	if (likely(alike != 0))
		batch_write(&g, shadow, pkts, n, alike, want.hdr_len);
	else
		batch_write(&g, shadow, pkts, n, 0, want.hdr_len);
	if (unlikely(vq->dirty.base != NULL))
		batch_dirty(vq, &g, shadow, n);
	vq->nb_shadow += n;
	/* each of these buffers has one descriptor */
	ring_avail_skip(vq, n, LAYOUT_PACKED);
	if (likely(alike != 0))
		count_alike(nq, alike, n);
	else
		batch_count(nq, pkts, n);
	return n;
}

/* Usual minimum length of a mergeable buffer: determines how many buffers are gathered. */
#define MERGE_BUFFER 1024
/* Bytes of the next buffer that are prefetched. The processor prefetches the rest. */
#define MERGE_AHEAD 512

/* Number of leading buffers that hold one header and @p len bytes. 0: too few buffers. */
static vstate_inline uint16_t
merge_buffers(const struct gathered *g, uint16_t n, uint32_t len, uint32_t hdr_len)
{
	uint64_t room = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		room += i == 0 ? g->len[0] : g->len[i] + hdr_len;
		if (room >= len)
			return i + 1;
	}
	return 0;
}

/**
 * Put one frame of any number of segments into as many plain buffers as it needs.
 * @return false: nothing changed, the general code must put the frame
 */
static vstate_inline bool
merge_put(struct vstate_net_vq *nq, const struct rte_mbuf *m, struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	struct vstate_vq *vq = &nq->vq;
	const struct gather_want want = gather_want(vq, VRING_DESC_F_WRITE, nq->hdr_len,
			HDR_MAX, UINT32_MAX);
	struct vstate_used *shadow = &vq->shadow[vq->nb_shadow];
	uint32_t left = m->pkt_len, off = 0, room, len;
	const struct rte_mbuf *seg = m;
	struct gathered g;
	const uint8_t *from;
	uint16_t n, i;
	uint8_t *p;

	n = RTE_MIN(VSTATE_BURST, VSTATE_SHADOW - vq->nb_shadow);
	g.used = shadow;
	n = batch_gather_wanted(vq, &g, RTE_MIN(n, left / MERGE_BUFFER + 2), &want);
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
			if (len > MERGE_AHEAD && len == room && i + 1 < n)
				vstate_copy_large(p, from, len, g.hdr[i + 1], MERGE_AHEAD);
			else
				vstate_copy(p, from, len);
		}
	}
	if (unlikely(vq->dirty.base != NULL))
		batch_dirty(vq, &g, shadow, n);
	vq->nb_shadow += n;
	ring_avail_skip(vq, n, LAYOUT_PACKED);
	return true;
}

#endif /* VSTATE_NET_BATCH_H */

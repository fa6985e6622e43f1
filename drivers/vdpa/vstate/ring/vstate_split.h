/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SPLIT_H
#define VSTATE_SPLIT_H

/**
 * @file
 * Split rings (VIRTIO 1.4 "Split Virtqueues"). Indices run freely over 16 bits; the
 * place in the ring is the index modulo the size, which is a power of two.
 */

#include <stddef.h>

#include <linux/virtio_ring.h>

#include "vstate_isa.h"
#include "vstate_chain.h"

#define LAYOUT_PACKED 0
#define LAYOUT_OPS vstate_split_ops

/*
 * Buffers that the driver made available, up to @p max. Those that it has not got back count
 * as well: more than the ring holds would be written as used behind its end.
 */
static __rte_always_inline uint16_t
ring_count(struct vstate_vq *vq, uint16_t max)
{
	/* Acquire: the ring entries and descriptors are read after the index that
	 * announces them. Partner: the driver's barrier before it stores avail->idx.
	 */
	uint16_t idx = rte_le_to_cpu_16(__atomic_load_n(&vq->split.avail->idx, __ATOMIC_ACQUIRE));
	uint16_t nb = vstate_split_distance(idx, vq->avail.idx);
	uint16_t room = vq->size - vstate_split_distance(vq->avail.idx, vq->used.idx);

	if (unlikely(nb > room)) {
		vstate_vq_break(vq, VSTATE_FAULT_AVAIL_DISTANCE);
		return 0;
	}
	return RTE_MIN(nb, max);
}

static __rte_always_inline int
ring_peek(struct vstate_vq *vq, struct vstate_chain *c, uint16_t direction)
{
	struct vstate_desc d;
	uint16_t head;

	if (ring_count(vq, 1) == 0)
		return vq->fault != VSTATE_FAULT_NONE ? -1 : 0;
	head = rte_le_to_cpu_16(__atomic_load_n(
			&vq->split.avail->ring[vq->avail.idx & (vq->size - 1)], __ATOMIC_RELAXED));
	if (unlikely(head >= vq->size)) {
		vstate_vq_break(vq, VSTATE_FAULT_HEAD_RANGE);
		return -1;
	}
	vstate_desc_read(&d, &vq->split.desc[head], false);
	if (unlikely(!vstate_chain_begin(vq, c, &d, direction, false)))
		return -1;
	c->id = head;
	return 1;
}

static __rte_always_inline void
ring_take(struct vstate_vq *vq, const struct vstate_chain *c)
{
	RTE_SET_USED(c);
	vq->avail.idx++;
}

/* Note the used elements [from, from + n) in the dirty log, n <= size. */
static void
used_dirty(struct vstate_vq *vq, uint16_t from, uint16_t n)
{
	const size_t ring = offsetof(struct vring_used, ring);
	const size_t elem = sizeof(struct vring_used_elem);
	uint16_t at = from & (vq->size - 1);
	uint16_t first = RTE_MIN(n, (uint16_t)(vq->size - at));

	vstate_dirty_mark(&vq->dirty, vq->used_gpa + ring + at * elem, first * elem);
	vstate_dirty_mark(&vq->dirty, vq->used_gpa + ring, (n - first) * elem);
	/* flags and index */
	vstate_dirty_mark(&vq->dirty, vq->used_gpa, ring);
}

/* Used elements {le32 id; le32 len}, each written as one word; read only after used->idx is. */
static __rte_always_inline void
used_write(struct vring_used_elem *elem, const struct vstate_used *shadow, uint16_t n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint64_t word = vstate_used_word(&shadow[i]);

		word = rte_cpu_to_le_64((word >> 32 & UINT16_MAX) | word << 32);
		memcpy(&elem[i], &word, sizeof(word));
	}
}

static __rte_always_inline void
ring_publish(struct vstate_vq *vq, struct vstate_pos end)
{
	struct vring_used *used = vq->split.used;
	const struct vstate_used *shadow = vq->shadow;
	const uint16_t mask = vq->size - 1, start = vq->used.idx, n = vq->nb_shadow;
	unsigned int i;

	RTE_SET_USED(end);
	/* Up to the end of the ring, and from its beginning. */
	i = RTE_MIN(n, (uint16_t)(vq->size - (start & mask)));
	used_write(&used->ring[start & mask], shadow, i);
	used_write(used->ring, shadow + i, n - i);
	if (unlikely(vq->dirty.base != NULL))
		used_dirty(vq, vq->used.idx, vq->nb_shadow);
	vq->used.idx += vq->nb_shadow;
	/* Release: frames and used elements are written before the index that announces
	 * them. Partner: the driver's barrier after it loads used->idx.
	 */
	__atomic_store_n(&used->idx, rte_cpu_to_le_16(vq->used.idx), __ATOMIC_RELEASE);
}

static __rte_always_inline void
ring_record(struct vstate_vq *vq)
{
	vstate_inflight_head_used(vq->inflight_head, vq->used.idx);
}

/* Whether the driver wants a call for used indices (old, now] (VIRTIO "Used Buffer
 * Notification Suppression").
 */
static __rte_always_inline bool
call_wanted(struct vstate_vq *vq, uint16_t old)
{
	uint16_t event, now = vq->used.idx;

	if (!vq->event_idx)
		return !(rte_le_to_cpu_16(__atomic_load_n(&vq->split.avail->flags,
				__ATOMIC_RELAXED)) & VRING_AVAIL_F_NO_INTERRUPT);

	if (unlikely(!vq->signalled_valid)) {
		/* after a start nobody knows what the driver last heard */
		vq->signalled_valid = true;
		vq->signalled_used = now;
		return true;
	}
	old = vq->signalled_used;
	vq->signalled_used = now;
	event = rte_le_to_cpu_16(__atomic_load_n(&vq->split.avail->ring[vq->size],
			__ATOMIC_RELAXED));
	return vstate_split_event_passed(event, now, old);
}

static __rte_always_inline struct vstate_hint
ring_begin(const struct vstate_vq *vq)
{
	const struct vring_desc *d;
	uint16_t head;

	head = rte_le_to_cpu_16(__atomic_load_n(&vq->split.avail->ring[vq->avail.idx &
			(vq->size - 1)], __ATOMIC_RELAXED));
	if (unlikely(head >= vq->size))
		return (struct vstate_hint){ 0 };
	d = &vq->split.desc[head];
	return (struct vstate_hint){
		.len = rte_le_to_cpu_32(__atomic_load_n(&d->len, __ATOMIC_RELAXED)),
		.flags = rte_le_to_cpu_16(__atomic_load_n(&d->flags, __ATOMIC_RELAXED)),
	};
}

#include "net/vstate_net_burst.h"

/* One buffer of which the head is read. False: not wanted. */
static __rte_always_inline bool
gather_one(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
		const struct gather_want *want, uint16_t head)
{
	struct vstate_desc d, next;

	if (unlikely(head >= vq->size))
		return false;
	vstate_desc_read(&d, &vq->split.desc[head], false);
	vstate_used_set(&g->used[i], gather_used(head, 1));
	if (likely((d.flags & GATHER_KIND) == want->direction))
		return gather_plain(g, i, want, d.addr, d.len);
	if (want->direction != 0)
		return false;
	if ((d.flags & GATHER_KIND) == VRING_DESC_F_INDIRECT)
		return vq->indirect && gather_indirect(g, i, want, &d, false);
	if ((d.flags & GATHER_KIND) != VRING_DESC_F_NEXT || d.link >= vq->size)
		return false;
	vstate_desc_read(&next, &vq->split.desc[d.link], false);
	return (next.flags & GATHER_KIND) == 0 && gather_two(g, i, want, &d, &next);
}

#ifdef VSTATE_SIMD_LANES
/* A group of buffers whose heads lie at @p ring. @return leading ones that are wanted */
static __rte_always_inline uint16_t
gather_group(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
		const struct gather_want *want, const uint16_t *ring)
{
	const vstate_simd kind = simd_all((uint64_t)GATHER_KIND << 32);
	const vstate_simd plain = simd_all((uint64_t)want->direction << 32);
	const __m128i heads = simd_16_load(ring);
	uint32_t at[VSTATE_SIMD_LANES];
	vstate_simd addr, tail, used;

	RTE_BUILD_BUG_ON(sizeof(struct vring_desc) != 16);
	if (unlikely(simd_16_any_above(heads, vq->size - 1)))
		return 0;
	simd_16_store_times_16(at, heads);
	simd_load_pairs_at(vq->split.desc, at, &addr, &tail);
	used = simd_or(simd_16_up_32(heads), simd_all(gather_used(0, 1)));
	return gather_lanes(g, i, want, addr, simd_and(tail, simd_all(UINT32_MAX)), used,
			simd_differ(simd_and(tail, kind), plain));
}
#endif

static __rte_always_inline uint16_t
ring_gather(struct vstate_vq *vq, struct gathered *g, uint16_t n, const struct gather_want *want)
{
	const unsigned int size = vq->size, mask = size - 1;
	const uint16_t *ring = vq->split.avail->ring;
	unsigned int i = 0, nb, at = vq->avail.idx & mask;

	if (unlikely(want->max < want->min))
		return 0;
	nb = ring_count(vq, n);
#ifdef VSTATE_SIMD_LANES
	while (nb - i >= VSTATE_SIMD_LANES && size - at >= VSTATE_SIMD_LANES) {
		unsigned int got = gather_group(vq, g, i, want, &ring[at]);

		i += got;
		at = (at + got) & mask;
		if (got < VSTATE_SIMD_LANES)
			break;
	}
#endif
	for (; i < nb; i++, at = (at + 1) & mask)
		if (!gather_one(vq, g, i, want, rte_le_to_cpu_16(
				__atomic_load_n(&ring[at], __ATOMIC_RELAXED))))
			break;
	g->nb = g->nb_descs = i;
	return i;
}

static __rte_always_inline void
ring_skip(struct vstate_vq *vq, uint16_t n)
{
	vq->avail.idx += n;
}

static __rte_always_inline void
ring_look(struct vstate_vq *vq)
{
	vq->look_at = &vq->split.avail->idx;
	vq->look_mask = UINT16_MAX;
	vq->look_value = rte_cpu_to_le_16(vq->avail.idx);
}

static uint16_t
ring_waiting(const struct vstate_vq *vq)
{
	/* The poll thread moves on meanwhile: a distance too large is an old look. */
	uint16_t nb = rte_le_to_cpu_16(__atomic_load_n(&vq->split.avail->idx, __ATOMIC_ACQUIRE)) -
		__atomic_load_n(&vq->avail.idx, __ATOMIC_RELAXED);

	return RTE_MIN(nb, vq->size);
}

static __rte_always_inline void
ring_quiet(struct vstate_vq *vq)
{
	if (vq->event_idx) {
		/* As far away as an index can be: a kick every 65536 buffers. */
		__atomic_store_n((uint16_t *)(void *)&vq->split.used->ring[vq->size],
				rte_cpu_to_le_16(vq->avail.idx - 1), __ATOMIC_RELAXED);
		vstate_vq_dirty(vq, vq->used_gpa + offsetof(struct vring_used, ring) +
				vq->size * sizeof(struct vring_used_elem), sizeof(uint16_t));
	} else {
		__atomic_store_n(&vq->split.used->flags,
				rte_cpu_to_le_16(VRING_USED_F_NO_NOTIFY), __ATOMIC_RELAXED);
		vstate_vq_dirty(vq, vq->used_gpa, sizeof(uint16_t));
	}
}

#include "net/vstate_net_burst_ops.h"

#endif /* VSTATE_SPLIT_H */

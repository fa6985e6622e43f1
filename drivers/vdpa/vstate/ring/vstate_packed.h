/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PACKED_H
#define VSTATE_PACKED_H

/**
 * @file
 * Packed rings (VIRTIO 1.4 "Packed Virtqueues"). Descriptors are made available and
 * used in place; which of the two a descriptor is, its flags tell together with a wrap
 * counter that changes at each turn of the ring.
 */

#include <linux/virtio_ring.h>

#include "vstate_isa.h"
#include "vstate_chain.h"

#define LAYOUT_PACKED 1
#define LAYOUT_OPS vstate_packed_ops

#define DESC_AVAIL RTE_BIT32(VRING_PACKED_DESC_F_AVAIL)
#define DESC_USED RTE_BIT32(VRING_PACKED_DESC_F_USED)

static __rte_always_inline bool
desc_is_avail(uint16_t flags, uint8_t wrap)
{
	return !!(flags & DESC_AVAIL) == wrap && !!(flags & DESC_USED) != wrap;
}

static __rte_always_inline bool
pos_is_avail(const struct vstate_vq *vq, const struct vstate_pos *pos)
{
	/* Acquire: the other fields, and the rest of the chain, are read after the flags
	 * that announce them. Partner: the driver's barrier before it stores the flags.
	 */
	uint16_t flags = rte_le_to_cpu_16(__atomic_load_n(&vq->packed.desc[pos->idx].flags,
			__ATOMIC_ACQUIRE));

	return desc_is_avail(flags, pos->wrap);
}

/* Whether there is anything: the number of buffers is not known before they are walked. */
static __rte_always_inline uint16_t
ring_count(const struct vstate_vq *vq, uint16_t max)
{
	struct vstate_pos pos = vq->avail;
	unsigned int i;

	for (i = 0; i < max && pos_is_avail(vq, &pos); i++)
		vstate_pos_step(&pos, 1, vq->size);
	return i;
}

/* Descriptors that can be available; one that the driver has not got back is not. */
static __rte_always_inline uint16_t
ring_room(const struct vstate_vq *vq)
{
	return vstate_pos_room(vq->avail, vq->used, vq->size);
}

static __rte_always_inline int
ring_peek(struct vstate_vq *vq, struct vstate_chain *c, uint16_t direction)
{
	const uint16_t room = ring_room(vq);
	struct vstate_desc d;

	if (room == 0 || !pos_is_avail(vq, &vq->avail))
		return 0;
	vstate_desc_read(&d, &vq->packed.desc[vq->avail.idx], true);
	c->pos = vq->avail;
	c->id = d.link;
	if (unlikely(!vstate_chain_begin(vq, c, &d, direction, true)))
		return -1;
	if (c->table_size == 0)
		c->left = room - 1;
	return 1;
}

static __rte_always_inline void
ring_take(struct vstate_vq *vq, const struct vstate_chain *c)
{
	vstate_pos_step(&vq->avail, c->num, vq->size);
}

static __rte_always_inline uint16_t
used_flags(uint8_t wrap, uint32_t len)
{
	uint16_t flags = wrap ? DESC_AVAIL | DESC_USED : 0;

	return len != 0 ? flags | VRING_DESC_F_WRITE : flags;
}

/*
 * The last eight bytes of a descriptor, {le32 len; le16 id; le16 flags}, as one word: read
 * and written whole, so that a used descriptor costs one store.
 */
static __rte_always_inline uint64_t *
desc_tail(struct vring_packed_desc *d)
{
	return (uint64_t *)(void *)&d->len;
}

/*
 * Write all used descriptors but the first, down from @p end. The driver looks at used
 * descriptors in order, so that all but the first may be written in any order, before the
 * first one's flags show them. From the last one down, as a process that is killed here
 * leaves whole chains up to some place, and from there on used descriptors only.
 */
static __rte_always_inline void
rest_write(struct vstate_vq *vq, struct vstate_pos end)
{
	struct vring_packed_desc *ring = vq->packed.desc;
	const struct vstate_used *shadow = vq->shadow;
	const uint16_t size = vq->size;
	uint64_t flags = (uint64_t)used_flags(end.wrap, shadow[0].len) << 48;
	int32_t idx = end.idx;
	unsigned int i;

	for (i = vq->nb_shadow - 1; i > 0; i--) {
		uint64_t word = vstate_used_word(&shadow[i]);

		idx -= word >> 48;
		if (unlikely(idx < 0)) {
			idx += size;
			flags = (uint64_t)used_flags(!end.wrap, shadow[0].len) << 48;
		}
		word = rte_cpu_to_le_64((word & (RTE_BIT64(48) - 1)) | flags);
		__atomic_store_n(desc_tail(&ring[idx]), word, __ATOMIC_RELAXED);
		rte_compiler_barrier(); /* in this order, see vstate_inflight_layout.h */
	}
}

/* Note the used descriptors [old, now), of which there is one, in the dirty log. */
static void
used_dirty(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now)
{
	const uint64_t desc = sizeof(struct vring_packed_desc);

	if (old.wrap == now.wrap) {
		vstate_dirty_mark(&vq->dirty, vq->used_gpa + old.idx * desc,
				(now.idx - old.idx) * desc);
		return;
	}
	vstate_dirty_mark(&vq->dirty, vq->used_gpa + old.idx * desc,
			(vq->size - old.idx) * desc);
	vstate_dirty_mark(&vq->dirty, vq->used_gpa, now.idx * desc);
}

static __rte_always_inline void
ring_publish(struct vstate_vq *vq, struct vstate_pos now)
{
	const uint64_t first = vstate_used_word(&vq->shadow[0]);
	const uint64_t flags = used_flags(vq->used.wrap, first);
	const struct vstate_pos old = vq->used;

	vstate_inflight_head_step(vq->inflight_head, old, now); /* W1 */
	rest_write(vq, now); /* W2 */
	/* Release: frames and all other used descriptors are written before the flags that
	 * announce them. Partner: the driver's barrier after it loads the flags.
	 */
	__atomic_store_n(desc_tail(&vq->packed.desc[old.idx]),
			rte_cpu_to_le_64((first & (RTE_BIT64(48) - 1)) | flags << 48),
			__ATOMIC_RELEASE);
	/* Only now: a full cache puts its words into the log before all are noted. */
	if (unlikely(vq->dirty.base != NULL))
		used_dirty(vq, old, now);
	vq->used = now;
}

/* W3 */
static __rte_always_inline void
ring_record(struct vstate_vq *vq)
{
	vstate_inflight_head_step(vq->inflight_head, vq->used, vq->used);
}

/* Whether the driver wants a call for what was published from @p old on. */
static __rte_always_inline bool
call_wanted(struct vstate_vq *vq, uint16_t old)
{
	uint16_t flags, off_wrap;

	flags = rte_le_to_cpu_16(__atomic_load_n(&vq->packed.driver->flags, __ATOMIC_ACQUIRE));
	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !vq->event_idx)
		return true;

	if (unlikely(!vq->signalled_valid)) {
		vq->signalled_valid = true;
		return true;
	}
	off_wrap = rte_le_to_cpu_16(__atomic_load_n(&vq->packed.driver->off_wrap,
			__ATOMIC_RELAXED));
	return vstate_packed_event_passed(off_wrap, vq->used, old, vq->size);
}

static __rte_always_inline struct vstate_hint
ring_begin(const struct vstate_vq *vq)
{
	const struct vring_packed_desc *d = &vq->packed.desc[vq->avail.idx];

	return (struct vstate_hint){
		.len = rte_le_to_cpu_32(__atomic_load_n(&d->len, __ATOMIC_RELAXED)),
		.flags = rte_le_to_cpu_16(__atomic_load_n(&d->flags, __ATOMIC_RELAXED)),
	};
}

#include "net/vstate_net_burst.h"

/* Flags of an available descriptor that are looked at in a batch. */
#define GATHER_FLAGS (DESC_AVAIL | DESC_USED | GATHER_KIND)

/*
 * One buffer whose first descriptor is at @p pos, of up to @p left. @return descriptors, or 0
 * if it is not there or not wanted
 */
static __rte_always_inline uint16_t
gather_one(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
		const struct gather_want *want, struct vstate_pos pos, uint16_t left)
{
	struct vring_packed_desc *p = &vq->packed.desc[pos.idx];
	/* Acquire: see pos_is_avail(). */
	const uint64_t tail = rte_le_to_cpu_64(__atomic_load_n(desc_tail(p), __ATOMIC_ACQUIRE));
	const uint16_t flags = (tail >> 48 & GATHER_FLAGS) ^ (pos.wrap ? DESC_AVAIL : DESC_USED);
	struct vstate_desc d = {
		.addr = rte_le_to_cpu_64(__atomic_load_n(&p->addr, __ATOMIC_RELAXED)),
		.len = tail,
	}, next;

	vstate_used_set(&g->used[i], gather_used(tail >> 32, 1));
	if (likely(flags == want->direction))
		return gather_plain(g, i, want, d.addr, d.len);
	if (want->direction != 0)
		return 0;
	if (flags == VRING_DESC_F_INDIRECT)
		return vq->indirect && gather_indirect(g, i, want, &d, true);
	if (flags != VRING_DESC_F_NEXT || left < 2)
		return 0;
	vstate_pos_step(&pos, 1, vq->size);
	vstate_desc_read(&next, &vq->packed.desc[pos.idx], true);
	/* The buffer ID is that of the last descriptor. */
	vstate_used_set(&g->used[i], gather_used(next.link, 2));
	return (next.flags & GATHER_KIND) == 0 && gather_two(g, i, want, &d, &next) ? 2 : 0;
}

#ifdef VSTATE_SIMD_LANES
/*
 * A group of descriptors, by whole cache lines. They are read twice. The first look only finds
 * out whether they are there, as the acquire in pos_is_avail() does: x86 keeps loads in order,
 * so that the second, which is the one that counts, sees all of what is there. @return
 * leading ones that are wanted
 */
static __rte_always_inline uint16_t
gather_group(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
		const struct gather_want *want, struct vstate_pos pos)
{
	const struct vring_packed_desc *p = &vq->packed.desc[pos.idx];
	const uint64_t there = pos.wrap ? DESC_AVAIL : DESC_USED;
	const vstate_simd look = simd_all((uint64_t)GATHER_FLAGS << 48);
	const vstate_simd plain = simd_all((there | want->direction) << 48);
	vstate_simd addr, tail, used;
	uint32_t bad;

	simd_load_pairs(p, &addr, &tail);
	bad = simd_differ(simd_and(tail, look), plain);
	rte_compiler_barrier();
	simd_load_pairs(p, &addr, &tail);
	bad |= simd_differ(simd_and(tail, look), plain);
	used = simd_or(simd_and(tail, simd_all(gather_used(UINT16_MAX, 0))),
			simd_all(gather_used(0, 1)));
	return gather_lanes(g, i, want, addr, simd_and(tail, simd_all(UINT32_MAX)), used, bad);
}
#endif

static __rte_always_inline uint16_t
ring_gather(struct vstate_vq *vq, struct gathered *g, uint16_t n, const struct gather_want *want)
{
	const unsigned int size = vq->size, room = ring_room(vq);
	struct vstate_pos pos = vq->avail;
	unsigned int i = 0, nb, num, left = room;

	if (unlikely(want->max < want->min))
		return 0;
	nb = RTE_MIN(n, room);
#ifdef VSTATE_SIMD_LANES
	while (nb - i >= VSTATE_SIMD_LANES && size - pos.idx >= VSTATE_SIMD_LANES) {
		num = gather_group(vq, g, i, want, pos);
		i += num;
		left -= num;
		vstate_pos_step(&pos, num, size);
		if (num < VSTATE_SIMD_LANES)
			break;
	}
#endif
	for (; i < nb && left > 0; i++) {
		num = gather_one(vq, g, i, want, pos, left);
		if (num == 0)
			break;
		left -= num;
		vstate_pos_step(&pos, num, size);
	}
	g->nb = i;
	g->nb_descs = room - left;
	return i;
}

static __rte_always_inline void
ring_skip(struct vstate_vq *vq, uint16_t n)
{
	vstate_pos_step(&vq->avail, n, vq->size);
}

static __rte_always_inline void
ring_look(struct vstate_vq *vq)
{
	vq->look_at = &vq->packed.desc[vq->avail.idx].flags;
	/* As it is until the driver writes it; what USED says does not matter then. */
	vq->look_mask = rte_cpu_to_le_16(DESC_AVAIL);
	vq->look_value = rte_cpu_to_le_16(vq->avail.wrap ? 0 : DESC_AVAIL);
}

static uint16_t
ring_waiting(const struct vstate_vq *vq)
{
	return ring_count(vq, vq->size);
}

static __rte_always_inline void
ring_quiet(struct vstate_vq *vq)
{
	__atomic_store_n(&vq->packed.device->flags,
			rte_cpu_to_le_16(VRING_PACKED_EVENT_FLAG_DISABLE), __ATOMIC_RELAXED);
	vstate_vq_dirty(vq, vq->event_gpa, sizeof(struct vring_packed_desc_event));
}

#include "net/vstate_net_burst_ops.h"

#endif /* VSTATE_PACKED_H */

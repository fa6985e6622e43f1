/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PACKED_GATHER_H
#define VSTATE_PACKED_GATHER_H

/** @file Gather the leading buffers of a packed ring, see vstate_gather.h. */

#include "vstate_compat.h"
#include "vstate_gather.h"
#include "vstate_packed.h"

/* Flags of an available descriptor that a batch checks. */
#define GATHER_FLAGS (DESC_AVAIL | DESC_USED | GATHER_KIND)

/*
 * Gather the buffer whose first descriptor is at @p pos, of up to @p left descriptors.
 * @return number of its descriptors, or 0 if the buffer is not available or not wanted
 */
static vstate_inline uint16_t
packed_gather_one(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
		const struct gather_want *want, struct vstate_pos pos, uint16_t left)
{
	struct vring_packed_desc *p = &vq->packed.desc[pos.idx];
	/* Acquire: see packed_pos_is_avail(). */
	const uint64_t tail = rte_le_to_cpu_64(rte_atomic_load_explicit(packed_desc_tail(p),
			rte_memory_order_acquire));
	const uint16_t flags = (tail >> 48 & GATHER_FLAGS) ^ (pos.wrap ? DESC_AVAIL : DESC_USED);
	struct vstate_desc d = {
		.addr = rte_le_to_cpu_64(rte_atomic_load_explicit(&p->addr,
				rte_memory_order_relaxed)),
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
 * Gather one descriptor for each lane, in whole cache lines. The descriptors are read twice. The
 * first read only checks that they are available, like the acquire in packed_pos_is_avail(). x86
 * does not reorder loads. So the second read, whose values are used, sees all fields of an
 * available descriptor. @return as gather_lanes()
 */
static vstate_inline uint16_t
packed_gather_group(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
		const struct gather_want *want, struct vstate_pos pos)
{
	const struct vring_packed_desc *p = &vq->packed.desc[pos.idx];
	const uint64_t avail = pos.wrap ? DESC_AVAIL : DESC_USED;
	const vstate_simd checked = simd_all((uint64_t)GATHER_FLAGS << 48);
	const vstate_simd plain = simd_all((avail | want->direction) << 48);
	vstate_simd addr, tail, used;
	uint32_t bad;

	simd_load_pairs(p, &addr, &tail);
	bad = simd_differ(simd_and(tail, checked), plain);
	rte_compiler_barrier();
	simd_load_pairs(p, &addr, &tail);
	bad |= simd_differ(simd_and(tail, checked), plain);
	used = simd_or(simd_and(tail, simd_all(gather_used(UINT16_MAX, 0))),
			simd_all(gather_used(0, 1)));
	return gather_lanes(g, i, want, addr, simd_and(tail, simd_all(UINT32_MAX)), used, bad);
}
#endif

/* Gather up to @p n wanted leading buffers. vq->avail does not move. @return their number */
static vstate_inline uint16_t
packed_gather(struct vstate_vq *vq, struct gathered *g, uint16_t n, const struct gather_want *want)
{
	const unsigned int size = vq->size, room = packed_avail_room(vq);
	struct vstate_pos pos = vq->avail;
	unsigned int i = 0, nb, num, left = room;

	if (unlikely(want->max < want->min))
		return 0;
	nb = RTE_MIN(n, room);
#ifdef VSTATE_SIMD_LANES
	while (nb - i >= VSTATE_SIMD_LANES && size - pos.idx >= VSTATE_SIMD_LANES) {
		num = packed_gather_group(vq, g, i, want, pos);
		i += num;
		left -= num;
		vstate_pos_step(&pos, num, size);
		if (num < VSTATE_SIMD_LANES)
			break;
	}
#endif
	for (; i < nb && left > 0; i++) {
		num = packed_gather_one(vq, g, i, want, pos, left);
		if (num == 0)
			break;
		left -= num;
		vstate_pos_step(&pos, num, size);
	}
	g->nb = i;
	g->nb_descs = room - left;
	return i;
}

#endif /* VSTATE_PACKED_GATHER_H */

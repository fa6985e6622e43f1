/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SPLIT_GATHER_H
#define VSTATE_SPLIT_GATHER_H

/** @file Gather the leading buffers of a split ring, see vstate_gather.h. */

#include "vstate_compat.h"
#include "vstate_gather.h"
#include "vstate_split.h"

/* Gather the buffer of descriptor @p head. False: not wanted. */
static vstate_inline bool
split_gather_one(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
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
/* Gather one buffer for each lane, with the heads at @p ring. @return as gather_lanes() */
static vstate_inline uint16_t
split_gather_group(const struct vstate_vq *vq, struct gathered *g, unsigned int i,
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

/* Gather up to @p n wanted leading buffers. vq->avail does not move. @return their number */
static vstate_inline uint16_t
split_gather(struct vstate_vq *vq, struct gathered *g, uint16_t n, const struct gather_want *want)
{
	const unsigned int size = vq->size, mask = size - 1;
	const uint16_t *ring = vq->split.avail->ring;
	unsigned int i = 0, nb, at = vq->avail.idx & mask;

	if (unlikely(want->max < want->min))
		return 0;
	nb = split_avail_count(vq, n);
#ifdef VSTATE_SIMD_LANES
	while (nb - i >= VSTATE_SIMD_LANES && size - at >= VSTATE_SIMD_LANES) {
		unsigned int got = split_gather_group(vq, g, i, want, &ring[at]);

		i += got;
		at = (at + got) & mask;
		if (got < VSTATE_SIMD_LANES)
			break;
	}
#endif
	for (; i < nb; i++, at = (at + 1) & mask)
		if (!split_gather_one(vq, g, i, want, rte_le_to_cpu_16(
				rte_atomic_load_explicit(&ring[at], rte_memory_order_relaxed))))
			break;
	g->nb = g->nb_descs = i;
	return i;
}

#endif /* VSTATE_SPLIT_GATHER_H */

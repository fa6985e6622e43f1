/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_POS_H
#define VSTATE_POS_H

/**
 * @file
 * Index arithmetic of both ring layouts, and nothing else: no memory, no threads. What
 * stands here is exhausted by vstate-pos-autotest against counters that never wrap.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "vstate_compat.h"

/** A place in the ring: where the device resumes. */
struct vstate_pos {
	uint16_t idx;
	/** Packed: wrap counter, 0 or 1. Split: 0. */
	uint8_t wrap;
};

/** Step to a later place of a packed ring, @p n <= @p size <= 32768. */
static vstate_inline void
vstate_pos_step(struct vstate_pos *pos, uint16_t n, uint16_t size)
{
	/* 32767 + 32768 at most */
	uint32_t idx = (uint32_t)pos->idx + n;

	if (idx >= size) {
		idx -= size;
		pos->wrap ^= 1;
	}
	pos->idx = idx;
}

/** As vhost-user has it in a base, of a packed ring: 15 bits, and the wrap counter. */
static inline uint16_t
vstate_pos_wire(struct vstate_pos pos)
{
	return (pos.idx & 0x7fff) | pos.wrap << 15;
}

static vstate_inline bool
vstate_pos_same(struct vstate_pos a, struct vstate_pos b)
{
	return a.idx == b.idx && a.wrap == b.wrap;
}

/** Packed: whether a ring of @p size has such a place. */
static inline bool
vstate_pos_inside(struct vstate_pos pos, uint16_t size)
{
	return pos.idx < size && pos.wrap <= 1;
}

/** The reverse of vstate_pos_step(). */
static vstate_inline void
vstate_pos_step_back(struct vstate_pos *pos, uint16_t n, uint16_t size)
{
	if (pos->idx < n) {
		pos->idx += size - n;
		pos->wrap ^= 1;
	} else {
		pos->idx -= n;
	}
}

/** Packed: descriptors from @p behind on to @p ahead, less than 2 * @p size. */
static inline uint32_t
vstate_pos_distance(struct vstate_pos ahead, struct vstate_pos behind, uint16_t size)
{
	uint32_t turn = ahead.wrap != behind.wrap ? size : 0;

	return (2u * size + ahead.idx - behind.idx + turn) % (2u * size);
}

/**
 * Packed: descriptors that a driver may have made available from @p avail on, as long as those
 * from @p used up to there are not given back to it; @p avail is ahead by at most @p size.
 */
static vstate_inline uint16_t
vstate_pos_room(struct vstate_pos avail, struct vstate_pos used, uint16_t size)
{
	return (avail.wrap == used.wrap ? size : 0) + used.idx - avail.idx;
}

/** Split: how far @p ahead is ahead of @p behind, both running freely over 16 bits. */
static vstate_inline uint16_t
vstate_split_distance(uint16_t ahead, uint16_t behind)
{
	return ahead - behind;
}

/**
 * Split: whether @p event is among the used indices old, old + 1 .. now - 1 (VIRTIO "Used
 * Buffer Notification Suppression": the driver wants to hear of the element it names).
 */
static vstate_inline bool
vstate_split_event_passed(uint16_t event, uint16_t now, uint16_t old)
{
	return vstate_split_distance(now, event + 1) < vstate_split_distance(now, old);
}

/**
 * Packed: whether the place that @p off_wrap names (offset, and wrap counter in the highest
 * bit) is among those from index @p old up to but without @p now. At least one was
 * published, and at most @p size <= 32768.
 */
static vstate_inline bool
vstate_packed_event_passed(uint16_t off_wrap, struct vstate_pos now, uint16_t old, uint16_t size)
{
	uint16_t event = off_wrap & ~RTE_BIT32(VRING_PACKED_EVENT_F_WRAP_CTR);

	/* Bring all three to one scale, on which now is the largest of those passed. */
	if (off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR != now.wrap)
		event -= size;
	if (old >= now.idx)
		old -= size;
	return vstate_split_event_passed(event, now.idx, old);
}

#endif /* VSTATE_POS_H */

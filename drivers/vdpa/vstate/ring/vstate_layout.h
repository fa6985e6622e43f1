/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LAYOUT_H
#define VSTATE_LAYOUT_H

/**
 * @file
 * Both layouts under one name each. Callers pass @p packed as a constant, so that the compiler
 * leaves one of the two. The layouts' own headers say what each function does.
 */

#include "vstate_compat.h"
#include "vstate_packed.h"
#include "vstate_split.h"

static vstate_inline uint16_t
ring_avail_count(struct vstate_vq *vq, uint16_t max, const bool packed)
{
	return packed ? packed_avail_count(vq, max) : split_avail_count(vq, max);
}

/* Whether the driver made at least @p n buffers (split) or descriptors (packed) available. */
static vstate_inline bool
ring_avail_reaches(const struct vstate_vq *vq, uint16_t n, const bool packed)
{
	return packed ? packed_avail_reaches(vq, n) : split_avail_reaches(vq, n);
}

static vstate_inline int
ring_chain_begin(struct vstate_vq *vq, struct vstate_chain *c,
		const enum vstate_chain_parts parts, const bool packed)
{
	return packed ? packed_chain_begin(vq, c, parts) : split_chain_begin(vq, c, parts);
}

/* Move vq->avail behind @p n descriptors (packed) or buffers (split). */
static vstate_inline void
ring_avail_skip(struct vstate_vq *vq, uint16_t n, const bool packed)
{
	if (packed)
		packed_avail_skip(vq, n);
	else
		split_avail_skip(vq, n);
}

static vstate_inline struct vstate_hint
ring_hint_read(const struct vstate_vq *vq, const bool packed)
{
	return packed ? packed_hint_read(vq) : split_hint_read(vq);
}

/* Write the used buffers of the shadow to the ring. Packed: they end at @p end. */
static vstate_inline void
ring_used_publish(struct vstate_vq *vq, struct vstate_pos end, const bool alike,
		const bool packed)
{
	if (packed)
		packed_used_publish(vq, end, alike);
	else
		split_used_publish(vq);
}

static vstate_inline void
ring_used_record(struct vstate_vq *vq, const bool packed)
{
	if (packed)
		packed_used_record(vq);
	else
		split_used_record(vq);
}

/* Packed: @p old is the used index at which the publication began. */
static vstate_inline bool
ring_call_wanted(struct vstate_vq *vq, uint16_t old, const bool packed)
{
	return packed ? packed_call_wanted(vq, old) : split_call_wanted(vq);
}

static vstate_inline void
ring_look_ahead(struct vstate_vq *vq, const bool packed)
{
	if (packed)
		packed_look_ahead(vq);
	else
		split_look_ahead(vq);
}

#endif /* VSTATE_LAYOUT_H */

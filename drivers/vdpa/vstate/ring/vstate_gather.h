/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_GATHER_H
#define VSTATE_GATHER_H

/**
 * @file
 * Gather the leading buffers of a batch: read their descriptors once and check them. This file has
 * the part that both ring layouts share. Plain C gathers buffers one by one. A build with vectors
 * gathers plain descriptors in groups. Both make the same checks, and vstate-autotest compares
 * their results.
 */

#include <rte_prefetch.h>

#include "vstate_chain.h"
#include "vstate_compat.h"
#include "vstate_simd.h"

/** Buffers of a batch. */
struct gathered {
	/** First byte of the header, and first byte of the frame. */
	uint8_t *hdr[VSTATE_BURST];
	uint8_t *data[VSTATE_BURST];
	/** Bytes of the buffer behind its header. */
	uint32_t len[VSTATE_BURST];
	/** Used elements of the buffers, with length 0. */
	struct vstate_used *used;
	/** Number of buffers, and number of their descriptors (packed) or heads (split). */
	uint16_t nb, nb_descs;
};

/** The conditions that each buffer of a batch meets. */
struct gather_want {
	struct vstate_window win;
	/** VRING_DESC_F_WRITE or 0. */
	uint16_t direction;
	uint32_t hdr_len;
	/** Shortest and longest buffer in bytes, with header. Neither is longer than the window. */
	uint32_t min, max;
};

static vstate_inline struct gather_want
gather_want(const struct vstate_vq *vq, uint16_t direction, uint32_t hdr_len, uint32_t min,
		uint32_t max)
{
	struct gather_want want = {
		.win = vq->win,
		.direction = direction,
		.hdr_len = hdr_len,
		.min = min,
		.max = RTE_MIN(max, vq->win.size),
	};

	return want;
}

/** Flags of a descriptor that tell its kind. */
#define GATHER_KIND (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE)

/*
 * Prefetch the lines that the copy touches first. A buffer to be written also needs its second
 * line, which all frames touch: stores wait for their lines one after another. Loads do not wait
 * for each other, so a second line does not make them faster. A line with the @p hdr_len bytes of
 * a header only is not prefetched for writing, because most headers stay as they are.
 */
static vstate_inline void
gather_prefetch(const uint8_t *p, uint16_t direction, uint32_t hdr_len)
{
	if (direction == 0 || (uintptr_t)p % RTE_CACHE_LINE_SIZE + hdr_len >= RTE_CACHE_LINE_SIZE)
		rte_prefetch0(p);
	else
		vstate_prefetch_write(p);
	if (direction != 0)
		vstate_prefetch_write(p + RTE_CACHE_LINE_SIZE);
}

/** Gather a buffer of one descriptor with header and frame. False: not wanted. */
static vstate_inline bool
gather_plain(struct gathered *g, unsigned int i, const struct gather_want *want, uint64_t addr,
		uint32_t len)
{
	uint8_t *p;

	if (unlikely(len < want->min || len > want->max ||
			!vstate_window_holds(&want->win, addr, len)))
		return false;
	p = vstate_window_ptr(&want->win, addr);
	gather_prefetch(p, want->direction, want->hdr_len);
	g->hdr[i] = p;
	g->data[i] = p + want->hdr_len;
	g->len[i] = len - want->hdr_len;
	return true;
}

/**
 * Gather a buffer of two descriptors: the header, and the frame. Some drivers cannot place the
 * header directly before the frame. False: not wanted.
 */
static vstate_inline bool
gather_two(struct gathered *g, unsigned int i, const struct gather_want *want,
		const struct vstate_desc *hdr, const struct vstate_desc *data)
{
	if (unlikely(hdr->len != want->hdr_len || data->len < want->min - want->hdr_len ||
			data->len > want->max - want->hdr_len ||
			!vstate_window_holds(&want->win, hdr->addr, hdr->len) ||
			!vstate_window_holds(&want->win, data->addr, data->len)))
		return false;
	g->hdr[i] = vstate_window_ptr(&want->win, hdr->addr);
	g->data[i] = vstate_window_ptr(&want->win, data->addr);
	gather_prefetch(g->data[i], want->direction, 0);
	g->len[i] = data->len;
	return true;
}

/** Gather a buffer of one or two descriptors in the indirect table @p d. False: not wanted. */
static vstate_inline bool
gather_indirect(struct gathered *g, unsigned int i, const struct gather_want *want,
		const struct vstate_desc *d, const bool packed)
{
	struct vring_desc copy[2];
	struct vstate_desc entry[2];

	if (unlikely((d->len != sizeof(copy[0]) && d->len != sizeof(copy)) ||
			!vstate_window_holds(&want->win, d->addr, d->len)))
		return false;
	if (d->len == sizeof(copy[0])) {
		memcpy(&copy[0], vstate_window_ptr(&want->win, d->addr), sizeof(copy[0]));
		vstate_desc_read(&entry[0], &copy[0], packed);
		/* in a table of a packed ring NEXT is ignored */
		if (packed)
			entry[0].flags &= ~VRING_DESC_F_NEXT;
		return (entry[0].flags & GATHER_KIND) == want->direction &&
			gather_plain(g, i, want, entry[0].addr, entry[0].len);
	}
	memcpy(copy, vstate_window_ptr(&want->win, d->addr), sizeof(copy));
	vstate_desc_read(&entry[0], &copy[0], packed);
	vstate_desc_read(&entry[1], &copy[1], packed);
	if (packed) {
		entry[0].flags &= ~VRING_DESC_F_NEXT;
		entry[1].flags &= ~VRING_DESC_F_NEXT;
	} else {
		if (!(entry[0].flags & VRING_DESC_F_NEXT) || entry[0].link != 1)
			return false;
		entry[0].flags &= ~VRING_DESC_F_NEXT;
	}
	return (entry[0].flags & GATHER_KIND) == want->direction &&
		(entry[1].flags & GATHER_KIND) == want->direction &&
		gather_two(g, i, want, &entry[0], &entry[1]);
}

/** The word of a used element of length 0. */
static vstate_inline uint64_t
gather_used(uint16_t id, uint16_t num)
{
	return (uint64_t)id << 32 | (uint64_t)num << 48;
}

#ifdef VSTATE_SIMD_LANES
/**
 * Gather one plain descriptor for each lane, with addresses @p addr and lengths @p len.
 * @param bad  bit mask of lanes that are already known to be unwanted
 * @param used  words of the used elements
 * @return number of leading buffers that are wanted
 */
static vstate_inline uint16_t
gather_lanes(struct gathered *g, unsigned int i, const struct gather_want *want, vstate_simd addr,
		vstate_simd len, vstate_simd used, uint32_t bad)
{
	const vstate_simd off = simd_sub(addr, simd_all(want->win.gpa));
	const vstate_simd ptr = simd_add(off, simd_all((uintptr_t)want->win.hva));
	const vstate_simd hdr_len = simd_all(want->hdr_len);
	unsigned int k;

	/* A length below the minimum wraps to a value far above the maximum. */
	bad |= simd_above(simd_sub(len, simd_all(want->min)), simd_all(want->max - want->min));
	/* A length that is not bad fits the window, so that this difference does not wrap. */
	bad |= simd_above(off, simd_sub(simd_all(want->win.size), len));
	simd_store(&g->hdr[i], ptr);
	simd_store(&g->data[i], simd_add(ptr, hdr_len));
	simd_store_low(&g->len[i], simd_sub(len, hdr_len));
	simd_store(&g->used[i], used);
	if (unlikely(bad != 0))
		return rte_ctz32(bad);
	for (k = 0; k < VSTATE_SIMD_LANES; k++)
		gather_prefetch(g->hdr[i + k], want->direction, want->hdr_len);
	return VSTATE_SIMD_LANES;
}
#endif

#endif /* VSTATE_GATHER_H */

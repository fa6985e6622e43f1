/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MEM_H
#define VSTATE_MEM_H

/**
 * @file
 * The guest's memory as the device sees it: a sorted table of regions, and for each
 * queue a window on the region that it used last, so that the common translation is
 * one subtraction and one comparison.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vstate_compat.h"

/** SET_MEM_TABLE of vhost-user has up to 8; there is room for later versions. */
#define VSTATE_MEM_MAX_REGIONS 32

struct vstate_region {
	/** Guest physical address of the first byte. */
	uint64_t gpa;
	/** Length in bytes, not 0; gpa + size does not wrap. */
	uint64_t size;
	/** Where the region is mapped in this process. */
	uint8_t *hva;
};

struct vstate_mem {
	uint32_t nb_regions;
	/** Ascending by gpa, not overlapping. */
	struct vstate_region regions[VSTATE_MEM_MAX_REGIONS];
};

/** One region, kept near to the queue; size 0: none yet. */
struct vstate_window {
	uint64_t gpa;
	uint64_t size;
	uint8_t *hva;
};

/**
 * Build a table of @p nb regions, in any order.
 * @return 0; -EINVAL: there is none, or regions are empty, wrap or overlap; -E2BIG: more than
 *   VSTATE_MEM_MAX_REGIONS
 */
int vstate_mem_build(struct vstate_mem *mem, const struct vstate_region *regions, uint32_t nb);

/** Guest physical address of @p hva, or UINT64_MAX if it lies in no region. */
uint64_t vstate_mem_gpa(const struct vstate_mem *mem, const void *hva);

/** Move @p win to the region that holds @p gpa. False: there is none. */
bool vstate_window_move(struct vstate_window *win, const struct vstate_mem *mem, uint64_t gpa);

/**
 * True if every byte of [gpa, gpa + len) is the guest's, over as many regions as it takes.
 * Moves @p win to the region of the first byte.
 */
bool vstate_mem_covers(struct vstate_window *win, const struct vstate_mem *mem, uint64_t gpa,
		uint64_t len);

/** True if [gpa, gpa + len) is inside the window. No overflow: size >= len is checked first. */
static vstate_inline bool
vstate_window_holds(const struct vstate_window *win, uint64_t gpa, uint64_t len)
{
	return win->size >= len && gpa - win->gpa <= win->size - len;
}

static vstate_inline uint8_t *
vstate_window_ptr(const struct vstate_window *win, uint64_t gpa)
{
	return win->hva + (gpa - win->gpa);
}

/** Guest physical address of a place in the window. */
static vstate_inline uint64_t
vstate_window_gpa(const struct vstate_window *win, const uint8_t *p)
{
	return win->gpa + (p - win->hva);
}

/**
 * Translate the beginning of a range.
 * @param len in: bytes wanted, not 0; out: bytes that are contiguous from the result on
 * @return NULL if @p gpa is in no region
 */
static inline uint8_t *
vstate_mem_chunk(struct vstate_window *win, const struct vstate_mem *mem, uint64_t gpa,
		uint32_t *len)
{
	uint64_t room;

	if (unlikely(gpa - win->gpa >= win->size) && !vstate_window_move(win, mem, gpa))
		return NULL;
	room = win->size - (gpa - win->gpa);
	if (unlikely(*len > room))
		*len = room;
	return vstate_window_ptr(win, gpa);
}

#endif /* VSTATE_MEM_H */

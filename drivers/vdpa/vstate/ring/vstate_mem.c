/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>

#include "vstate_mem.h"

static int
region_compare(const void *a, const void *b)
{
	const struct vstate_region *ra = a, *rb = b;

	return (ra->gpa > rb->gpa) - (ra->gpa < rb->gpa);
}

int
vstate_mem_build(struct vstate_mem *mem, const struct vstate_region *regions, uint32_t nb)
{
	struct vstate_region *r;
	uint32_t i;

	if (nb == 0)
		return -EINVAL;
	if (nb > VSTATE_MEM_MAX_REGIONS)
		return -E2BIG;

	for (i = 0; i < nb; i++) {
		r = &mem->regions[i];
		*r = regions[i];
		if (r->size == 0 || r->hva == NULL || r->gpa > UINT64_MAX - r->size)
			return -EINVAL;
	}
	mem->nb_regions = nb;
	qsort(mem->regions, mem->nb_regions, sizeof(mem->regions[0]), region_compare);

	for (i = 1; i < mem->nb_regions; i++) {
		r = &mem->regions[i];
		if (r[-1].gpa + r[-1].size > r->gpa)
			return -EINVAL;
	}
	return 0;
}

uint64_t
vstate_mem_gpa(const struct vstate_mem *mem, const void *hva)
{
	const struct vstate_region *r;
	uintptr_t off;
	uint32_t i;

	for (i = 0; i < mem->nb_regions; i++) {
		r = &mem->regions[i];
		off = (uintptr_t)hva - (uintptr_t)r->hva;
		if (off < r->size)
			return r->gpa + off;
	}
	return UINT64_MAX;
}

bool
vstate_window_move(struct vstate_window *win, const struct vstate_mem *mem, uint64_t gpa)
{
	const struct vstate_region *r;
	uint32_t i;

	for (i = 0; i < mem->nb_regions; i++) {
		r = &mem->regions[i];
		if (gpa - r->gpa < r->size) {
			win->gpa = r->gpa;
			win->size = r->size;
			win->hva = r->hva;
			return true;
		}
	}
	return false;
}

bool
vstate_mem_covers(struct vstate_window *win, const struct vstate_mem *mem, uint64_t gpa,
		uint64_t len)
{
	struct vstate_window next;
	uint64_t room;

	if (len == 0)
		return true;
	if (!vstate_window_move(win, mem, gpa))
		return false;
	/* Each turn leaves one region behind, and a region cannot wrap. */
	for (next = *win; ; ) {
		room = next.size - (gpa - next.gpa);
		if (len <= room)
			return true;
		gpa += room;
		len -= room;
		if (!vstate_window_move(&next, mem, gpa))
			return false;
	}
}

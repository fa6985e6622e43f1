/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>
#include <string.h>

#include "ut_groups.h"
#include "ut_guest.h"
#include "ring/vstate_mem.h"

void
guest_add(struct guest *g, uint64_t gpa, uint64_t size)
{
	struct vstate_region table[GUEST_REGIONS];
	unsigned int i, n = g->nb_regions++;
	uint64_t at;

	assert_true(n < GUEST_REGIONS);
	g->regions[n].gpa = gpa;
	g->regions[n].size = size;
	g->regions[n].hva = malloc(size);
	g->regions[n].copy = malloc(size);
	assert_non_null(g->regions[n].hva);
	assert_non_null(g->regions[n].copy);
	for (at = 0; at < size; at++)
		g->regions[n].hva[at] = (gpa + at) * 31 + 7;

	for (i = 0; i < g->nb_regions; i++)
		table[i] = (struct vstate_region){ g->regions[i].gpa, g->regions[i].size,
			g->regions[i].hva };
	assert_int_equal(vstate_mem_build(&g->mem, table, g->nb_regions), 0);
}

void
guest_free(struct guest *g)
{
	unsigned int i;

	for (i = 0; i < g->nb_regions; i++) {
		free(g->regions[i].hva);
		free(g->regions[i].copy);
	}
	g->nb_regions = 0;
}

/* Region and offset of an address, found in the test's own way. */
static unsigned int
region_of(const struct guest *g, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < g->nb_regions; i++) {
		if (gpa >= g->regions[i].gpa && gpa < g->regions[i].gpa + g->regions[i].size)
			return i;
	}
	fail_msg("the test's guest has no memory at 0x%jx", (uintmax_t)gpa);
	return 0;
}

uint8_t *
guest_at(const struct guest *g, uint64_t gpa)
{
	unsigned int i = region_of(g, gpa);

	return g->regions[i].hva + (gpa - g->regions[i].gpa);
}

void
guest_write(const struct guest *g, uint64_t gpa, const void *src, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		*guest_at(g, gpa + i) = ((const uint8_t *)src)[i];
}

void
guest_read(const struct guest *g, uint64_t gpa, void *dst, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		((uint8_t *)dst)[i] = *guest_at(g, gpa + i);
}

void
guest_snapshot(struct guest *g)
{
	unsigned int i;

	for (i = 0; i < g->nb_regions; i++)
		memcpy(g->regions[i].copy, g->regions[i].hva, g->regions[i].size);
}

void
guest_allow(struct guest *g, uint64_t gpa, uint32_t len)
{
	uint32_t n;

	for (n = 0; n < len; n++) {
		unsigned int i = region_of(g, gpa + n);
		uint64_t at = gpa + n - g->regions[i].gpa;

		g->regions[i].copy[at] = g->regions[i].hva[at];
	}
}

void
guest_assert_unchanged(const struct guest *g)
{
	unsigned int i;
	uint64_t at;

	for (i = 0; i < g->nb_regions; i++) {
		if (memcmp(g->regions[i].hva, g->regions[i].copy, g->regions[i].size) == 0)
			continue;
		for (at = 0; g->regions[i].hva[at] == g->regions[i].copy[at]; at++)
			;
		fail_msg("guest memory changed at 0x%jx", (uintmax_t)(g->regions[i].gpa + at));
	}
}

void
guest_assert_logged(const struct guest *g, const uint8_t *log, uint64_t size)
{
	unsigned int i;
	uint64_t at, page;

	for (i = 0; i < g->nb_regions; i++) {
		for (at = 0; at < g->regions[i].size; at++) {
			if (g->regions[i].hva[at] == g->regions[i].copy[at])
				continue;
			page = (g->regions[i].gpa + at) / 4096;
			assert_true(page / 8 < size);
			if ((log[page / 8] & (1 << page % 8)) == 0)
				fail_msg("written at 0x%jx, not in the dirty log",
						(uintmax_t)(g->regions[i].gpa + at));
		}
	}
}

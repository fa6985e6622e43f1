/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest_mem.h"

/* Above any virtual address that a guest of this size would have. */
#define GPA_BASE 0x40000000ull
#define HOLE_SIZE 0x10000000ull
/* Between two ranges, so that a write past the end of a range is seen. */
#define GAP 64u

static uint64_t
align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) / align * align;
}

void
guest_mem_init(struct guest_mem *m)
{
	memset(m, 0, sizeof(*m));
	m->fd = -1;
	m->cursor = GPA_BASE;
}

void
guest_mem_free(struct guest_mem *m)
{
	if (m->base != NULL)
		munmap(m->base, m->file_size);
	if (m->fd >= 0)
		close(m->fd);
	free(m->ranges);
	guest_mem_init(m);
}

uint64_t
guest_mem_reserve(struct guest_mem *m, uint64_t len, uint64_t align)
{
	uint64_t gpa = align_up(m->cursor + GAP, align);

	if (m->nb_ranges == m->cap_ranges) {
		uint32_t cap = m->cap_ranges != 0 ? 2 * m->cap_ranges : 64;
		struct guest_mem_range *r = realloc(m->ranges, cap * sizeof(*r));

		if (r == NULL)
			return 0;
		m->ranges = r;
		m->cap_ranges = cap;
	}
	m->ranges[m->nb_ranges++] = (struct guest_mem_range){ .gpa = gpa, .len = len };
	m->cursor = gpa + len;
	return gpa;
}

static void
region_add(struct guest_mem *m, uint64_t gpa, uint64_t end)
{
	struct guest_mem_region *r = &m->regions[m->nb_regions++];

	/* A page before each region: neighbours in GPA are not neighbours in the file. */
	r->off = m->file_size + GUEST_MEM_PAGE;
	r->gpa = gpa;
	r->size = end - gpa;
	m->file_size = r->off + r->size;
}

static uint8_t
canary_byte(uint64_t off)
{
	return (uint8_t)(0xc3u ^ (off * 0x9du) ^ (off >> 8));
}

/* Call fn for each part of the file that is not reserved, in ascending order. */
static int64_t
canary_walk(const struct guest_mem *m, int64_t (*fn)(const struct guest_mem *, uint64_t, uint64_t))
{
	uint64_t pos = 0;
	uint32_t i, k = 0;
	int64_t bad;

	for (i = 0; i < m->nb_regions; i++) {
		const struct guest_mem_region *r = &m->regions[i];

		while (k < m->nb_ranges && m->ranges[k].gpa < r->gpa + r->size) {
			uint64_t lo = m->ranges[k].gpa, hi = lo + m->ranges[k].len;
			uint64_t from = lo > r->gpa ? lo - r->gpa : 0;
			uint64_t to = hi - r->gpa < r->size ? hi - r->gpa : r->size;

			bad = fn(m, pos, r->off + from);
			if (bad >= 0)
				return bad;
			pos = r->off + to;
			if (hi > r->gpa + r->size)
				break; /* the range continues in the next region */
			k++;
		}
	}
	return fn(m, pos, m->file_size);
}

static int64_t
canary_fill(const struct guest_mem *m, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		m->base[from] = canary_byte(from);
	return -1;
}

static int64_t
canary_find_changed(const struct guest_mem *m, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		if (m->base[from] != canary_byte(from))
			return (int64_t)from;
	return -1;
}

int64_t
guest_mem_canary_check(const struct guest_mem *m)
{
	return canary_walk(m, canary_find_changed);
}

int
guest_mem_commit(struct guest_mem *m, const uint64_t *borders, uint32_t nb_borders, uint64_t island)
{
	uint64_t gpa = GPA_BASE, end = align_up(m->cursor + GAP, GUEST_MEM_PAGE);
	uint32_t i;

	if (nb_borders + 2 > GUEST_MEM_MAX_REGIONS)
		return -EINVAL;
	for (i = 0; i < nb_borders; i++) {
		uint64_t b = borders[i] / GUEST_MEM_PAGE * GUEST_MEM_PAGE;

		if (b <= gpa || b >= end)
			continue;
		region_add(m, gpa, b);
		gpa = b;
	}
	region_add(m, gpa, end);
	m->island = m->nb_regions;
	gpa = end + HOLE_SIZE;
	region_add(m, gpa, gpa + align_up(island, GUEST_MEM_PAGE));
	m->file_size += GUEST_MEM_PAGE;

	m->fd = memfd_create("guest", MFD_CLOEXEC);
	if (m->fd < 0 || ftruncate(m->fd, (off_t)m->file_size) < 0)
		return -errno;
	m->base = mmap(NULL, m->file_size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	if (m->base == MAP_FAILED) {
		m->base = NULL;
		return -errno;
	}
	canary_walk(m, canary_fill);
	return 0;
}

static const struct guest_mem_region *
region_of(const struct guest_mem *m, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < m->nb_regions; i++)
		if (gpa - m->regions[i].gpa < m->regions[i].size)
			return &m->regions[i];
	return NULL;
}

void *
guest_mem_va(const struct guest_mem *m, uint64_t gpa, uint64_t len)
{
	const struct guest_mem_region *r = region_of(m, gpa);

	if (r == NULL || len > r->size - (gpa - r->gpa))
		return NULL;
	return m->base + r->off + (gpa - r->gpa);
}

uint64_t
guest_mem_user_addr(const struct guest_mem *m, uint64_t gpa)
{
	return (uint64_t)(uintptr_t)guest_mem_va(m, gpa, 1);
}

/* Exactly one of src and dst is not NULL. */
static bool
mem_copy(const struct guest_mem *m, uint64_t gpa, const uint8_t *src, uint8_t *dst, uint64_t len)
{
	while (len != 0) {
		const struct guest_mem_region *r = region_of(m, gpa);
		uint64_t n;
		uint8_t *va;

		if (r == NULL)
			return false;
		n = r->size - (gpa - r->gpa);
		if (n > len)
			n = len;
		va = m->base + r->off + (gpa - r->gpa);
		if (src != NULL) {
			memcpy(va, src, n);
			src += n;
		} else {
			memcpy(dst, va, n);
			dst += n;
		}
		gpa += n;
		len -= n;
	}
	return true;
}

bool
guest_mem_write(const struct guest_mem *m, uint64_t gpa, const void *src, uint64_t len)
{
	return mem_copy(m, gpa, src, NULL, len);
}

bool
guest_mem_read(const struct guest_mem *m, uint64_t gpa, void *dst, uint64_t len)
{
	return mem_copy(m, gpa, NULL, dst, len);
}

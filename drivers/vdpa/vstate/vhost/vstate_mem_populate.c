/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "dev/vstate_clock.h"
#include "vstate_mem_populate.h"

/* Since Linux 5.14; older headers lack it. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* The time is looked at once in so many pages. */
#define LOOK_PAGES 4096

/*
 * Enter the pages of a range that are in memory. A read of a shared mapping makes its pages
 * writable too. It does not fail with a signal where the file has been truncated.
 * @return bytes entered
 */
static uint64_t
pages_enter(uint8_t *addr, uint32_t nb, size_t page_size)
{
	unsigned char present[LOOK_PAGES];
	uint64_t bytes = 0;
	uint32_t i, end;

	if (mincore(addr, nb * page_size, present) != 0)
		return 0;
	for (i = 0; i < nb; i = end) {
		for (end = i + 1; end < nb && ((present[i] ^ present[end]) & 1) == 0; end++)
			;
		if ((present[i] & 1) == 0)
			continue;
		if (madvise(addr + i * page_size, (end - i) * page_size, MADV_POPULATE_READ) != 0)
			return bytes;
		bytes += (end - i) * page_size;
	}
	return bytes;
}

uint64_t
vstate_mem_populate(const struct vstate_mem *mem, uint32_t ms)
{
	const uint64_t until = vstate_clock_ms() + ms;
	const size_t page_size = sysconf(_SC_PAGESIZE);
	uint64_t bytes = 0;
	uint8_t *at, *end;
	uint32_t i, nb;

	for (i = 0; i < mem->nb_regions; i++) {
		at = RTE_PTR_ALIGN_FLOOR(mem->regions[i].hva, page_size);
		end = mem->regions[i].hva + mem->regions[i].size;
		for (; at < end; at += nb * page_size) {
			if (vstate_clock_ms() >= until)
				return bytes;
			nb = RTE_MIN((uint64_t)LOOK_PAGES, (end - at + page_size - 1) / page_size);
			bytes += pages_enter(at, nb, page_size);
		}
	}
	return bytes;
}

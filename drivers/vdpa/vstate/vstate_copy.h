/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_COPY_H
#define VSTATE_COPY_H

/** @file Copies of frames between the guest and mbufs. */

#include <stdint.h>
#include <string.h>

#include <rte_memcpy.h>

/* Blocks as wide as the compiler has registers for; the last one overlaps. */
#define VSTATE_COPY_BLOCK 128

static __rte_always_inline void
vstate_copy(void *dst, const void *src, uint32_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;
	uint32_t i;

	/* Small frames are common, and rte_memcpy() looks for them last. */
	if (n <= VSTATE_COPY_BLOCK) {
		if (n > 64) {
			memcpy(d, s, 64);
			memcpy(d + n - 64, s + n - 64, 64);
		} else if (n >= 32) {
			memcpy(d, s, 32);
			memcpy(d + n - 32, s + n - 32, 32);
		} else {
			rte_memcpy(dst, src, n);
		}
		return;
	}
	for (i = 0; i < n - VSTATE_COPY_BLOCK; i += VSTATE_COPY_BLOCK)
		memcpy(d + i, s + i, VSTATE_COPY_BLOCK);
	memcpy(d + n - VSTATE_COPY_BLOCK, s + n - VSTATE_COPY_BLOCK, VSTATE_COPY_BLOCK);
}

/** From here on it pays to ask for the lines of a buffer before they are written; one ahead. */
#define VSTATE_LARGE 256

static __rte_always_inline void
vstate_prefetch_lines(const uint8_t *p, uint32_t len)
{
	uint32_t off;

	for (off = RTE_CACHE_LINE_SIZE; off < len; off += RTE_CACHE_LINE_SIZE)
		__builtin_prefetch(p + off, 1);
}

#endif /* VSTATE_COPY_H */

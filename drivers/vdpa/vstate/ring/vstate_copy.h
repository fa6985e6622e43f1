/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_COPY_H
#define VSTATE_COPY_H

/** @file Copies of frames between the guest and mbufs. */

#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_memcpy.h>

#include "vstate_compat.h"

/*
 * A block of 32 bytes at any address, copied with the widest registers up to 32 bytes. For memcpy()
 * a compiler uses narrower registers if its tuning says so. The tuning is that of the oldest
 * processor with these instructions. Registers of 64 bytes are no faster: see the guide's page on
 * performance.
 */
typedef uint8_t vstate_block VSTATE_VECTOR_AT(32, 1);
#define VSTATE_BLOCK 32

static vstate_inline void
vstate_copy_block(uint8_t *dst, const uint8_t *src)
{
	*(vstate_block *)dst = *(const vstate_block *)src;
}

static vstate_inline void
vstate_copy_2_blocks(uint8_t *dst, const uint8_t *src)
{
	vstate_copy_block(dst, src);
	vstate_copy_block(dst + VSTATE_BLOCK, src + VSTATE_BLOCK);
}

/**
 * Copy @p n > 64 bytes.
 * @param ahead  NULL, or the buffer that is written next: its first bytes are prefetched line by
 *   line between the last stores, because a core cannot wait for all of them at once
 * @param nb_ahead  number of bytes to prefetch, up to @p n
 */
static vstate_inline void
vstate_copy_large(uint8_t *d, const uint8_t *s, uint32_t n, const uint8_t *ahead,
		const uint32_t nb_ahead)
{
	uint32_t i;

	/* Stores are aligned from the second block on: a store that touches two lines costs
	 * twice. The last two blocks overlap the blocks before them.
	 */
	vstate_copy_2_blocks(d, s);
	for (i = 64 - ((uintptr_t)d & (VSTATE_BLOCK - 1)); i < n - 64; i += 64) {
		if (ahead != NULL && i + nb_ahead >= n)
			vstate_prefetch_write(ahead + (i + nb_ahead - n));
		vstate_copy_2_blocks(d + i, s + i);
	}
	vstate_copy_2_blocks(d + n - 64, s + n - 64);
}

/** Copy @p n bytes. */
static vstate_inline void
vstate_copy(void *dst, const void *src, uint32_t n)
{
	uint8_t *d = dst;
	const uint8_t *s = src;

	/* Small frames are common, and rte_memcpy() tests for them last. */
	if (likely(n - VSTATE_BLOCK <= VSTATE_BLOCK)) {
		vstate_copy_block(d, s);
		vstate_copy_block(d + n - 32, s + n - 32);
	} else if (n > 128) {
		vstate_copy_large(d, s, n, NULL, 0);
	} else if (n > 64) {
		vstate_copy_2_blocks(d, s);
		vstate_copy_2_blocks(d + n - 64, s + n - 64);
	} else {
		rte_memcpy(dst, src, n);
	}
}

/** Frames longer than this, in bytes, are faster if the next buffer is prefetched. */
#define VSTATE_LARGE 256

#endif /* VSTATE_COPY_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef NETCONTENT_H
#define NETCONTENT_H

/**
 * @file
 * Bytes that both ends of a test can compute, for a check of every one of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Byte @p pos of stream @p seed: any offset can be computed on its own. */
static inline uint8_t
content(uint64_t seed, uint64_t pos)
{
	uint64_t x = (pos >> 3) + seed * 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) >> (8 * (pos & 7));
}

static inline void
fill(uint8_t *buf, size_t len, uint64_t seed, uint64_t pos)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = content(seed, pos + i);
}

static inline bool
matches(const uint8_t *buf, size_t len, uint64_t seed, uint64_t pos)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (buf[i] != content(seed, pos + i))
			return false;
	return true;
}

#endif /* NETCONTENT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef NETCONTENT_H
#define NETCONTENT_H

/**
 * @file
 * Bytes that both ends of a test compute, so that every byte can be checked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Return byte @p pos of stream @p seed. No other byte is needed to compute it. */
static inline uint8_t
content_byte(uint64_t seed, uint64_t pos)
{
	uint64_t x = (pos >> 3) + seed * 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) >> (8 * (pos & 7));
}

static inline void
content_fill(uint8_t *buf, size_t len, uint64_t seed, uint64_t pos)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = content_byte(seed, pos + i);
}

static inline bool
content_matches(const uint8_t *buf, size_t len, uint64_t seed, uint64_t pos)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (buf[i] != content_byte(seed, pos + i))
			return false;
	return true;
}

#endif /* NETCONTENT_H */

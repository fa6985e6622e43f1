/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdbool.h>

#include "guest_stream.h"

/* Bytes that tell a place in the stream. Fewer may be found elsewhere by chance. */
#define PLACE_BYTES 8
/* How far away a place is looked for. */
#define PLACE_REACH (INT64_C(1) << 20)

static uint64_t
word_get(uint64_t seed, uint64_t n)
{
	uint64_t w = (n + seed) * UINT64_C(0x9e3779b97f4a7c15);

	w ^= w >> 29;
	w *= UINT64_C(0xbf58476d1ce4e5b9);
	return w ^ w >> 32;
}

static uint8_t
byte_get(uint64_t seed, uint64_t pos)
{
	return word_get(seed, pos / 8) >> 8 * (pos % 8);
}

void
stream_fill(uint64_t seed, uint64_t pos, uint8_t *bytes, uint32_t len)
{
	uint64_t word = word_get(seed, pos / 8);
	uint32_t i;

	for (i = 0; i < len; i++, pos++) {
		if (pos % 8 == 0)
			word = word_get(seed, pos / 8);
		bytes[i] = word >> 8 * (pos % 8);
	}
}

/* Bytes that are those of the stream from @p pos on. */
static uint32_t
same_count(uint64_t seed, uint64_t pos, const uint8_t *bytes, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len && bytes[i] == byte_get(seed, pos + i); i++)
		;
	return i;
}

/* Move to where these bytes are. @return false: nowhere near */
static bool
place_find(struct stream *s, const uint8_t *bytes, uint32_t len)
{
	int64_t by;

	if (len < PLACE_BYTES)
		return false;
	for (by = 1; by <= PLACE_REACH; by++) {
		if (same_count(s->seed, s->pos + by, bytes, PLACE_BYTES) == PLACE_BYTES) {
			s->lost += by;
			s->pos += by;
			return true;
		}
		if ((uint64_t)by <= s->pos && same_count(s->seed, s->pos - by, bytes,
					PLACE_BYTES) == PLACE_BYTES) {
			s->doubled += by;
			s->pos -= by;
			return true;
		}
	}
	return false;
}

void
stream_check(struct stream *s, const uint8_t *bytes, uint32_t len)
{
	uint32_t n;

	while (len > 0) {
		n = same_count(s->seed, s->pos, bytes, len);
		s->pos += n;
		bytes += n;
		len -= n;
		if (len == 0 || place_find(s, bytes, len))
			continue;
		s->wrong++;
		s->pos++;
		bytes++;
		len--;
	}
}

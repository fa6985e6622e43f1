/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_STREAM_H
#define GUEST_STREAM_H

/**
 * @file
 * A stream of bytes in which the value of each byte follows from its position. So a receiver finds
 * bytes that are lost, doubled or out of order, and says how many.
 */

#include <stdint.h>

struct stream {
	uint64_t seed;
	/** Position of the next byte. */
	uint64_t pos;
	/** Bytes that were skipped, that came again, and that are of no known place. */
	uint64_t lost, doubled, wrong;
};

/** Write the @p len bytes from position @p pos on. */
void stream_fill(uint64_t seed, uint64_t pos, uint8_t *bytes, uint32_t len);
/** Compare @p len bytes with those that come next, and move behind them. */
void stream_check(struct stream *s, const uint8_t *bytes, uint32_t len);

#endif /* GUEST_STREAM_H */

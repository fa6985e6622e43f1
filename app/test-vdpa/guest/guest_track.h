/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_TRACK_H
#define GUEST_TRACK_H

/**
 * @file
 * Which sequence numbers have come back: lost, duplicated, reordered. A back end that loops
 * frames keeps their order. A number below the highest received one is missing until it arrives;
 * then it is reordered.
 */

#include <stdbool.h>
#include <stdint.h>

/** Received numbers are remembered this far below the highest one. A power of two. */
#define GUEST_TRACK_WINDOW 65536u

struct guest_track {
	/** All numbers below this one were received or are missing. */
	uint64_t next;
	/** Different numbers received. */
	uint64_t unique;
	uint64_t duplicated, reordered;
	/** One bit for each of the last GUEST_TRACK_WINDOW numbers. */
	uint64_t seen[GUEST_TRACK_WINDOW / 64];
};

void guest_track_init(struct guest_track *t);
/** Record a received number. */
void guest_track_receive(struct guest_track *t, uint64_t seq);
/** Numbers below @p end that have not been received. */
uint64_t guest_track_missing(const struct guest_track *t, uint64_t end);

#endif /* GUEST_TRACK_H */

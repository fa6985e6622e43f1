/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "guest_track.h"

static bool
bit_get(const struct guest_track *t, uint64_t seq)
{
	uint32_t bit = seq % GUEST_TRACK_WINDOW;

	return (t->seen[bit / 64] >> (bit % 64)) & 1;
}

static void
bit_set(struct guest_track *t, uint64_t seq, bool value)
{
	uint32_t bit = seq % GUEST_TRACK_WINDOW;

	if (value)
		t->seen[bit / 64] |= 1ull << (bit % 64);
	else
		t->seen[bit / 64] &= ~(1ull << (bit % 64));
}

void
guest_track_init(struct guest_track *t)
{
	memset(t, 0, sizeof(*t));
}

void
guest_track_receive(struct guest_track *t, uint64_t seq)
{
	if (seq >= t->next) {
		if (seq - t->next >= GUEST_TRACK_WINDOW) {
			memset(t->seen, 0, sizeof(t->seen));
			t->next = seq;
		}
		for (; t->next < seq; t->next++)
			bit_set(t, t->next, false);
		bit_set(t, seq, true);
		t->next = seq + 1;
		t->unique++;
		return;
	}
	/*
	 * Too old to be in the bitmap: count a duplicate, because a wrong guess must not hide a
	 * loss.
	 */
	if (t->next - seq > GUEST_TRACK_WINDOW || bit_get(t, seq)) {
		t->duplicated++;
		return;
	}
	bit_set(t, seq, true);
	t->unique++;
	t->reordered++;
}

uint64_t
guest_track_missing(const struct guest_track *t, uint64_t end)
{
	return end > t->unique ? end - t->unique : 0;
}

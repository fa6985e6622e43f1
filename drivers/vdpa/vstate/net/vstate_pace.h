/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PACE_H
#define VSTATE_PACE_H

/**
 * @file
 * The pace of a receive queue. A device that is faster than its guest finds each burst as soon as
 * the guest shows it, and returns all buffers before the guest makes the next ones available.
 * That slows the guest down: both sides write lines that the other side has just read, and a DPDK
 * guest whose whole ring is used frees all its mbufs at once, more than its cache of mbufs holds.
 *
 * So after a full burst the queue rests until the ring has two more bursts, or for a bounded
 * time. The guest always has a burst under way then. A rest that ends by time was in vain: the
 * guest is slow, or waits for an answer, or runs in turns with the poll thread. Then more and more
 * full bursts pass before the next rest, until a rest sees the guest make buffers available. A
 * burst that is not full is never followed by a rest, so a single frame does not wait.
 *
 * The poll thread owns the state. It holds the lease only while it looks, so a stop does not wait.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "ring/vstate_layout.h"
#include "vstate_compat.h"

/** Longest rest, in microseconds: two bursts of a guest with 4 million frames a second. */
#define VSTATE_PACE_US 16
/** Shortest burst that is followed by a rest. */
#define VSTATE_PACE_BURST 16
/** Most full bursts without a rest after rests in vain. */
#define VSTATE_PACE_SKIP_MAX 8191

struct vstate_pace {
	/** Longest rest in cycles of the TSC. 0: never rest. */
	uint64_t cycles;
	/** Time of the TSC at which the rest ends. */
	uint64_t until;
	/** Full bursts that pass before the next rest, and their number after a rest in vain. */
	uint16_t skip, skip_next;
	/** The queue rests. A poll found the ring without enough. */
	bool rests, waited;
};

static inline void
vstate_pace_init(struct vstate_pace *pace)
{
	*pace = (struct vstate_pace){ .cycles = rte_get_tsc_hz() * VSTATE_PACE_US / US_PER_S };
}

/** Whether the ring is left alone now, at a poll for @p n frames. Lease held. */
static vstate_inline bool
vstate_pace_rests(struct vstate_pace *pace, const struct vstate_vq *vq, uint16_t n)
{
	if (likely(!pace->rests))
		return false;
	if (!ring_avail_reaches(vq, 2 * n, vq->is_packed)) {
		if (rte_rdtsc() < pace->until) {
			pace->waited = true;
			return true;
		}
		pace->skip_next = RTE_MIN(2 * pace->skip_next + 1, VSTATE_PACE_SKIP_MAX);
		pace->skip = pace->skip_next;
	} else if (pace->waited) {
		pace->skip_next = 0;
	}
	pace->rests = false;
	return false;
}

/** Note that a poll for @p n frames received @p nb of a ring with @p size entries. */
static vstate_inline void
vstate_pace_note(struct vstate_pace *pace, uint16_t n, uint16_t nb, uint16_t size)
{
	if (nb < n || n < VSTATE_PACE_BURST || 4 * n > size || pace->cycles == 0)
		return;
	if (pace->skip > 0) {
		pace->skip--;
		return;
	}
	pace->rests = true;
	pace->waited = false;
	pace->until = rte_rdtsc() + pace->cycles;
}

#endif /* VSTATE_PACE_H */

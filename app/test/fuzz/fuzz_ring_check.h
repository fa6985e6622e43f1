/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FUZZ_RING_CHECK_H
#define FUZZ_RING_CHECK_H

/** @file What must hold for the bursts of fuzz_ring.c. */

#include <stdbool.h>
#include <stdint.h>

#include "fuzz_driver.h"
#include "net/vstate_net_vq.h"
#include "ring/vstate_inflight_layout.h"

struct rte_mbuf;

/** One run of a program with one instruction set. */
struct fuzz_run {
	struct vstate_net_vq nq;
	struct fuzz_driver d;
	/** The build of the ring code; 0: plain C. */
	unsigned int build;
	bool put, race;
	/** Mbufs that someone else has. */
	unsigned int nb_held;
	/** Buffers in flight when the run began, their region, and the number left. */
	uint16_t listed;
	union vstate_inflight_head *shm;
	uint32_t left;
	/** What the ring had at the begin of the burst. */
	struct vstate_pos used;
	struct vstate_net_vq_counters counters;
	bool was_listed;
	/** Of all frames that were taken, and their number. */
	uint64_t hash, frames;
	/** In one of the bursts, the device wrote to what describes its buffers. */
	bool tangled;
};

void fuzz_burst_begin(struct fuzz_run *r);
void fuzz_burst_end(struct fuzz_run *r);
/** @p n frames were taken. The first @p back of them will be given, and the others forgotten. */
void fuzz_taken_check(struct fuzz_run *r, struct rte_mbuf *const *pkts, uint16_t n, uint16_t back);
/** @p n frames were put, or dropped. */
void fuzz_put_check(struct fuzz_run *r, struct rte_mbuf *const *pkts, uint16_t n);
/** The queue comes to rest, at a position that a state can have. */
void fuzz_stop_check(struct fuzz_run *r);

/** Keep the guest's memory of the first run; compare two runs. */
void fuzz_memory_keep(void);
void fuzz_runs_same(const struct fuzz_run *a, const struct fuzz_run *b);

#endif /* FUZZ_RING_CHECK_H */

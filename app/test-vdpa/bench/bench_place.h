/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

/**
 * @file
 * Where the stack and the mbufs lie. A load waits for an older store with the same lower 12 bits of
 * its address, so some places cost more than others. Each turn uses another place, the same for all
 * sides. No figure then depends on one lucky or unlucky place.
 */

#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

struct bench_place {
	uint64_t seed;
	/** Bytes of stack that stay unused below the caller. */
	uint32_t stack;
	/** Mbufs that are kept out of the pool during the turn. */
	struct rte_mbuf *held[127];
	uint32_t nb_held;
};

/** Choose a place for a turn. */
void bench_place_take(struct bench_place *p, struct rte_mempool *pool);
/** End the turn. */
void bench_place_leave(struct bench_place *p);

#endif /* BENCH_PLACE_H */

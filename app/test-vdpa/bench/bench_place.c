/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_mbuf.h>

#include "bench_place.h"

/* One page of stack, in steps that keep vectors aligned. */
#define STACK_STEPS 64
#define STACK_STEP 64

/* A pseudo-random number, the same in every run (Knuth's MMIX generator). */
static uint32_t
next_below(struct bench_place *p, uint32_t below)
{
	p->seed = p->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(p->seed >> 33) % below;
}

void
bench_place_take(struct bench_place *p, struct rte_mempool *pool)
{
	p->stack = (next_below(p, STACK_STEPS) + 1) * STACK_STEP;
	p->nb_held = next_below(p, RTE_DIM(p->held) + 1);
	/* If the pool has not enough mbufs, their place is that of the previous turn. */
	if (rte_pktmbuf_alloc_bulk(pool, p->held, p->nb_held) != 0)
		p->nb_held = 0;
}

void
bench_place_leave(struct bench_place *p)
{
	rte_pktmbuf_free_bulk(p->held, p->nb_held);
	p->nb_held = 0;
}

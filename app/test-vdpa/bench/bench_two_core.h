/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_TWO_CORE_H
#define BENCH_TWO_CORE_H

#include <stdint.h>

struct bench_helper;
struct bench_side;
struct bench_work;

/** Start a thread on another lcore that runs the guest of one side. @return NULL with rte_errno */
struct bench_helper *bench_helper_start(int cpu);
void bench_helper_stop(struct bench_helper *h);
/** As bench_slice(), with the guest on the other core. */
int bench_slice_two_core(struct bench_helper *h, struct bench_side *s, uint64_t cycles,
		struct bench_work *work);

#endif /* BENCH_TWO_CORE_H */

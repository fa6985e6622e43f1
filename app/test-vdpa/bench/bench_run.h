/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdint.h>

struct bench_mbufs;
struct bench_side;
struct bench_work;

/** Check that guest and device counted the same frames. A difference is reported on stderr. */
int bench_side_check(struct bench_side *s);
/** Send the first frames, and wait until the device has processed them. */
int bench_side_prime(struct bench_side *s);
/** One turn on one core: the guest fills the rings, the device works, the guest takes back. */
int bench_round(struct bench_side *s, struct bench_mbufs *b, uint32_t want,
		struct bench_work *work);
/** A slice on one core of at least @p cycles of TSC. */
int bench_slice(struct bench_side *s, uint64_t cycles, struct bench_work *work);
/** Process until exactly @p frames passed through @p s, on one core and without a clock. */
int bench_fixed(struct bench_side *s, uint64_t frames);

#endif /* BENCH_RUN_H */

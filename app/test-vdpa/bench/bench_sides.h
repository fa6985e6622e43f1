/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_SIDES_H
#define BENCH_SIDES_H

#include "bench.h"

struct workdir;

/**
 * Build the sides of a case that @p mask (1 << kind) names, and connect their guests. All guests
 * negotiate exactly the features of the case.
 * @return -ENOTSUP if a device does not offer a feature
 */
int bench_sides_open(struct bench_side sides[BENCH_KINDS], const struct bench_case *c,
		unsigned int mask, struct rte_mempool *pool, const struct workdir *wd);
void bench_sides_close(struct bench_side sides[BENCH_KINDS]);

#endif /* BENCH_SIDES_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

/**
 * @file
 * The figures of a case, computed from its slices.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench.h"

/** Cycles per packet (idle: per poll) of one side, slice by slice. */
struct bench_series {
	double *v;
	size_t nb, room;
	/** Sum over all slices. */
	uint64_t steps, interrupted;
};

/** Add a slice whose count is not 0. @return 0 or -ENOMEM */
int bench_series_add(struct bench_series *s, const struct bench_work *work);
void bench_series_free(struct bench_series *s);

/** Cycles per packet of one side; zero if the side did not run. */
struct bench_figures {
	double min, median;
	/** Rates by the median, of the device's part alone. */
	double mpps, gbytes;
	/** Share of steps that were interrupted and left out, 0 .. 1. */
	double interrupted;
};

/** A ratio of vstate to another side; zero if one of the two did not run. */
struct bench_ratio {
	/** Median of the ratios of neighbouring slices, and ratio of the minima. */
	double median, min;
};

struct bench_result {
	const struct bench_case *c;
	size_t slices;
	struct bench_figures side[BENCH_KINDS];
	struct bench_ratio to_vhost, to_roofline;
	/** The case could not be run: only its name is set. */
	bool failed;
};

/** Minimum and median of @p nb > 0 values. The values are sorted. */
void bench_min_median(double *v, size_t nb, double *min, double *median);

/** Compute @p r from the slices, whose order is kept. @return 0 or -ENOMEM */
int bench_result_make(struct bench_result *r, const struct bench_case *c,
		const struct bench_series series[BENCH_KINDS], uint64_t tsc_hz);

#endif /* BENCH_RESULT_H */

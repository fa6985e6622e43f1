/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

/**
 * @file
 * What the slices of a case come to, and how it is told.
 */

#include <stdio.h>

#include "bench.h"
#include "stats.h"

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
	/** By the median, of the device's part alone. */
	double mpps, gbytes;
	/** Part of all steps that were interrupted and left out, 0 .. 1. */
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
	/** A case that could not be run has nothing but its name. */
	bool failed;
};

/** Minimum and median of @p nb > 0 values, which are put into order. */
void bench_min_median(double *v, size_t nb, double *min, double *median);

/** Work out @p r from the slices, whose order is kept. @return 0 or -ENOMEM */
int bench_result_make(struct bench_result *r, const struct bench_case *c,
		const struct bench_series series[BENCH_KINDS], uint64_t tsc_hz);

/** How long a back end took to stop. */
struct bench_stop_result {
	/** "suspend" or "GET_VRING_BASE". */
	const char *how;
	enum bench_kind kind;
	uint16_t vqs;
	size_t samples;
	struct stats_summary ns;
};

/** What all reports say first. */
struct bench_report {
	const struct bench_conf *conf;
	uint64_t tsc_hz;
	char cpu[64];
	const struct bench_result *results;
	unsigned int nb_results;
	const struct bench_stop_result *stops;
	unsigned int nb_stops;
};

void bench_report_head(const struct bench_report *rep, FILE *f);
void bench_report_columns(FILE *f);
void bench_report_row(const struct bench_result *r, FILE *f);
void bench_report_stops(const struct bench_report *rep, FILE *f);
void bench_report_json(const struct bench_report *rep, FILE *f);
/** Bars of cycles per packet by case. @return 0 or -errno */
int bench_report_svg(const struct bench_report *rep, const char *path);

#endif /* BENCH_REPORT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

/**
 * @file
 * The report of the benchmark, as a table or as JSON.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench.h"
#include "stats.h"

struct bench_result;

/** How long a back end took to stop. */
struct bench_stop_result {
	/** "suspend" or "GET_VRING_BASE". */
	const char *how;
	enum bench_kind kind;
	uint16_t vqs;
	size_t samples;
	struct stats_summary ns;
};

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
/** @return 0 or -errno, reported on stderr */
int bench_report_json(const struct bench_report *rep, FILE *f);

#endif /* BENCH_REPORT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef STATS_H
#define STATS_H

/**
 * @file
 * A set of measured times and its percentiles. They are exact, because every sample is kept.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct stats {
	uint64_t *ns;
	size_t nb, room;
};

#define STATS_INIT { NULL, 0, 0 }

/** Percentiles of a set; zero for an empty set. */
struct stats_summary {
	uint64_t p50, p99, p999, max;
};

/** Add a sample. @return 0 or -ENOMEM */
int stats_add(struct stats *s, uint64_t ns);
/** Compute the percentiles by nearest rank. Sorts the samples. */
void stats_summarize(struct stats *s, struct stats_summary *sum);
/**
 * Return a percentile by nearest rank: the smallest sample with at least @p per_mille thousandths
 * of all at or below it; 0 for an empty set. Sorts the samples.
 * @param per_mille  0 (the smallest sample) to 1000 (the largest one)
 */
uint64_t stats_percentile(struct stats *s, unsigned int per_mille);
/**
 * Print a histogram: one bar for each power of two of microseconds from the smallest to the largest
 * sample. Sorts the samples.
 */
void stats_histogram(struct stats *s, const char *title, FILE *f);
void stats_free(struct stats *s);

#endif /* STATS_H */

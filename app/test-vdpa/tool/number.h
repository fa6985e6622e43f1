/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef NUMBER_H
#define NUMBER_H

#include <stdint.h>

/** A time is shorter than this. */
#define NUMBER_SECONDS_MAX 1e9

/**
 * Read a whole word as a number of @p min to @p max.
 * @return 0 or -EINVAL
 */
int number_parse(const char *word, uint64_t min, uint64_t max, uint64_t *value);
/** Read "N" or "N-M", N <= M, both of @p min to @p max. */
int number_range_parse(const char *word, uint64_t min, uint64_t max, uint64_t *low,
		uint64_t *high);
/** Read a time longer than none, in seconds and fractions. */
int number_seconds_parse(const char *word, double *seconds);

#endif /* NUMBER_H */

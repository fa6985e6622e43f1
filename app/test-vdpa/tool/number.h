/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef NUMBER_H
#define NUMBER_H

#include <stdint.h>

/** Every time in seconds must be below this. */
#define NUMBER_SECONDS_MAX 1e9

/**
 * Parse a whole word as a number from @p min to @p max.
 * @return 0 or -EINVAL
 */
int number_parse(const char *word, uint64_t min, uint64_t max, uint64_t *value);
/** Parse "N" or "N-M" with N <= M, both from @p min to @p max. @return 0 or -EINVAL */
int number_range_parse(const char *word, uint64_t min, uint64_t max, uint64_t *low,
		uint64_t *high);
/** Parse a time above 0, in seconds with fractions. @return 0 or -EINVAL */
int number_seconds_parse(const char *word, double *seconds);

#endif /* NUMBER_H */

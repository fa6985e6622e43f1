/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef NUMBER_H
#define NUMBER_H

#include <stdint.h>

/**
 * Read a whole word as a number of @p min to @p max.
 * @return 0 or -EINVAL
 */
int number_parse(const char *word, uint64_t min, uint64_t max, uint64_t *value);
/** Read "N" or "N-M", N <= M, both of @p min to @p max. */
int number_range_parse(const char *word, uint64_t min, uint64_t max, uint64_t *low,
		uint64_t *high);

#endif /* NUMBER_H */

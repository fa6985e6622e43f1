/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_ROOFLINE_H
#define BENCH_ROOFLINE_H

#include <stdint.h>

struct bench_side;

int bench_roof_create(struct bench_side *s);
void bench_roof_free(struct bench_side *s);
/** Process up to @p want frames, as a burst of a port does. @return frames */
uint32_t bench_roof_burst(struct bench_side *s, uint16_t pair, uint32_t want);

#endif /* BENCH_ROOFLINE_H */

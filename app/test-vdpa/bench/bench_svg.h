/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_SVG_H
#define BENCH_SVG_H

struct bench_report;

/** Draw bars of cycles per packet by case. @return 0 or -errno */
int bench_report_svg(const struct bench_report *rep, const char *path);

#endif /* BENCH_SVG_H */

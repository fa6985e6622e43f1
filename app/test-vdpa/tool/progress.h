/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

#include <rte_common.h>

/** A line on the terminal that shows the progress of a long task. Not used without a terminal. */
struct progress {
	uint64_t next_ns;
	int width;
};

/** Begin. The first line appears after one second. */
void progress_start(struct progress *p);
/** Replace the line, at most ten times a second. */
__rte_format_printf(2, 3)
void progress_show(struct progress *p, const char *fmt, ...);
/** Erase the line. */
void progress_end(struct progress *p);

#endif /* PROGRESS_H */

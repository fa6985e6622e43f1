/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

/** A line on the terminal that tells how far a long task is. Silent elsewhere. */
struct progress {
	uint64_t next_ns;
	int width;
};

/** Begin; the first line appears after a second. */
void progress_start(struct progress *p);
/** Show the line in place of the last, at most ten times a second. */
void progress_show(struct progress *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Wipe the line. */
void progress_end(struct progress *p);

#endif /* PROGRESS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "progress.h"

#define FIRST_NS UINT64_C(1000000000)
#define INTERVAL_NS UINT64_C(100000000)

void
progress_start(struct progress *p)
{
	p->next_ns = isatty(STDERR_FILENO) ? clock_ns() + FIRST_NS : UINT64_MAX;
	p->width = 0;
}

void
progress_show(struct progress *p, const char *fmt, ...)
{
	uint64_t now;
	char line[160];
	va_list ap;
	int len;

	if (p->next_ns == UINT64_MAX)
		return;
	now = clock_ns();
	if (now < p->next_ns)
		return;
	p->next_ns = now + INTERVAL_NS;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* Padded with blanks, to overwrite the rest of a longer previous line. */
	len = fprintf(stderr, "\r%-*s", p->width, line) - 1;
	if (len > p->width)
		p->width = len;
	fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->width > 0)
		fprintf(stderr, "\r%*s\r", p->width, "");
	fflush(stderr);
}

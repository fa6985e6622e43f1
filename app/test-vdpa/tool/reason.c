/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdarg.h>
#include <stdio.h>

#include "reason.h"

int
reason_keep(int ret, char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	if (why[0] != '\0')
		return ret;
	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return ret;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "number.h"

/* Read digits up to @p stop or the end. @return NULL if there is another character */
static const char *
digits_read(const char *p, char stop, uint64_t *value)
{
	char *end;

	/* strtoull() accepts blanks and a sign; a number here has neither. */
	if (!isdigit((unsigned char)*p))
		return NULL;
	errno = 0;
	*value = strtoull(p, &end, p[0] == '0' && (p[1] | 0x20) == 'x' ? 16 : 10);
	return errno == 0 && (*end == '\0' || *end == stop) ? end : NULL;
}

int
number_parse(const char *word, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t n;

	if (digits_read(word, '\0', &n) == NULL || n < min || n > max)
		return -EINVAL;
	*value = n;
	return 0;
}

int
number_range_parse(const char *word, uint64_t min, uint64_t max, uint64_t *low, uint64_t *high)
{
	const char *end;
	uint64_t a, b;

	end = digits_read(word, '-', &a);
	if (end == NULL)
		return -EINVAL;
	b = a;
	if (*end == '-' && digits_read(end + 1, '\0', &b) == NULL)
		return -EINVAL;
	if (a < min || b > max || a > b)
		return -EINVAL;
	*low = a;
	*high = b;
	return 0;
}

int
number_seconds_parse(const char *word, double *seconds)
{
	double value;
	char *end;

	/* strtod() accepts blanks, signs and words such as "inf". */
	if (!isdigit((unsigned char)word[0]) && word[0] != '.')
		return -EINVAL;
	value = strtod(word, &end);
	if (end == word || *end != '\0' || !(value > 0 && value < NUMBER_SECONDS_MAX))
		return -EINVAL;
	*seconds = value;
	return 0;
}

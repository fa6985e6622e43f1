/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "vstate_devarg.h"
#include "vstate_log.h"

int
vstate_devarg_parse_uint(const char *key, const char *value, uint64_t min, uint64_t max,
		uint64_t *out)
{
	unsigned long long v = 0;
	char *end = NULL;

	errno = 0;
	/* strtoull() alone would also accept leading blanks and signs */
	if (value != NULL && isdigit((unsigned char)*value))
		v = strtoull(value, &end, 10);
	if (end == NULL || errno != 0 || *end != '\0' || v < min || v > max) {
		VSTATE_LOG(ERR, "%s=%s: not a number from %" PRIu64 " to %" PRIu64, key,
				value != NULL ? value : "", min, max);
		return -EINVAL;
	}
	*out = v;
	return 0;
}

int
vstate_devarg_parse_bool(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, 0, 1, &v);

	if (ret == 0)
		*(bool *)field = v;
	return ret;
}

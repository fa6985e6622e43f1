/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "hostile_case.h"

bool
hostile_name_is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *at;

	for (at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

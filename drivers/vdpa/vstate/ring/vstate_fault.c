/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>

#include <rte_common.h>

#include "vstate_fault.h"

static struct {
	char name[24];
	const char *text;
} faults[] = {
#define FAULT_ROW(name, text) [VSTATE_FAULT_##name] = { #name, text },
	VSTATE_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

/* Telemetry and extended statistics have small letters. */
RTE_INIT(vstate_fault_names_init)
{
	unsigned int i;
	char *p;

	for (i = 0; i < RTE_DIM(faults); i++) {
		for (p = faults[i].name; *p != '\0'; p++)
			*p = tolower((unsigned char)*p);
	}
}

const char *
vstate_fault_name(enum vstate_fault fault)
{
	return (unsigned int)fault < RTE_DIM(faults) ? faults[fault].name : "unknown";
}

const char *
vstate_fault_text(enum vstate_fault fault)
{
	return (unsigned int)fault < RTE_DIM(faults) ? faults[fault].text : "unknown fault";
}

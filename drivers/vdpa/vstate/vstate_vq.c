/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>
#include <unistd.h>

#include <rte_string_fns.h>

#include "vstate_log.h"
#include "vstate_vq.h"

RTE_LOG_REGISTER(vstate_logtype, pmd.vdpa.vstate, NOTICE);

static const struct {
	const char *name;
	const char *text;
} faults[] = {
#define FAULT_ROW(name, text) [VSTATE_FAULT_##name] = { #name, text },
	VSTATE_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

const char *
vstate_fault_name(enum vstate_fault fault)
{
	return (unsigned int)fault < RTE_DIM(faults) ? faults[fault].name : "UNKNOWN";
}

const char *
vstate_fault_text(enum vstate_fault fault)
{
	return (unsigned int)fault < RTE_DIM(faults) ? faults[fault].text : "unknown fault";
}

void
vstate_vq_call(struct vstate_vq *vq)
{
	const uint64_t one = 1;

	if (vq->callfd < 0)
		return;
	/* It is an eventfd that does not block (see when it was set). If the write fails its
	 * counter is full, and who reads it is called already.
	 */
	if (write(vq->callfd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		vq->counters.calls++;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>

#include <rte_common.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "vstate_compat.h"
#include "vstate_msg_refused.h"

static const struct {
	const char *name, *text;
} refusals[] = {
#define REFUSAL_ROW(constant, name, text) [VSTATE_MSG_R_##constant] = { name, text },
	VSTATE_MSG_REFUSALS(REFUSAL_ROW)
#undef REFUSAL_ROW
};

const char *
vstate_msg_refused_name(enum vstate_msg_refusal reason)
{
	return (unsigned int)reason < RTE_DIM(refusals) ? refusals[reason].name : "unknown";
}

const char *
vstate_msg_refused_text(enum vstate_msg_refusal reason)
{
	return (unsigned int)reason < RTE_DIM(refusals) ? refusals[reason].text : "unknown reason";
}

void
vstate_msg_refused_count(struct vstate_msg_refused *refused, enum vstate_msg_refusal reason)
{
	/* Telemetry reads the counter in its own thread, and needs no order with other data. */
	rte_atomic_fetch_add_explicit(&refused->by_reason[reason], 1, rte_memory_order_relaxed);
}

uint64_t
vstate_msg_refused_get(const struct vstate_msg_refused *refused, enum vstate_msg_refusal reason)
{
	return rte_atomic_load_explicit(&refused->by_reason[reason], rte_memory_order_relaxed);
}

void
vstate_msg_refused_telemetry(const struct vstate_msg_refused *refused, struct rte_tel_data *d)
{
	char name[RTE_TEL_MAX_STRING_LEN];
	unsigned int reason;
	uint64_t count;

	for (reason = VSTATE_MSG_R_NONE + 1; reason < VSTATE_MSG_R_MAX; reason++) {
		count = vstate_msg_refused_get(refused, reason);
		if (count == 0)
			continue;
		snprintf(name, sizeof(name), "refused_%s", vstate_msg_refused_name(reason));
		vstate_tel_dict_uint(d, name, count);
	}
}

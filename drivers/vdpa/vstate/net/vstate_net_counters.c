/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_common.h>

#include "dev/vstate_counters.h"
#include "vstate_net_counters.h"

const struct vstate_counter vstate_net_counters[VSTATE_NET_NB_COUNTERS] = {
#define COUNTER_ROW(name, field) { #name, offsetof(struct vstate_vq, counters.field) },
	VSTATE_VQ_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
};

void
vstate_net_counters_get(const struct vstate_dev *dev, uint16_t qid, struct vstate_vq_counters *out)
{
	uint16_t i = 0;

	/* in the order of the table */
#define COUNTER_GET(name, field) out->field = vstate_counter_get(dev, qid, i++);
	VSTATE_VQ_COUNTERS(COUNTER_GET)
#undef COUNTER_GET
}

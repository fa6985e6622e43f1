/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_common.h>

#include "dev/vstate_counters.h"
#include "vstate_net_counters.h"
#include "vstate_net_vq.h"

const struct vstate_counter vstate_net_counters[VSTATE_NET_NB_COUNTERS] = {
#define COUNTER_ROW(name, field, place) { #name, offsetof(struct vstate_net_vq, place) },
	VSTATE_NET_STATS(COUNTER_ROW)
#undef COUNTER_ROW
};

uint64_t
vstate_net_counter_get(const struct vstate_dev *dev, uint16_t qid, uint16_t i)
{
	return vstate_counter_get_from(dev, qid, vstate_net_counters, VSTATE_NET_NB_COUNTERS, i);
}

void
vstate_net_counters_get(const struct vstate_dev *dev, uint16_t qid, struct vstate_net_stats *out)
{
	uint16_t i = 0;

	/* in the order of the table */
#define COUNTER_GET(name, field, place) out->field = vstate_net_counter_get(dev, qid, i++);
	VSTATE_NET_STATS(COUNTER_GET)
#undef COUNTER_GET
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "ring/vstate_vq.h"
#include "vstate_class.h"
#include "vstate_compat.h"
#include "vstate_counters.h"
#include "vstate_dev.h"

/* Relaxed: each counter is independent. No reader concludes anything from two of them. */
static uint64_t
counter_load(const struct vstate_dev *dev, uint16_t qid, const struct vstate_counter *counter)
{
	const uint8_t *vq = (const uint8_t *)dev->vqs[qid];

	return rte_atomic_load_explicit((const uint64_t *)(const void *)(vq + counter->offset),
			rte_memory_order_relaxed);
}

uint64_t
vstate_counter_get_from(const struct vstate_dev *dev, uint16_t qid,
		const struct vstate_counter *counters, uint16_t nb_counters, uint16_t i)
{
	return counter_load(dev, qid, &counters[i]) -
		rte_atomic_load_explicit(&dev->counters_base[qid * nb_counters + i],
				rte_memory_order_relaxed);
}

uint64_t
vstate_counter_get(const struct vstate_dev *dev, uint16_t qid, uint16_t i)
{
	return vstate_counter_get_from(dev, qid, dev->class->counters, dev->class->nb_counters, i);
}

void
vstate_counters_reset(struct vstate_dev *dev, uint16_t qid)
{
	uint16_t i;

	for (i = 0; i < dev->class->nb_counters; i++)
		rte_atomic_store_explicit(&dev->counters_base[qid * dev->class->nb_counters + i],
				counter_load(dev, qid, &dev->class->counters[i]),
				rte_memory_order_relaxed);
}

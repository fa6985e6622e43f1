/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_COUNTERS_H
#define VSTATE_COUNTERS_H

/**
 * @file
 * Counters of a queue, as its class names them (struct vstate_class::counters). Poll threads count
 * without a lock. A reset cannot write their counters, so it remembers their values and subtracts
 * them later. Any thread that may call statistics functions.
 */

#include <stdint.h>

struct vstate_counter;
struct vstate_dev;

/** Return counter @p i of virtqueue @p qid since the last reset. */
uint64_t vstate_counter_get(const struct vstate_dev *dev, uint16_t qid, uint16_t i);

/**
 * The same with the table of the class as argument. In a secondary process the device is shared,
 * but the address of its class is that of the primary process.
 */
uint64_t vstate_counter_get_from(const struct vstate_dev *dev, uint16_t qid,
		const struct vstate_counter *counters, uint16_t nb_counters, uint16_t i);

/** Set all counters of virtqueue @p qid to zero. */
void vstate_counters_reset(struct vstate_dev *dev, uint16_t qid);

#endif /* VSTATE_COUNTERS_H */

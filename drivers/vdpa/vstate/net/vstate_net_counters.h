/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_COUNTERS_H
#define VSTATE_NET_COUNTERS_H

/** @file The counters of a network queue, as a table by name. */

#include <stdint.h>

#include "dev/vstate_class.h"
#include "vstate_net_vq_counters.h"

struct vstate_dev;

/** All fields of the structure are counters. */
#define VSTATE_NET_NB_COUNTERS (sizeof(struct vstate_net_stats) / sizeof(uint64_t))
extern const struct vstate_counter vstate_net_counters[VSTATE_NET_NB_COUNTERS];

/** Counter @p i of a virtqueue since the last reset. Any thread of any process. */
uint64_t vstate_net_counter_get(const struct vstate_dev *dev, uint16_t qid, uint16_t i);
/** All counters of a virtqueue since the last reset. Any thread. */
void vstate_net_counters_get(const struct vstate_dev *dev, uint16_t qid,
		struct vstate_net_stats *out);

#endif /* VSTATE_NET_COUNTERS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LATENCY_H
#define VSTATE_LATENCY_H

/**
 * @file
 * Durations of an operation of a device: how often, the last one, the longest one, and how many of
 * each length. One thread at a time writes; any thread reads values of about the same moment.
 */

#include <stdint.h>

#include <rte_common.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"

/**
 * Number of lengths. Element i counts the durations below 2^i us that no earlier element counts;
 * the last one those of 2^20 us, about a second, and more.
 */
#define VSTATE_LATENCY_BUCKETS 22

struct vstate_latency {
	struct rte_vhost_state_timing timing;
	uint64_t buckets[VSTATE_LATENCY_BUCKETS];
};

/** Add a duration of @p ns nanoseconds. */
static inline void
vstate_latency_add(struct vstate_latency *l, uint64_t ns)
{
	const uint32_t bits = rte_fls_u64(ns / 1000);

	l->timing.count++;
	l->timing.last_ns = ns;
	l->timing.max_ns = RTE_MAX(l->timing.max_ns, ns);
	l->timing.sum_ns += ns;
	l->buckets[RTE_MIN(bits, VSTATE_LATENCY_BUCKETS - 1u)]++;
}

#endif /* VSTATE_LATENCY_H */

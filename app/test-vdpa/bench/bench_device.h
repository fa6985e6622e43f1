/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <stdint.h>

#include "bench_case.h"

struct bench_side;
struct rte_mbuf;

/** Frames to transmit. They are prepared outside of the timed part. */
struct bench_mbufs {
	struct rte_mbuf *m[BENCH_MAX_FILL];
	uint32_t nb, next;
};

/** Fill @p b up to @p want frames of the case. */
int bench_mbufs_prepare(struct bench_side *s, struct bench_mbufs *b, uint32_t want);
void bench_mbufs_drop(struct bench_mbufs *b);
/**
 * The device's part. It is a function of its own, so that profilers can select it by name.
 * Process up to @p want frames of every queue pair in bursts, until all are processed or no queue
 * pair has more. Idle cases: @p want polls.
 * @return frames of all pairs together
 */
uint32_t bench_device_part(struct bench_side *s, struct bench_mbufs *b, uint32_t want);
/** One burst for queue pair @p pair. Frames that cannot be sent are dropped. @return frames */
uint32_t bench_device_burst(struct bench_side *s, struct bench_mbufs *b, uint16_t pair,
		uint32_t want);

#endif /* BENCH_DEVICE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_STOP_H
#define BENCH_STOP_H

#include "bench_report.h"

/** Sizes of devices that are stopped, and the most results there can be. */
#define BENCH_STOP_SIZES 4
#define BENCH_STOP_RESULTS (4 * BENCH_STOP_SIZES)

/**
 * Measure how long it takes to stop devices of 2, 8, 32 and 128 virtqueues under load: net_vstate
 * by rte_vhost_state_suspend(), both by the answer to the first GET_VRING_BASE. In between, as the
 * measure of the machine, how long it takes to wake a thread that waits for the poll thread's next
 * end of a burst, with no device.
 * @param mask  the sides (1 << kind); a bare ring loop cannot be stopped
 * @param repeat  samples of suspend; of GET_VRING_BASE, after which a guest has to set all rings
 *   up anew, a tenth
 * @param nb  written: results
 */
int bench_stop(const struct bench_conf *conf, unsigned int mask, uint64_t repeat,
		struct rte_mempool *pool, const struct workdir *wd,
		struct bench_stop_result *results, unsigned int *nb);

#endif /* BENCH_STOP_H */

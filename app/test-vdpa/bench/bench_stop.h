/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_STOP_H
#define BENCH_STOP_H

#include <stdint.h>

struct bench_conf;
struct bench_stop_result;
struct rte_mempool;
struct workdir;

/** Number of device sizes that are stopped, and most results. */
#define BENCH_STOP_SIZES 4
#define BENCH_STOP_RESULTS (4 * BENCH_STOP_SIZES)

/**
 * Measure how long it takes to stop devices of 2, 8, 32 or 128 virtqueues under load: net_vstate by
 * rte_vhost_state_suspend(), net_vstate and net_vhost by the answer to the first GET_VRING_BASE.
 * Between two stops, the same is measured without a device: a thread is woken and waits for the end
 * of the poll thread's burst. This shows the share of the machine.
 * @param mask  the sides (1 << kind); a bare ring loop cannot be stopped
 * @param size  index of the size, from 0
 * @param repeat  samples of suspend; a tenth of it for GET_VRING_BASE, after which the guest has to
 *   set up all rings again
 * @param nb  number of results in @p results; the measured ones are added
 */
int bench_stop(const struct bench_conf *conf, unsigned int mask, unsigned int size,
		uint64_t repeat, struct rte_mempool *pool, const struct workdir *wd,
		struct bench_stop_result *results, unsigned int *nb);

#endif /* BENCH_STOP_H */

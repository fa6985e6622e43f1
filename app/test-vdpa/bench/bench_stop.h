/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_STOP_H
#define BENCH_STOP_H

#include "bench_report.h"
#include "eal.h"

/** Sizes of devices that are stopped, and the most results there can be. */
#define BENCH_STOP_SIZES 4
#define BENCH_STOP_RESULTS (4 * BENCH_STOP_SIZES)

/**
 * Measure how long it takes to stop devices of 2, 8, 32 or 128 virtqueues under load: net_vstate
 * by rte_vhost_state_suspend(), both by the answer to the first GET_VRING_BASE. In between, as the
 * measure of the machine, how long it takes to wake a thread that waits for the poll thread's next
 * end of a burst, with no device.
 * @param mask  the sides (1 << kind); a bare ring loop cannot be stopped
 * @param size  which of the sizes, from 0
 * @param repeat  samples of suspend; of GET_VRING_BASE, after which a guest has to set all rings
 *   up anew, a tenth
 * @param nb  results in @p results; those measured are added
 */
int bench_stop(const struct bench_conf *conf, unsigned int mask, unsigned int size,
		uint64_t repeat, struct rte_mempool *pool, const struct workdir *wd,
		struct bench_stop_result *results, unsigned int *nb);

/**
 * The same for net_vhost, all sizes, in processes of their own: before EAL is started here. The
 * net_vhost of DPDK 22.11 stores that its poll thread is inside and looks whether it may be without
 * a fence in between. Once in some hundred to some thousand stops under load rte_vhost frees the
 * queue of a thread that is inside, and the process dies. What is not measured then is measured by
 * the next process.
 * @param results  BENCH_STOP_SIZES of them
 * @param deaths  written: processes that died so
 * @return 0 or -errno
 */
int bench_stop_vhost(const struct bench_conf *conf, uint64_t repeat, const struct eal_need *need,
		struct bench_stop_result *results, unsigned int *deaths);

#endif /* BENCH_STOP_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_STOP_VHOST_H
#define BENCH_STOP_VHOST_H

#include <stdint.h>

struct bench_conf;
struct bench_stop_result;
struct eal_need;

/**
 * As bench_stop(), for net_vhost and all sizes, in child processes. Call it before EAL starts in
 * this process.
 *
 * In DPDK 22.11, net_vhost's poll thread stores that it is inside, then reads if it may be inside,
 * without a fence in between. Once in some hundred to some thousand stops under load, rte_vhost
 * frees the queue of a thread that is inside, and the process dies. The next child then measures
 * the rest.
 * @param results  BENCH_STOP_SIZES of them
 * @param deaths  written: number of children that died
 */
int bench_stop_vhost(const struct bench_conf *conf, uint64_t repeat, const struct eal_need *need,
		struct bench_stop_result *results, unsigned int *deaths);

#endif /* BENCH_STOP_VHOST_H */

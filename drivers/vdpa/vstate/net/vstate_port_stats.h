/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_STATS_H
#define VSTATE_PORT_STATS_H

/**
 * @file
 * Statistics of the representor port, from the counters of its virtqueues. The functions are
 * members of struct eth_dev_ops. Any thread.
 */

#include <ethdev_driver.h>

#include <vstate_compat.h>

int vstate_port_stats_get(struct rte_eth_dev *eth, struct rte_eth_stats *stats
		VSTATE_QUEUE_STATS_PARAM);
int vstate_port_stats_reset(struct rte_eth_dev *eth);
int vstate_port_xstats_get(struct rte_eth_dev *eth, struct rte_eth_xstat *xstats, unsigned int n);
int vstate_port_xstats_names(struct rte_eth_dev *eth, struct rte_eth_xstat_name *names,
		unsigned int n);

#endif /* VSTATE_PORT_STATS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>

#include "dev/vstate_broken.h"
#include "dev/vstate_counters.h"
#include "vstate_net_counters.h"
#include "vstate_net.h"
#include "vstate_port_list.h"
#include "vstate_port_stats.h"

/* The port receives the frames that the guest sends: the guest's transmit queues count as rx. */

int
vstate_port_stats_get(struct rte_eth_dev *eth, struct rte_eth_stats *stats
		VSTATE_QUEUE_STATS_PARAM)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	uint16_t nb_rxq = RTE_MAX(eth->data->nb_rx_queues, 1);
	uint16_t nb_txq = RTE_MAX(eth->data->nb_tx_queues, 1);
	struct vstate_net_stats rx, tx;
	uint16_t pair, q;

	if (dev == NULL)
		return -ENODEV;
	for (pair = 0; pair < vstate_net_pairs(dev); pair++) {
		vstate_net_counters_get(dev, VSTATE_TXQ(pair), &rx);
		stats->ipackets += rx.packets;
		stats->ibytes += rx.bytes;
		stats->ierrors += rx.runt + rx.oversize + rx.bad_offload;
		stats->rx_nombuf += rx.nombuf;

		vstate_net_counters_get(dev, VSTATE_RXQ(pair), &tx);
		stats->opackets += tx.packets;
		stats->obytes += tx.bytes;
		stats->oerrors += tx.small_buffer + tx.bad_offload;

		q = pair % nb_rxq;
		if (VSTATE_QUEUE_STATS(stats) != NULL && q < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
			VSTATE_QUEUE_STATS(stats)->q_ipackets[q] += rx.packets;
			VSTATE_QUEUE_STATS(stats)->q_ibytes[q] += rx.bytes;
		}
		q = pair % nb_txq;
		if (VSTATE_QUEUE_STATS(stats) != NULL && q < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
			VSTATE_QUEUE_STATS(stats)->q_opackets[q] += tx.packets;
			VSTATE_QUEUE_STATS(stats)->q_obytes[q] += tx.bytes;
		}
	}
	vstate_port_list_unlock();
	return 0;
}

int
vstate_port_stats_reset(struct rte_eth_dev *eth)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	uint16_t i;

	if (dev == NULL)
		return -ENODEV;
	for (i = 0; i < dev->nb_vqs; i++)
		vstate_counters_reset(dev, i);
	vstate_broken_counts_reset(dev);
	vstate_port_list_unlock();
	return 0;
}

/* After the counters of the queues, xstats have the number of broken queues by reason. */
#define NB_FAULTS (VSTATE_FAULT_MAX - 1)

static unsigned int
xstats_count(const struct vstate_dev *dev)
{
	return dev->nb_vqs * VSTATE_NET_NB_COUNTERS + NB_FAULTS;
}

int
vstate_port_xstats_names(struct rte_eth_dev *eth, struct rte_eth_xstat_name *names,
		unsigned int n)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	unsigned int count, i, vq;

	if (dev == NULL)
		return -ENODEV;
	count = xstats_count(dev);
	vstate_port_list_unlock();
	if (names == NULL)
		return count;
	for (i = 0; i < RTE_MIN(n, count); i++) {
		vq = i / VSTATE_NET_NB_COUNTERS;
		if (i >= count - NB_FAULTS) {
			snprintf(names[i].name, sizeof(names[i].name), "broken_%s",
					vstate_fault_name(i - (count - NB_FAULTS) + 1));
			continue;
		}
		snprintf(names[i].name, sizeof(names[i].name), "%s_q%u_%s",
				vq % 2 == 1 ? "rx" : "tx", vq / 2,
				vstate_net_counters[i % VSTATE_NET_NB_COUNTERS].name);
	}
	return count;
}

int
vstate_port_xstats_get(struct rte_eth_dev *eth, struct rte_eth_xstat *xstats, unsigned int n)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	unsigned int count, i = 0;
	uint16_t vq, fault, c;

	if (dev == NULL)
		return -ENODEV;
	count = xstats_count(dev);
	if (xstats == NULL || n < count) {
		vstate_port_list_unlock();
		return count;
	}
	for (vq = 0; vq < dev->nb_vqs; vq++) {
		for (c = 0; c < VSTATE_NET_NB_COUNTERS; c++) {
			xstats[i].id = i;
			xstats[i++].value = vstate_counter_get(dev, vq, c);
		}
	}
	for (fault = VSTATE_FAULT_NONE + 1; fault < VSTATE_FAULT_MAX; fault++) {
		xstats[i].id = i;
		xstats[i++].value = vstate_broken_count(dev, fault);
	}
	vstate_port_list_unlock();
	return count;
}

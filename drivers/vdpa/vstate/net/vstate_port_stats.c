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

/*
 * Extended statistics, in this order: the receive queues of the port, its transmit queues, the
 * virtqueues, and the number of broken queues by reason.
 */
#define NB_FAULTS (VSTATE_FAULT_MAX - 1)

/* One statistic, found by its number. */
struct xstat {
	enum { XSTAT_RXQ, XSTAT_TXQ, XSTAT_VQ, XSTAT_FAULT } kind;
	/** Index of the queue, or reason. */
	uint16_t id;
	uint16_t counter;
};

static unsigned int
xstats_count(const struct vstate_dev *dev, const struct rte_eth_dev *eth)
{
	return (eth->data->nb_rx_queues + eth->data->nb_tx_queues + dev->nb_vqs) *
		VSTATE_NET_NB_COUNTERS + NB_FAULTS;
}

static struct xstat
xstat_find(const struct vstate_dev *dev, const struct rte_eth_dev *eth, unsigned int i)
{
	const uint16_t nb_rxq = eth->data->nb_rx_queues, nb_txq = eth->data->nb_tx_queues;
	unsigned int q = i / VSTATE_NET_NB_COUNTERS;
	struct xstat x = { .counter = i % VSTATE_NET_NB_COUNTERS };

	if (q < nb_rxq) {
		x.kind = XSTAT_RXQ;
		x.id = q;
	} else if (q - nb_rxq < nb_txq) {
		x.kind = XSTAT_TXQ;
		x.id = q - nb_rxq;
	} else if (q - nb_rxq - nb_txq < dev->nb_vqs) {
		x.kind = XSTAT_VQ;
		x.id = q - nb_rxq - nb_txq;
	} else {
		x.kind = XSTAT_FAULT;
		x.id = i - (xstats_count(dev, eth) - NB_FAULTS) + VSTATE_FAULT_NONE + 1;
	}
	return x;
}

static void
xstat_name(const struct xstat *x, struct rte_eth_xstat_name *name)
{
	static const char *const kinds[] = { "rx_q", "tx_q", "vq" };

	if (x->kind == XSTAT_FAULT)
		snprintf(name->name, sizeof(name->name), "broken_%s", vstate_fault_name(x->id));
	else
		snprintf(name->name, sizeof(name->name), "%s%u_%s", kinds[x->kind], x->id,
				vstate_net_counters[x->counter].name);
}

/* Sum a counter over the guest queues that a queue of the port serves. */
static uint64_t
queue_sum(const struct vstate_dev *dev, const struct xstat *x, uint16_t nb_queues)
{
	uint64_t sum = 0;
	uint16_t pair;

	for (pair = x->id; pair < vstate_net_pairs(dev); pair += nb_queues)
		sum += vstate_net_counter_get(dev, x->kind == XSTAT_RXQ ? VSTATE_TXQ(pair) :
				VSTATE_RXQ(pair), x->counter);
	return sum;
}

static uint64_t
xstat_value(const struct vstate_dev *dev, const struct rte_eth_dev *eth, const struct xstat *x)
{
	switch (x->kind) {
	case XSTAT_RXQ:
		return queue_sum(dev, x, eth->data->nb_rx_queues);
	case XSTAT_TXQ:
		return queue_sum(dev, x, eth->data->nb_tx_queues);
	case XSTAT_VQ:
		return vstate_net_counter_get(dev, x->id, x->counter);
	default:
		return vstate_broken_count(dev, x->id);
	}
}

int
vstate_port_xstats_names(struct rte_eth_dev *eth, struct rte_eth_xstat_name *names,
		unsigned int n)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	unsigned int count, i;
	struct xstat x;

	if (dev == NULL)
		return -ENODEV;
	count = xstats_count(dev, eth);
	for (i = 0; names != NULL && i < RTE_MIN(n, count); i++) {
		x = xstat_find(dev, eth, i);
		xstat_name(&x, &names[i]);
	}
	vstate_port_list_unlock();
	return count;
}

int
vstate_port_xstats_get(struct rte_eth_dev *eth, struct rte_eth_xstat *xstats, unsigned int n)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	unsigned int count, i;
	struct xstat x;

	if (dev == NULL)
		return -ENODEV;
	count = xstats_count(dev, eth);
	for (i = 0; xstats != NULL && n >= count && i < count; i++) {
		x = xstat_find(dev, eth, i);
		xstats[i].id = i;
		xstats[i].value = xstat_value(dev, eth, &x);
	}
	vstate_port_list_unlock();
	return count;
}

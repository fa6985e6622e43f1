/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <rte_malloc.h>

#include <ethdev_driver.h>

#include <vstate_compat.h>

#include "dev/vstate_control.h"
#include "ring/vstate_ring.h"
#include "ring/vstate_vq.h"
#include "vstate_net.h"
#include "vstate_port.h"
#include "vstate_port_queue.h"

/* ---- set-up ---- */

int
vstate_port_rxq_setup(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct vstate_port_rxq *rxq;

	rxq = rte_zmalloc_socket("vstate rxq", sizeof(*rxq), RTE_CACHE_LINE_SIZE, socket);
	if (rxq == NULL)
		return -ENOMEM;
	rxq->dev = *(struct vstate_dev **)eth->data->dev_private;
	rxq->net = vstate_net_of(rxq->dev);
	rxq->id = id;
	rxq->pool = pool;
	/* only for descriptor_status: the guest sets the size of its rings */
	rxq->nb_desc = nb_desc;
	rxq->deferred = conf->rx_deferred_start;
	vstate_pace_init(&rxq->pace);
	eth->data->rx_queues[id] = rxq;
	return 0;
}

int
vstate_port_txq_setup(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_txconf *conf)
{
	struct vstate_port_txq *txq;

	txq = rte_zmalloc_socket("vstate txq", sizeof(*txq), RTE_CACHE_LINE_SIZE, socket);
	if (txq == NULL)
		return -ENOMEM;
	txq->dev = *(struct vstate_dev **)eth->data->dev_private;
	txq->net = vstate_net_of(txq->dev);
	txq->id = id;
	txq->nb_desc = nb_desc;
	txq->deferred = conf->tx_deferred_start;
	eth->data->tx_queues[id] = txq;
	return 0;
}

void
vstate_port_rxq_release(struct rte_eth_dev *eth, uint16_t id)
{
	rte_free(eth->data->rx_queues[id]);
	eth->data->rx_queues[id] = NULL;
}

void
vstate_port_txq_release(struct rte_eth_dev *eth, uint16_t id)
{
	rte_free(eth->data->tx_queues[id]);
	eth->data->tx_queues[id] = NULL;
}

void
vstate_port_rxq_info(struct rte_eth_dev *eth, uint16_t id, struct rte_eth_rxq_info *info)
{
	const struct vstate_port_rxq *rxq = eth->data->rx_queues[id];

	info->mp = rxq->pool;
	info->nb_desc = rxq->nb_desc;
	info->conf.rx_deferred_start = rxq->deferred;
	info->conf.offloads = eth->data->dev_conf.rxmode.offloads;
	info->scattered_rx = (info->conf.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
}

void
vstate_port_txq_info(struct rte_eth_dev *eth, uint16_t id, struct rte_eth_txq_info *info)
{
	const struct vstate_port_txq *txq = eth->data->tx_queues[id];

	info->nb_desc = txq->nb_desc;
	info->conf.tx_deferred_start = txq->deferred;
	info->conf.offloads = eth->data->dev_conf.txmode.offloads;
}

/* ---- start and stop ---- */

/* The guest's queue if receive queue @p id polls only one; else NULL. */
static struct vstate_vq *
rxq_find_only(struct vstate_dev *dev, uint16_t id, uint16_t nb_rxq)
{
	uint16_t nb_pairs = vstate_net_pairs(dev);

	return id < nb_pairs && id + nb_rxq >= nb_pairs ? dev->vqs[VSTATE_TXQ(id)] : NULL;
}

/* Start or stop a receive queue. The path of a packet pays nothing for a queue that runs. */
void
vstate_port_rxq_run(struct vstate_port_rxq *rxq, bool run)
{
	rxq->stopped = !run;
	rxq->only = run && !rxq->vlan_strip && !rxq->ip_cksum ?
		rxq_find_only(rxq->dev, rxq->id, rxq->nb_rxq) : NULL;
}

/* The same of a transmit queue. A stopped one sees a guest without queues. */
void
vstate_port_txq_run(struct vstate_port_txq *txq, bool run)
{
	static struct vstate_net nothing;

	txq->net = run ? vstate_net_of(txq->dev) : &nothing;
}

/* ethdev also starts a port whose queues are not set up, so check it here. */
bool
vstate_port_queues_are_set_up(const struct rte_eth_dev *eth)
{
	uint16_t i;

	for (i = 0; i < eth->data->nb_rx_queues; i++) {
		if (eth->data->rx_queues[i] == NULL)
			return false;
	}
	for (i = 0; i < eth->data->nb_tx_queues; i++) {
		if (eth->data->tx_queues[i] == NULL)
			return false;
	}
	return true;
}

void
vstate_port_queue_states_set(struct rte_eth_dev *eth)
{
	const struct vstate_port_rxq *rxq;
	const struct vstate_port_txq *txq;
	uint16_t i;

	for (i = 0; i < eth->data->nb_rx_queues; i++) {
		rxq = eth->data->rx_queues[i];
		eth->data->rx_queue_state[i] = rxq->deferred ? RTE_ETH_QUEUE_STATE_STOPPED :
			RTE_ETH_QUEUE_STATE_STARTED;
	}
	for (i = 0; i < eth->data->nb_tx_queues; i++) {
		txq = eth->data->tx_queues[i];
		eth->data->tx_queue_state[i] = txq->deferred ? RTE_ETH_QUEUE_STATE_STOPPED :
			RTE_ETH_QUEUE_STATE_STARTED;
	}
}

int
vstate_port_rxq_start(struct rte_eth_dev *eth, uint16_t id)
{
	vstate_port_rxq_run(eth->data->rx_queues[id], true);
	eth->data->rx_queue_state[id] = RTE_ETH_QUEUE_STATE_STARTED;
	return 0;
}

int
vstate_port_rxq_stop(struct rte_eth_dev *eth, uint16_t id)
{
	vstate_port_rxq_run(eth->data->rx_queues[id], false);
	eth->data->rx_queue_state[id] = RTE_ETH_QUEUE_STATE_STOPPED;
	return 0;
}

int
vstate_port_txq_start(struct rte_eth_dev *eth, uint16_t id)
{
	vstate_port_txq_run(eth->data->tx_queues[id], true);
	eth->data->tx_queue_state[id] = RTE_ETH_QUEUE_STATE_STARTED;
	return 0;
}

int
vstate_port_txq_stop(struct rte_eth_dev *eth, uint16_t id)
{
	vstate_port_txq_run(eth->data->tx_queues[id], false);
	eth->data->tx_queue_state[id] = RTE_ETH_QUEUE_STATE_STOPPED;
	return 0;
}

/* ---- buffers that wait ---- */

/* The guest queues of which buffers are counted. */
struct waiting {
	uint16_t first, step, limit;
	bool to_guest;
	uint32_t count;
};

static int
do_waiting_count(struct vstate_dev *dev, void *arg)
{
	struct waiting *w = arg;
	const struct vstate_vq *vq;
	uint16_t pair;

	/* Rings are stable under the control lock, except while a message is under way. */
	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_STARTED | VSTATE_BLOCK_MESSAGE))
		return 0;
	for (pair = w->first; pair < RTE_MIN(w->limit, vstate_net_pairs(dev)); pair += w->step) {
		vq = dev->vqs[w->to_guest ? VSTATE_RXQ(pair) : VSTATE_TXQ(pair)];
		if (vstate_run_vq_is_ready(vq))
			w->count += vstate_ring_waiting(vq);
	}
	return 0;
}

/*
 * Count buffers (split) or descriptors (packed) that wait for a receive queue. Any thread. It takes
 * the control lock and no lease, because only a poll thread may take a lease.
 */
vstate_rx_count_t
vstate_port_rx_count(void *queue)
{
	const struct vstate_port_rxq *rxq = queue;
	struct waiting w = { .first = rxq->id, .step = RTE_MAX(rxq->nb_rxq, 1),
		.limit = UINT16_MAX };

	vstate_control_run(do_waiting_count, rxq->dev, &w);
	return w.count;
}

/* A frame waits at @p offset, or none yet. Any thread, as vstate_port_rx_count(). */
int
vstate_port_rx_status(void *queue, uint16_t offset)
{
	const struct vstate_port_rxq *rxq = queue;

	if (offset >= rxq->nb_desc)
		return -EINVAL;
	return (uint32_t)vstate_port_rx_count(queue) > offset ? RTE_ETH_RX_DESC_DONE :
		RTE_ETH_RX_DESC_AVAIL;
}

/* Frames are copied at once, so a descriptor is done if the guest has a buffer for it. */
int
vstate_port_tx_status(void *queue, uint16_t offset)
{
	const struct vstate_port_txq *txq = queue;
	uint16_t active = rte_atomic_load_explicit(&txq->net->active_pairs,
			rte_memory_order_relaxed);
	uint16_t pair = active != 0 ? txq->id % active : 0;
	struct waiting w = { .first = pair, .step = 1, .limit = pair + 1, .to_guest = true };

	if (offset >= txq->nb_desc)
		return -EINVAL;
	if (active != 0)
		vstate_control_run(do_waiting_count, txq->dev, &w);
	return w.count > offset ? RTE_ETH_TX_DESC_DONE : RTE_ETH_TX_DESC_FULL;
}

/* Frames are copied and freed at once: none waits to be freed. */
int
vstate_port_tx_cleanup(void *queue, uint32_t count)
{
	RTE_SET_USED(queue);
	RTE_SET_USED(count);
	return 0;
}

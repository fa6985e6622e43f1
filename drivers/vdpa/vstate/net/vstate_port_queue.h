/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_QUEUE_H
#define VSTATE_PORT_QUEUE_H

/**
 * @file
 * The queues of the port: set-up, start and stop of each, and what waits in them. Unless documented
 * here, the functions are members of struct eth_dev_ops, and documented by ethdev.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>

#include <vstate_compat.h>

struct vstate_port_rxq;
struct vstate_port_txq;

int vstate_port_rxq_setup(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc,
		unsigned int socket, const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int vstate_port_txq_setup(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc,
		unsigned int socket, const struct rte_eth_txconf *conf);
void vstate_port_rxq_release(struct rte_eth_dev *eth, uint16_t id);
void vstate_port_txq_release(struct rte_eth_dev *eth, uint16_t id);
int vstate_port_rxq_start(struct rte_eth_dev *eth, uint16_t id);
int vstate_port_rxq_stop(struct rte_eth_dev *eth, uint16_t id);
int vstate_port_txq_start(struct rte_eth_dev *eth, uint16_t id);
int vstate_port_txq_stop(struct rte_eth_dev *eth, uint16_t id);
void vstate_port_rxq_info(struct rte_eth_dev *eth, uint16_t id, struct rte_eth_rxq_info *info);
void vstate_port_txq_info(struct rte_eth_dev *eth, uint16_t id, struct rte_eth_txq_info *info);
int vstate_port_tx_cleanup(void *queue, uint32_t count);

/** Return whether all queues are set up. ethdev also starts a port whose queues are not. */
bool vstate_port_queues_are_set_up(const struct rte_eth_dev *eth);
/** Start or stop a queue, while no thread polls it. A packet pays nothing for it. */
void vstate_port_rxq_run(struct vstate_port_rxq *rxq, bool run);
void vstate_port_txq_run(struct vstate_port_txq *txq, bool run);
/** The port starts: write the states of its queues for ethdev. */
void vstate_port_queue_states_set(struct rte_eth_dev *eth);

/**
 * Count the buffers (split) or descriptors (packed) that wait for a receive queue. Any thread. It
 * takes the control lock and no lease, because only a poll thread may take a lease.
 */
vstate_rx_count_t vstate_port_rx_count(void *queue);
/** RTE_ETH_RX_DESC_DONE: a frame waits at @p offset. Any thread, as vstate_port_rx_count(). */
int vstate_port_rx_status(void *queue, uint16_t offset);
/** RTE_ETH_TX_DESC_DONE: the guest has a buffer for a frame at @p offset. Any thread. */
int vstate_port_tx_status(void *queue, uint16_t offset);

#endif /* VSTATE_PORT_QUEUE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_BURST_H
#define VSTATE_PORT_BURST_H

/** @file The port on a packet's path; for rte_eth_dev's rx_pkt_burst and the like. Poll threads. */

#include <stdint.h>

struct rte_mbuf;

/** Frames that the guest sent, up to @p n. @param rxq struct vstate_port_rxq */
uint16_t vstate_port_rx(void *rxq, struct rte_mbuf **pkts, uint16_t n);
/** Frames for the guest; those that were sent are freed. @param txq struct vstate_port_txq */
uint16_t vstate_port_tx(void *txq, struct rte_mbuf **pkts, uint16_t n);
/** Make offloads ready that vstate_port_tx() will serve; rte_errno says what ails frame n. */
uint16_t vstate_port_prepare(void *txq, struct rte_mbuf **pkts, uint16_t n);

#endif /* VSTATE_PORT_BURST_H */

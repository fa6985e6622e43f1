/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_H
#define VSTATE_PORT_H

/**
 * @file
 * The representor port: an ethdev whose receive queues give what the guest sends, and
 * whose transmit queues fill what the guest receives. The application's poll threads
 * service the rings directly.
 *
 * Queues are spread without a table that could be stale:
 * - receive queue i of n polls the guest's transmit queues i, i + n, i + 2n, ...
 * - transmit queue i serves the guest's receive queue i modulo the active pairs.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dev/vstate_dev.h"
#include "vstate_net.h"

struct rte_eth_dev;
struct rte_vdev_device;

struct vstate_port_rxq {
	struct vstate_dev *dev;
	struct vstate_net *net;
	struct rte_mempool *pool;
	uint16_t id;
	/** The queue of the guest that it serves, if one only, and nothing else is to be done. */
	struct vstate_vq *only;
	/** Not 0 when a RARP is due on this queue. */
	const uint64_t *rarp_due;
	/** Receive queues of the port. */
	uint16_t nb_rxq;
	/** Pair to begin with, so that none is served last for ever. */
	uint16_t next_pair;
	bool vlan_strip;
};

struct vstate_port_txq {
	struct vstate_dev *dev;
	struct vstate_net *net;
	uint16_t id;
	/** Several transmit queues may meet in one queue of the guest. */
	bool shared;
};

struct vstate_port {
	struct rte_eth_dev *eth;
	/** The guest is there. Control lock. */
	bool link_up;
	/** Between start and stop. Written by the application's thread. */
	bool running;
	/** An eventfd that wakes the thread of events. */
	struct rte_intr_handle *events;
};

/** Create the port of @p dev on the vdev's device; 0 or -errno. */
int vstate_port_create(struct rte_vdev_device *vdev, struct vstate_dev *dev);
/** Close and release it. */
void vstate_port_destroy(struct vstate_dev *dev);
#endif /* VSTATE_PORT_H */

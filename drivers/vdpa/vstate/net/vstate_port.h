/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_H
#define VSTATE_PORT_H

/**
 * @file
 * The representor port: an ethdev. The application receives the frames that the guest sends, and
 * the guest receives the frames that the application sends. The application's poll threads serve
 * the rings directly.
 *
 * The queues of the port are spread over the queues of the guest by a formula:
 * - receive queue i of n polls the guest's transmit queues i, i + n, i + 2n, ...
 * - transmit queue i serves the guest's receive queue i modulo the active pairs.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dev/vstate_dev.h"
#include "vstate_net.h"
#include "vstate_pace.h"

struct rte_eth_dev;
struct rte_vdev_device;
struct vstate_port_intr;

struct vstate_port_rxq {
	struct vstate_dev *dev;
	struct vstate_net *net;
	struct rte_mempool *pool;
	uint16_t id;
	/** The guest's queue, if it is the only one and frames stay as they are; else NULL. */
	struct vstate_vq *only;
	/** Points to a value that is not 0 if a RARP frame is due on this queue. */
	const uint64_t *rarp_due;
	/** When the queue is looked at again after a full burst; used with @p only. */
	struct vstate_pace pace;
	/** Number of receive queues of the port. */
	uint16_t nb_rxq;
	/** First pair of the next burst. It rotates, so that no pair is always the last. */
	uint16_t next_pair;
	bool vlan_strip;
	/** Check the checksum of IPv4 headers. */
	bool ip_cksum;
	/** Interrupts of the port, or NULL. */
	const struct vstate_port_intr *intr;
	/** Number of descriptors that the application asked for. */
	uint16_t nb_desc;
	/** The application starts the queue itself, and has stopped it. */
	bool deferred, stopped;
};

struct vstate_port_txq {
	struct vstate_dev *dev;
	struct vstate_net *net;
	uint16_t id;
	/** Several transmit queues may serve the same queue of the guest. */
	bool shared;
	/** The application starts the queue itself. */
	bool deferred;
	uint16_t nb_desc;
};

struct vstate_port {
	struct rte_eth_dev *eth;
	/** The guest is present. Written with the control lock held. */
	bool link_up;
	/** Queues of the guest were enabled or disabled since the last event about that. Atomic. */
	bool queues_changed;
	/** The port is started. Written by the application's thread. */
	bool running;
	/** An eventfd that wakes EAL's interrupt thread. */
	struct rte_intr_handle *events;
	/** Receive interrupts, or NULL. Written with the control lock held. */
	struct vstate_port_intr *intr;
};

/** Create the ethdev port of @p dev, unless it has port=0. @return 0; -errno, -ENOSPC in the log */
int vstate_port_create(struct rte_vdev_device *vdev, struct vstate_dev *dev);
/** Write what the port offers, for struct eth_dev_ops. Any thread of any process. */
int vstate_port_infos(struct rte_eth_dev *eth, struct rte_eth_dev_info *info);
/** Close and release the port, if the application has not done so. */
void vstate_port_destroy(struct vstate_dev *dev);

#endif /* VSTATE_PORT_H */

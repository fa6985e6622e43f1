/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_FILTER_H
#define VSTATE_NET_FILTER_H

/**
 * @file
 * The receive filter of a driver: which frames it gets (VIRTIO 1.4 "Packet Receive Filtering",
 * "Setting MAC Address Filtering", "VLAN Filtering"). The frames that it does not get are taken
 * from the sender and counted.
 *
 * The filter stands around the bursts of a queue, as their operations. Without a filter the queue
 * has the bursts themselves, so that they pay nothing for it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include "rte_vhost_state.h"

struct rte_mbuf;
struct vstate_net_vq;

/** A set of addresses. */
struct vstate_net_addrs {
	uint16_t nb;
	/** A bit for each last byte of an address of the set: most other addresses end here. */
	uint64_t last_bytes[4];
	struct rte_ether_addr addrs[RTE_VHOST_STATE_NET_MACS];
};

/** Written while no poll thread is inside a queue of the device. */
struct vstate_net_filter {
	/** The driver's own address. */
	struct rte_ether_addr mac;
	bool allmulti, alluni, nomulti, nouni, nobcast;
	/** Frames with a tag need their VLAN in @p vlans. */
	bool vlan;
	uint64_t vlans[RTE_VHOST_STATE_NET_VLANS / 64];
	struct vstate_net_addrs unicast, multicast;
};

/**
 * Set a filter to what a driver asked for.
 * @param mac  the driver's own address
 * @param vlan  VIRTIO_NET_F_CTRL_VLAN is negotiated
 * @return false: the driver wants all frames, so that no filter is needed
 */
bool vstate_net_filter_build(struct vstate_net_filter *f,
		const struct rte_vhost_state_net_ctrl *ctrl, const struct rte_ether_addr *mac,
		bool vlan);

/** Return whether the driver gets a frame. */
bool vstate_net_filter_passes(const struct vstate_net_filter *f, const struct rte_mbuf *m);

/**
 * Put a filter around the bursts of a queue, in place of an earlier one. No poll thread is inside.
 * @param f  NULL: none
 */
void vstate_net_filter_set(struct vstate_net_vq *nq, const struct vstate_net_filter *f);

#endif /* VSTATE_NET_FILTER_H */

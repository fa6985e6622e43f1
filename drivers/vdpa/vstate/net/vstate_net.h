/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_H
#define VSTATE_NET_H

/**
 * @file
 * The network class: its part of a device, its features, its config space, and its part of a state.
 * Unless documented here, the functions are members of struct vstate_class and documented there.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_ether.h>

#include "dev/vstate_dev.h"
#include "vstate_net_conf.h"

/** Virtqueue index of a pair's receive and transmit queue, from the driver's point of view. */
#define VSTATE_RXQ(pair) (2 * (pair))
#define VSTATE_TXQ(pair) (2 * (pair) + 1)

struct rte_tel_data;
struct rte_vhost_state;
struct vstate_cvq;
struct vstate_net_bridge;
struct vstate_port;

/** The class's part of a device. */
struct vstate_net {
	/* -- atomic: written by control, read by poll threads -- */
	/** Number of active pairs, from pair 0 on. */
	uint16_t active_pairs;
	/** Bit i: pair i is enabled by the guest. Control lock. */
	uint64_t enabled_pairs;
	/**
	 * MAC address of a guest that is to be announced, with VSTATE_NET_RARP_DUE; 0: none. It is
	 * one word, because a poll thread clears it while the control side may set or clear it.
	 */
	uint64_t rarp_due;

	/* -- control lock -- */
	struct rte_ether_addr mac;
	uint16_t mtu;
	/** MTU that was set while the device was suspended, applied at resume; 0: none. */
	uint16_t mtu_next;
	/** The representor port, or NULL. Owner: vstate_port.c. */
	struct vstate_port *port;
	/** The bridge that the EAL service runs, or NULL. Owner: vstate_net_bridge.c. */
	struct vstate_net_bridge *bridge;
	/** The control queue, or NULL without cvq=1. Owner: vstate_cvq.c. */
	struct vstate_cvq *cvq;
};

/**
 * Features that rte_vhost does not know: those of the control queue, and the address in config
 * space.
 */
#define VSTATE_NET_OWN_FEATURES \
	(RTE_BIT64(VIRTIO_NET_F_MAC) | RTE_BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) | \
	 RTE_BIT64(VIRTIO_NET_F_CTRL_VLAN) | RTE_BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) | \
	 RTE_BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR))

/** Return the class's part of a device. */
static inline struct vstate_net *
vstate_net_of(const struct vstate_dev *dev)
{
	return dev->of_class;
}

/** Return the number of queue pairs of a device, active or not. */
static inline uint16_t
vstate_net_pairs(const struct vstate_dev *dev)
{
	return dev->nb_vqs / 2;
}

uint64_t vstate_net_features(const struct vstate_conf *conf);
uint16_t vstate_net_more_vqs(const struct vstate_conf *conf);
int vstate_net_dev_init(struct vstate_dev *dev);
void vstate_net_dev_fini(struct vstate_dev *dev);
int vstate_net_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size);
int vstate_net_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size);
void vstate_net_connect(struct vstate_dev *dev);
void vstate_net_disconnect(struct vstate_dev *dev);
void vstate_net_reset(struct vstate_dev *dev);
void vstate_net_setup(struct vstate_dev *dev, const struct vstate_setup *setup);
void vstate_net_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq);
void vstate_net_run_changed(struct vstate_dev *dev);
void vstate_net_resume(struct vstate_dev *dev);
void vstate_net_capture(const struct vstate_dev *dev, struct rte_vhost_state *st);
int vstate_net_restore(struct vstate_dev *dev, struct rte_vhost_state *st);
int vstate_net_recover(struct vstate_dev *dev, const struct rte_vhost_state *st);
void vstate_net_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);
uint32_t vstate_net_empty_len(const struct vstate_vq *vq);
bool vstate_net_wants_kicks(const struct vstate_vq *vq);
bool vstate_net_used_ahead(const struct vstate_vq *vq);
bool vstate_net_vq_needs_all(const struct vstate_vq *vq);
void vstate_net_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

/** The front end set the MTU. A suspended device applies it at resume. Control lock held. */
void vstate_net_mtu_set(struct vstate_dev *dev, uint16_t mtu);

#endif /* VSTATE_NET_H */

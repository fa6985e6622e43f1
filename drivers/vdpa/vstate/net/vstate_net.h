/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_H
#define VSTATE_NET_H

/**
 * @file
 * The network device class: features it offers, what of them its queues must know, and
 * the part of a state that is its own.
 */

#include <stdint.h>

#include "rte_vhost_state.h"
#include "dev/vstate_dev.h"

/** Features that a device with this configuration offers. */
uint64_t vstate_net_features(const struct vstate_conf *conf);

/** Protocol features, for a device attached by rte_vdpa. */
uint64_t vstate_net_protocol_features(void);

/** Put the negotiated features into a queue. Control thread. */
void vstate_net_vq_configure(const struct vstate_dev *dev, struct vstate_vq *vq);

/** Fill in the class' part of a state. */
void vstate_net_capture(const struct vstate_dev *dev, struct rte_vhost_state_net *net);

/** What a state must fit. */
void vstate_net_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);

/** Length of the config space, and a copy of it (struct virtio_net_config). */
int vstate_net_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size);

#endif /* VSTATE_NET_H */

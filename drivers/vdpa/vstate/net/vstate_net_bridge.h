/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_BRIDGE_H
#define VSTATE_NET_BRIDGE_H

/**
 * @file
 * The EAL service: polls the rings for applications that poll no port. It loops frames
 * back, pair by pair, or bridges them to another port (uplink=). No frame of the guest is held
 * inside: what cannot be handed on is not taken, so that a stop finds nothing between. Frames
 * of the uplink that find too few buffers wait, a burst at most, over a stop, too.
 */

#include "dev/vstate_dev.h"

/** Register the service of @p dev and give it to a service core, if there is one. */
int vstate_net_bridge_create(struct vstate_dev *dev, int socket);
void vstate_net_bridge_destroy(struct vstate_dev *dev);
/** For vstate_dev_set_poller(): put what the service needs into the queues. */
void vstate_net_bridge_apply(struct vstate_dev *dev, void *arg);

#endif /* VSTATE_NET_BRIDGE_H */

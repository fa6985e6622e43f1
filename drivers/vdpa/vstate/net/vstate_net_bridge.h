/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_BRIDGE_H
#define VSTATE_NET_BRIDGE_H

/**
 * @file
 * What the EAL service does for applications that poll no port: it loops frames back, pair by pair, or
 * bridges them to another port (uplink=). No frame of the guest is held inside: a frame that cannot
 * be handed on is not taken, so that a stop finds nothing in between. Frames of the uplink that
 * find too few buffers wait, a burst at most, over a stop, too.
 *
 * The functions are members of struct vstate_class, and documented there.
 */

#include <stdint.h>

struct vstate_dev;

int vstate_net_bridge_create(struct vstate_dev *dev, int socket);
void vstate_net_bridge_destroy(struct vstate_dev *dev);
uint32_t vstate_net_bridge_poll(struct vstate_dev *dev);
void vstate_net_bridge_begin(struct vstate_dev *dev);

#endif /* VSTATE_NET_BRIDGE_H */

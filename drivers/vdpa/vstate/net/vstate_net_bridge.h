/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_BRIDGE_H
#define VSTATE_NET_BRIDGE_H

/**
 * @file
 * The bridge, which the EAL service runs if no application polls a port. It loops frames back in
 * each pair, or bridges them to another port (uplink=).
 *
 * The bridge holds no frame of the guest: a frame that the uplink does not accept stays in its
 * ring. So a stop finds no frame in between. Frames of the uplink that find no buffers of the guest
 * are held, one burst at most, also during a stop.
 *
 * The functions are members of struct vstate_class and documented there.
 */

#include <stdint.h>

struct vstate_dev;

int vstate_net_bridge_create(struct vstate_dev *dev, int socket);
void vstate_net_bridge_destroy(struct vstate_dev *dev);
uint32_t vstate_net_bridge_poll(struct vstate_dev *dev);
void vstate_net_bridge_begin(struct vstate_dev *dev);

#endif /* VSTATE_NET_BRIDGE_H */

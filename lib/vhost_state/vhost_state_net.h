/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_NET_H
#define VHOST_STATE_NET_H

/**
 * @file
 * Network device (VIRTIO "Network Device").
 */

#include "vhost_state_class.h"

extern const struct vhost_state_class vhost_state_net;

#endif /* VHOST_STATE_NET_H */

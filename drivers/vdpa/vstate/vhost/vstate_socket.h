/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SOCKET_H
#define VSTATE_SOCKET_H

/**
 * @file
 * The front door of net_vstate and of every class with a socket of its own: registered with rte_vhost
 * as an application would, and not through rte_vdpa. Its table for the rooms below is
 * vstate_socket_ops; the functions there are for any thread.
 */

#include "dev/vstate_front_end.h"

/** To be put into dev->front_ops. */
extern const struct vstate_front_end_ops vstate_socket_ops;

/** Close the socket for good, open or not; the guest sees its device disappear. Any thread. */
void vstate_socket_close(struct vstate_dev *dev);

#endif /* VSTATE_SOCKET_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SOCKET_H
#define VSTATE_SOCKET_H

/**
 * @file
 * The front door of net_vstate and of every class with a socket of its own. The device registers
 * the socket with rte_vhost, as an application would, and does not use rte_vdpa. The directories
 * below call it through vstate_socket_ops, whose functions are for any thread.
 */

#include "dev/vstate_front_end.h"

/** Table for dev->front_ops. */
extern const struct vstate_front_end_ops vstate_socket_ops;

/**
 * Close the socket, open or not. It is never opened again, and the guest loses its device. Any
 * thread.
 */
void vstate_socket_close(struct vstate_dev *dev);

#endif /* VSTATE_SOCKET_H */

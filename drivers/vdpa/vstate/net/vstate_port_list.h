/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_LIST_H
#define VSTATE_PORT_LIST_H

/**
 * @file
 * The devices of the ports, for calls that may come while the application closes a port. ethdev does
 * not keep a port for the threads that ask about it: telemetry reads link and statistics at any
 * time. A port stands here until it begins to close.
 */

struct rte_eth_dev;
struct vstate_dev;

/** Enter the device of a port, or take the port out (NULL). Any thread. */
void vstate_port_list_set(const struct rte_eth_dev *eth, struct vstate_dev *dev);

/**
 * The device of a port, which stays until vstate_port_list_unlock(). Nothing may wait in between.
 * @return NULL: the port is closing, and vstate_port_list_unlock() must not be called
 */
struct vstate_dev *vstate_port_list_lock(const struct rte_eth_dev *eth);
void vstate_port_list_unlock(void);

#endif /* VSTATE_PORT_LIST_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_LIST_H
#define VSTATE_PORT_LIST_H

/**
 * @file
 * The devices of the ports, for calls that may run while the application closes a port. ethdev does
 * not protect a port from being closed during a call, and telemetry reads link and statistics at
 * any time. A port is in this list until it begins to close.
 */

struct rte_eth_dev;
struct vstate_dev;

/** Add the device of a port to the list; NULL removes the port. Any thread. */
void vstate_port_list_set(const struct rte_eth_dev *eth, struct vstate_dev *dev);

/**
 * Return the device of a port and lock the list. The device exists until vstate_port_list_unlock().
 * The caller must not wait in between. Any thread.
 * @return NULL if the port is closing: the list is not locked
 */
struct vstate_dev *vstate_port_list_lock(const struct rte_eth_dev *eth);
/** Unlock the list, after vstate_port_list_lock() returned a device. */
void vstate_port_list_unlock(void);

#endif /* VSTATE_PORT_LIST_H */

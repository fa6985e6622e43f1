/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DOOR_H
#define VSTATE_DOOR_H

/**
 * @file
 * The front door of a device with a socket of its own. A thread of the device listens at iface= or
 * connects to it, and is the only one that reads and writes the connection of the front end.
 *
 *	front end  <-- vstate_door -->  the device  <-- vstate_back -->  rte_vhost
 *
 * The thread reads whole messages, and never waits for a front end: half a message, or answers
 * that nobody reads, hold up that connection alone. It checks each message (vstate_msg_check.h),
 * processes what is the device's own (vstate_msg_handle.h), and passes the rest to rte_vhost, one
 * message at a time. A connection that another process has handed over is served in the same way.
 */

#include "dev/vstate_front_end.h"

/** Table for dev->front_ops. */
extern const struct vstate_front_end_ops vstate_door_ops;

/**
 * Make the door of a new device, closed.
 * @return 0; -EADDRINUSE: a device of this process has the same iface=; -EIO: rte_vhost cannot be
 *   used; or another -errno
 */
int vstate_door_create(struct vstate_dev *dev);
/** Free the door, which was closed. A device without a door is ignored. */
void vstate_door_destroy(struct vstate_dev *dev);

/** Close the socket, open or not. It is never opened again. Any thread but that of the door. */
void vstate_door_close(struct vstate_dev *dev);

#endif /* VSTATE_DOOR_H */

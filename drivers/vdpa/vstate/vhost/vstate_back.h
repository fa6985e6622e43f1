/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BACK_H
#define VSTATE_BACK_H

/**
 * @file
 * rte_vhost behind the door. For each front end the device makes a new connection to rte_vhost,
 * over a private socket. rte_vhost maps memory, holds eventfds and serves postcopy. It gets one
 * message at a time, and never one that the door has not checked.
 *
 * The functions are for the thread of the door.
 */

#include <stdbool.h>
#include <sys/un.h>

struct vstate_dev;
struct vstate_msg_context;

struct vstate_back {
	/** The device's end of the connection; -1: none. */
	int fd;
	/** The path is registered with rte_vhost. Its file exists only until it connects. */
	bool registered;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** The front end listens for page faults: rte_vhost then answers SET_MEM_TABLE. */
	bool postcopy;
};

/**
 * Reduce the offer of a device, before a front end can connect, to what both the device and
 * rte_vhost support.
 * @return 0; -EIO: rte_vhost cannot be used
 */
int vstate_back_offer(struct vstate_dev *dev);

/** Connect to rte_vhost and attach the device to the connection. @return 0 or -errno */
int vstate_back_open(struct vstate_dev *dev, struct vstate_back *back);

/**
 * Let rte_vhost process a message. It has processed the message, callbacks included, when this
 * returns.
 * @param context in: the message; unchanged, but rte_vhost has its descriptors
 * @param answer room for an answer with a payload; its descriptors are the caller's
 * @param cancel a descriptor: readable when the wait must end
 * @return 1: processed, and @p answer was written; 0: processed; -EREMOTEIO: refused;
 *   -ECANCELED; -EPIPE: rte_vhost hung up; or another -errno
 */
int vstate_back_call(struct vstate_back *back, struct vstate_msg_context *context,
		struct vstate_msg_context *answer, int cancel);

/** Disconnect. rte_vhost unmaps the front end's memory and closes its descriptors. */
void vstate_back_close(struct vstate_back *back);

#endif /* VSTATE_BACK_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_POLLER_H
#define VSTATE_POLLER_H

/**
 * @file
 * The poller of a device is a port, which the application's threads poll, or an EAL service. The
 * service runs the class's poll function on a service core. This file changes the poller, so that
 * a device never has both.
 */

#include "vstate_run.h"

struct vstate_dev;

/**
 * Change the poller. @p apply, which may be NULL, runs while no poll thread is inside. Takes the
 * control lock. The application must stop polling a port before it stops the port.
 */
int vstate_poller_set(struct vstate_dev *dev, enum vstate_poller_kind poller,
		void (*apply)(struct vstate_dev *dev, void *arg), void *arg);

/**
 * Register an EAL service for the device, map it to a service core if there is one, and make it
 * the poller. Takes the control lock.
 * @param socket NUMA node, or SOCKET_ID_ANY
 * @return 0; -errno with the reason in the log
 */
int vstate_poller_create(struct vstate_dev *dev, int socket);
/** Unregister the service. The device has no poller afterwards. Takes the control lock. */
void vstate_poller_destroy(struct vstate_dev *dev);
/** The port stops: make the service the poller, if there is one. Takes the control lock. */
void vstate_poller_fall_back(struct vstate_dev *dev);

#endif /* VSTATE_POLLER_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_POLLER_H
#define VSTATE_POLLER_H

/**
 * @file
 * Who polls the queues of a device: a port of the application's poll threads, or an EAL service that
 * runs the class's poll function on a service core. Never both: the change goes through here.
 */

#include "vstate_run.h"

struct vstate_dev;

/**
 * Change who polls. No poll thread is inside while @p apply runs, which may be NULL. Takes the
 * control lock. The threads of a port stop before the port does.
 */
int vstate_poller_set(struct vstate_dev *dev, enum vstate_poller_kind poller,
		void (*apply)(struct vstate_dev *dev, void *arg), void *arg);

/**
 * Register an EAL service for the device, give it to a service core if there is one, and let it
 * poll. @return 0 or -errno, with the reason in the log
 */
int vstate_poller_create(struct vstate_dev *dev, int socket);
/** Nobody polls any more; the service is gone at return. */
void vstate_poller_destroy(struct vstate_dev *dev);
/** The port ends: let the service poll if there is one, else nobody. */
void vstate_poller_fall_back(struct vstate_dev *dev);

#endif /* VSTATE_POLLER_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_LINK_H
#define VSTATE_PORT_LINK_H

/**
 * @file
 * The link of the port: up while the port runs and the guest is there, and who hears of it. The event
 * comes from EAL's interrupt thread, as that of a NIC would: with the control lock held it could
 * wait for a lock of the application's, the owner of which waits for the control lock. An eventfd
 * wakes that thread; an alarm would wait for a lock that the thread may hold when it is descheduled.
 */

#include <stdbool.h>

#include "vstate_port.h"

/** A port without link; 0 or -errno. */
int vstate_port_link_create(struct vstate_port **port);
/** Free it; no link event of it is under way or comes any more. Without the control lock. */
void vstate_port_link_free(struct vstate_port *port);
/** Set whether the guest is there; sends the link event if it changed. Control lock. */
void vstate_port_link_set(struct vstate_dev *dev, bool up);
/** Show the link to ethdev as it is. 0: it changed; -1: it did not. */
int vstate_port_link_show(struct vstate_port *port);

#endif /* VSTATE_PORT_LINK_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_LINK_H
#define VSTATE_PORT_LINK_H

/**
 * @file
 * The link of the port. It is up while the port is started and the guest is present.
 *
 * EAL's interrupt thread sends the link event, as for a NIC. With the control lock held, the event
 * could wait for a lock of the application whose holder waits for the control lock. An eventfd
 * wakes the interrupt thread. An EAL alarm would not do: it takes a lock that the interrupt thread
 * may hold while it is descheduled.
 */

#include <stdbool.h>

#include "vstate_port.h"

/** Allocate a port whose link is down. @return 0 or -errno */
int vstate_port_link_create(struct vstate_port **port);
/** Free a port. At return no link event of it runs or will run. Without the control lock. */
void vstate_port_link_free(struct vstate_port *port);
/** Set whether the guest is present. A change sends the link event. Control lock held. */
void vstate_port_link_set(struct vstate_dev *dev, bool up);
/** The guest enabled or disabled queues. Sends RTE_ETH_EVENT_QUEUE_STATE. Control lock held. */
void vstate_port_link_queues_changed(struct vstate_dev *dev);
/** Write the current link to ethdev. @return 0 if it changed, -1 if not */
int vstate_port_link_show(struct vstate_port *port);

#endif /* VSTATE_PORT_LINK_H */

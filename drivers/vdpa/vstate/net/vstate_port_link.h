/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_LINK_H
#define VSTATE_PORT_LINK_H

/** @file The link of the port: up while the port runs and the guest is there. */

#include <stdbool.h>

#include "vstate_port.h"

/** A port without link; 0 or -errno. */
int vstate_port_link_create(struct vstate_port **port);
/** Free it; no link event of it is under way or comes any more. Not for the control thread. */
void vstate_port_link_free(struct vstate_port *port);
/** Tell whether the guest is there; sends the link event if it changed. Control thread. */
void vstate_port_link_set(struct vstate_dev *dev, bool up);
/** Show the link to ethdev as it is. 0: it changed; -1: it did not. */
int vstate_port_link_show(struct vstate_port *port);

#endif /* VSTATE_PORT_LINK_H */

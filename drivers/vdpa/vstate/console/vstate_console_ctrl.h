/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_CTRL_H
#define VSTATE_CONSOLE_CTRL_H

/**
 * @file
 * The control queues of a console with several ports (VIRTIO 1.4 "Multiport Device Operation"). The
 * caller holds the lock of the console.
 *
 * The messages that are due to the driver are a set for each port, and not a list: a later
 * change replaces an earlier one that is not sent yet. So nothing grows, however slow the driver.
 */

#include <stdbool.h>
#include <stdint.h>

struct virtio_console_control;
struct vstate_console;
struct vstate_vq;

/** Indices of the control queues: to the driver, and from the driver. */
#define VSTATE_CONSOLE_CTRL_TO_GUEST 2
#define VSTATE_CONSOLE_CTRL_TO_HOST 3

/** Run a command of the driver. @return whether it is one. It may run twice. */
bool vstate_console_ctrl_run(struct vstate_console *c, const struct virtio_console_control *cmd);
/** Run what the driver has sent, for one turn; takes the lease. @return whether there is more */
bool vstate_console_ctrl_commands(struct vstate_console *c);
/** Send what is due to the driver, for one turn; takes the lease. @return as above */
bool vstate_console_ctrl_messages(struct vstate_console *c);
/** A queue that stops, whose lease is revoked: return all buffers of it that are in flight. */
void vstate_console_ctrl_finish(struct vstate_console *c, struct vstate_vq *vq);

#endif /* VSTATE_CONSOLE_CTRL_H */

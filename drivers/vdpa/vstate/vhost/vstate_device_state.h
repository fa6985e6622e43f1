/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEVICE_STATE_H
#define VSTATE_DEVICE_STATE_H

/**
 * @file
 * The state through a file descriptor of the front end's (vhost-user SET_DEVICE_STATE_FD and
 * CHECK_DEVICE_STATE). Nobody waits for the peer, which may be slow, while rte_vhost's event
 * thread serves all sockets of the process; only CHECK does, for a bounded time.
 *
 * Called by the thread that talks to the front end; one transfer at a time.
 */

#include <stdbool.h>

struct rte_tel_data;
struct vstate_dev;

/**
 * Begin to move the state.
 * @param load false: write the device's state to @p fd; true: read one from it
 * @param fd belongs to the transfer from here on, whatever is returned
 * @return 0, -errno; the reason of a refusal is logged
 */
int vstate_device_state_start(struct vstate_dev *dev, bool load, int fd);

/**
 * Wait for the end, for a bounded time, and take over what was loaded.
 * @return 0 if the whole state went through and, if loaded, is one that this device can take
 */
int vstate_device_state_check(struct vstate_dev *dev);

/**
 * By the control thread: move on what is under way.
 * @return true if it moves, and has not come to its end
 */
bool vstate_device_state_watch(struct vstate_dev *dev);

/** Give up whatever is under way. */
void vstate_device_state_abort(struct vstate_dev *dev);

/** Add the counts of states that were saved and loaded to /vstate/dev. Any thread. */
void vstate_device_state_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_DEVICE_STATE_H */

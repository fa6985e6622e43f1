/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEVICE_STATE_H
#define VSTATE_DEVICE_STATE_H

/**
 * @file
 * The device state through a file descriptor that the front end passed (vhost-user
 * SET_DEVICE_STATE_FD and CHECK_DEVICE_STATE). rte_vhost's event thread serves all sockets of the
 * process, so it must not wait for a slow peer. Only CHECK_DEVICE_STATE waits, for a bounded time.
 *
 * The thread that serves the front end calls these functions. A device saves or loads one state at
 * a time.
 */

#include <stdbool.h>

struct rte_tel_data;
struct vstate_dev;

/**
 * Begin to save or load a state.
 * @param load false: write the device's state to @p fd; true: read a state from it
 * @param fd belongs to the device from here on, also on failure
 * @return 0 or -errno; the reason of a refusal is logged
 */
int vstate_device_state_start(struct vstate_dev *dev, bool load, int fd);

/**
 * The front end says that the last byte has come or gone: apply a loaded state to the device. Does
 * not wait.
 * @return 0: the whole state was saved, or loaded and applied; -EAGAIN: bytes are missing, call
 *   again soon; -ETIMEDOUT: they are missing for too long; -ENOENT: no state was begun; or another
 *   -errno
 */
int vstate_device_state_check(struct vstate_dev *dev);

/**
 * Read or write bytes without waiting. Called by the watch thread.
 * @return true if bytes were moved and there are more
 */
bool vstate_device_state_watch(struct vstate_dev *dev);

/** Drop a state that is being saved or loaded, if there is one. */
void vstate_device_state_abort(struct vstate_dev *dev);

/** Add the counts of states that were saved and loaded to /vstate/dev. Any thread. */
void vstate_device_state_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_DEVICE_STATE_H */

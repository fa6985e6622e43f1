/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BACKEND_REQ_H
#define VSTATE_BACKEND_REQ_H

/**
 * @file
 * The channel of vhost-user on which a back end sends requests to its front end
 * (SET_BACKEND_REQ_FD). The device has one request: config space changed.
 *
 * The descriptor is the front end's. No function waits for it. A device that is stopped sends
 * nothing: vhost-user forbids it, and a front end may ignore it. The request is sent when the
 * device runs.
 */

#include <stdbool.h>
#include <stdint.h>

struct rte_tel_data;
struct vstate_dev;

struct vstate_backend_req {
	/** -1: the front end has set no channel. */
	int fd;
	/** The front end may not know the current config space. */
	bool config_due;
	/** Requests sent. Any thread reads it. */
	uint64_t configs;
};

/** No channel yet. */
void vstate_backend_req_init(struct vstate_dev *dev);
/**
 * Use a channel, in place of the old one. The config space may have changed while the front end
 * had no channel, so that it is notified once. Takes the control lock.
 * @param fd is copied
 */
void vstate_backend_req_set(struct vstate_dev *dev, int fd);
/** The connection ended: close the channel. Takes the control lock. */
void vstate_backend_req_end(struct vstate_dev *dev);
/** Config space changed. Control lock held. */
void vstate_backend_req_config_changed(struct vstate_dev *dev);
/** Send what is due, if that is possible now. Control lock held. */
void vstate_backend_req_watch(struct vstate_dev *dev);
/** Add the count to /vstate/dev. Any thread. */
void vstate_backend_req_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_BACKEND_REQ_H */

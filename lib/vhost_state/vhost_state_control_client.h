/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_CONTROL_CLIENT_H
#define VHOST_STATE_CONTROL_CLIENT_H

/**
 * @file
 * A client of a control socket. It has a thread, which reads its requests, runs them and writes the
 * replies. So a device that lets one client wait does not let another one wait. A client that does
 * not read is disconnected: its replies and events are kept up to a bound only, and for a bounded
 * time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhost_state_control_client;

/** What a client needs from its socket. */
struct vhost_state_control_owner {
	/** An eventfd that the client signals when it has ended. */
	int wake;
	/** Number of clients that did not read. Counted by any thread. */
	uint64_t dropped;
};

/**
 * Make a client of a connection. It is served from vhost_state_control_client_start() on.
 * @param fd closed by the client, also after an error
 * @return the client, to be ended by vhost_state_control_client_free(); NULL with rte_errno
 */
struct vhost_state_control_client *vhost_state_control_client_create(int fd,
		struct vhost_state_control_owner *owner);
/**
 * Serve the client. Events must reach it before this call: it can ask for them at once.
 * @return 0 or -errno
 */
int vhost_state_control_client_start(struct vhost_state_control_client *c);
/** Return whether the client has ended by itself. Any thread. */
bool vhost_state_control_client_ended(const struct vhost_state_control_client *c);
/** Ask the client to end, without waiting. Any thread. */
void vhost_state_control_client_stop(struct vhost_state_control_client *c);
/** Stop the client, wait for the operation that it runs, and free it. One thread. */
void vhost_state_control_client_free(struct vhost_state_control_client *c);
/** Send a line to a client that asked for events. Never waits. Any thread. */
void vhost_state_control_client_event(struct vhost_state_control_client *c, const char *line,
		size_t len);

#endif /* VHOST_STATE_CONTROL_CLIENT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_CONTROL_CMD_H
#define VHOST_STATE_CONTROL_CMD_H

/** @file The requests of a control socket. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/** Longest line of a request in bytes, without its newline. */
#define VHOST_STATE_CONTROL_LINE_MAX 8192

/** What a request finds out about its client, and changes. */
struct vhost_state_control_session {
	/** The client wants events. */
	bool events;
	/** Clients that this process disconnected because they did not read. */
	uint64_t dropped;
};

/**
 * Run one request. It may wait as long as the operation of a device may.
 *
 * @param line
 *   The line without its newline; any bytes.
 * @param len
 *   Its length in bytes.
 * @param fd
 *   Descriptor that came with the request, or -1. The caller closes it.
 * @param session
 *   Of the client; changed by the requests subscribe and unsubscribe.
 * @return
 *   The reply, to be freed; NULL if there is no memory.
 */
json_t *vhost_state_control_run(const char *line, size_t len, int fd,
		struct vhost_state_control_session *session);

#endif /* VHOST_STATE_CONTROL_CMD_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CTL_LINK_H
#define CTL_LINK_H

/**
 * @file
 * A connection to a control socket: requests and replies are JSON objects. Errors are reported on
 * stderr.
 */

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct ctl_link {
	int fd;
	const char *path;
	/** What was read and not yet returned. */
	char *buf;
	size_t len, size;
};

/** Connect to @p path. @return 0 or -errno, reported */
int ctl_link_open(struct ctl_link *link, const char *path);
void ctl_link_close(struct ctl_link *link);

/**
 * Send a request.
 * @param request freed, also after an error
 * @param fd descriptor that goes with it, or -1
 * @return 0; -EPIPE: the peer is gone, or has refused the connection: its reply can be read
 */
int ctl_link_send(struct ctl_link *link, json_t *request, int fd);
/**
 * Read the next reply or event.
 * @param ms how long to wait, in milliseconds
 * @param object written on success, to be freed
 * @return 0; -EAGAIN: nothing came in time; -EINTR: a stop was requested; -ECONNRESET and -EPROTO
 *   are reported
 */
int ctl_link_read(struct ctl_link *link, int ms, json_t **object);
/**
 * Send a request and wait for its reply. Events are ignored.
 * @return the reply, to be freed; NULL: reported, except for a requested stop
 */
json_t *ctl_link_ask(struct ctl_link *link, json_t *request, int fd);

#endif /* CTL_LINK_H */

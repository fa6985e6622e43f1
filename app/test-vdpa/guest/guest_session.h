/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_SESSION_H
#define GUEST_SESSION_H

/**
 * @file
 * A run of a guest for a time, with a back end of another process. A guest that listens continues
 * with the next back end if one goes away, as a front end does with reconnection: the in-flight
 * region says which buffers the last one had.
 */

#include <stdbool.h>
#include <stdint.h>

#include "guest_traffic.h"

struct guest;

struct guest_session {
	/** Path of the socket. @p server: the guest listens there; back ends may come and go. */
	const char *path;
	bool server;
	/** Sleep until the back end calls. */
	bool calls;
	/** Change settings by the control queue at random. Such a guest has one back end only. */
	bool cvq;
	/** Duration of the traffic. */
	double seconds;
};

struct guest_session_result {
	/** Zero unless traffic ran. */
	double seconds;
	struct guest_counts counts;
	struct guest_notify notify;
	uint64_t features;
	/** Back ends after the first one. */
	unsigned int reconnects;
	/** Frames that back ends which went away may have had in their hands. */
	uint64_t lost_allowed;
};

/**
 * Connect, run traffic until the time is over or a stop is requested, and disconnect.
 * @param r  written, also on failure: what the guest saw until then
 * @return 0; -EPIPE: the back end closed the connection, and no other one took its place;
 *   -EBADMSG: a control command was answered wrongly; or another -errno
 */
int guest_session_run(struct guest *g, const struct guest_session *s,
		struct guest_session_result *r);

#endif /* GUEST_SESSION_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_STREAM_H
#define VSTATE_MSG_STREAM_H

/**
 * @file
 * Whole vhost-user messages over a socket. No call waits: a message may come, and may go, in
 * pieces. A value belongs to one thread.
 */

#include <stddef.h>

#include "vstate_vhost_user.h"

/** A message with its descriptors, of which a part has come or gone. */
struct vstate_msg_stream {
	struct msg msg;
	/** Bytes of the message that have come or gone. */
	size_t done;
	int fds[MSG_MAX_FDS];
	unsigned int nb_fds;
};

/** Close the descriptors; the value is empty afterwards. */
void vstate_msg_stream_clear(struct vstate_msg_stream *s);

/**
 * Read what is there of one message, and not a byte of the next one.
 * @param s empty, or with the part that has come so far
 * @return 1: the message is whole; 0: more has to come; -EPIPE: the peer hung up; -EMSGSIZE: the
 *   payload is longer than MSG_PAYLOAD_MAX, or there are more than MSG_MAX_FDS descriptors; or
 *   another -errno
 */
int vstate_msg_stream_read(struct vstate_msg_stream *s, int fd);

/**
 * Write as much of the message as there is room for. The descriptors go with its first byte and
 * are closed then.
 * @param s a whole message; empty afterwards if 1 is returned
 * @return 1: all of it is written; 0: there is no room now; -EPIPE or another -errno
 */
int vstate_msg_stream_write(struct vstate_msg_stream *s, int fd);

/** Return the bytes of a message whose header is whole. */
size_t vstate_msg_stream_length(const struct msg *msg);

#endif /* VSTATE_MSG_STREAM_H */

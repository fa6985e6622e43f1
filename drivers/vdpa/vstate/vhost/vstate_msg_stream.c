/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "handover/vstate_scm.h"
#include "vstate_msg_stream.h"

static void
fds_close(struct vstate_msg_stream *s)
{
	while (s->nb_fds > 0)
		close(s->fds[--s->nb_fds]);
}

void
vstate_msg_stream_clear(struct vstate_msg_stream *s)
{
	fds_close(s);
	s->done = 0;
}

size_t
vstate_msg_stream_length(const struct msg *msg)
{
	return (size_t)MSG_HEADER_SIZE + msg->size;
}

/* The length of the message; as long as it is not known, the length of its header. */
static size_t
length_so_far(const struct vstate_msg_stream *s)
{
	return s->done < MSG_HEADER_SIZE ? MSG_HEADER_SIZE : vstate_msg_stream_length(&s->msg);
}

int
vstate_msg_stream_read(struct vstate_msg_stream *s, int fd)
{
	uint8_t *to = (uint8_t *)&s->msg;
	ssize_t n;

	do {
		n = vstate_scm_recv(fd, to + s->done, length_so_far(s) - s->done, s->fds,
				MSG_MAX_FDS, &s->nb_fds);
		if (n == 0)
			return -EPIPE;
		if (n < 0)
			return n == -EAGAIN ? 0 : n;
		s->done += n;
		if (length_so_far(s) > MSG_HEADER_SIZE + MSG_PAYLOAD_MAX)
			return -EMSGSIZE;
	} while (s->done < length_so_far(s));
	return 1;
}

int
vstate_msg_stream_write(struct vstate_msg_stream *s, int fd)
{
	const uint8_t *from = (const uint8_t *)&s->msg;
	const size_t len = vstate_msg_stream_length(&s->msg);
	ssize_t n;

	while (s->done < len) {
		n = vstate_scm_send(fd, from + s->done, len - s->done, s->fds, s->nb_fds);
		/* the system is short of memory: the next attempt may succeed */
		if (n == -EAGAIN || n == -ENOBUFS || n == -ENOMEM || n == -ETOOMANYREFS)
			return 0;
		if (n < 0)
			return n;
		fds_close(s);
		s->done += n;
	}
	s->done = 0;
	return 1;
}

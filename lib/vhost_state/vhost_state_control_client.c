/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>

#include <vstate_compat.h>

#include "vhost_state_control_client.h"
#include "vhost_state_control_cmd.h"
#include "vhost_state_control_json.h"
#include "vhost_state_event.h"
#include "vhost_state_log.h"

/* No further request is run while a client has not read this many bytes. */
#define OUT_HIGH (64u * 1024)
/* A client with this many unread bytes gets no event any more. It is disconnected. */
#define OUT_MAX (256u * 1024)
/* How long a client may read nothing although there is something. */
#define STUCK_MS 5000
/* Descriptors that one message can bring; all but the first are closed. */
#define MAX_FDS 4

struct vhost_state_control_client {
	struct vhost_state_control_owner *owner;
	struct vstate_thread thread;
	bool started;
	int fd, wake;
	/** Set by other threads: end. Set by the thread: has ended. */
	bool stop, ended;

	/* -- of the thread -- */
	struct vhost_state_control_session session;
	char in[VHOST_STATE_CONTROL_LINE_MAX + 1];
	size_t in_len;
	/** The rest of a line that is too long is ignored. */
	bool skipping;
	/** The peer sends no more. */
	bool eof;
	/** Descriptor for the next request, or -1. */
	int passed_fd;

	/** Protects the members below. A leaf: no other lock is taken under it. */
	pthread_mutex_t lock;
	char *out;
	size_t out_len, out_size;
	/** The client wants events. */
	bool events;
	/** Why the client is disconnected, or NULL. */
	const char *fault;
};

/* ---- what is written ---- */

/* Append to the buffer. @return false: there is no memory. The lock is held. */
static bool
out_append(struct vhost_state_control_client *c, const char *line, size_t len)
{
	size_t size = c->out_size != 0 ? c->out_size : 4096;
	char *p;

	while (size - c->out_len < len)
		size *= 2;
	if (size != c->out_size) {
		p = realloc(c->out, size);
		if (p == NULL)
			return false;
		c->out = p;
		c->out_size = size;
	}
	memcpy(c->out + c->out_len, line, len);
	c->out_len += len;
	return true;
}

static size_t
out_pending(struct vhost_state_control_client *c)
{
	size_t len;

	pthread_mutex_lock(&c->lock);
	len = c->out_len;
	pthread_mutex_unlock(&c->lock);
	return len;
}

/* Write what the socket takes now. */
static void
out_flush(struct vhost_state_control_client *c)
{
	ssize_t n;

	pthread_mutex_lock(&c->lock);
	if (c->out_len > 0) {
		n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			c->out_len -= (size_t)n;
			memmove(c->out, c->out + n, c->out_len);
		} else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
			c->stop = true;
		}
	}
	pthread_mutex_unlock(&c->lock);
}

static void
reply_send(struct vhost_state_control_client *c, json_t *reply)
{
	size_t len = 0;
	char *line = vhost_state_control_line(reply, &len);

	pthread_mutex_lock(&c->lock);
	if (line == NULL || !out_append(c, line, len))
		c->fault = "no memory for a reply";
	pthread_mutex_unlock(&c->lock);
	free(line);
}

void
vhost_state_control_client_event(struct vhost_state_control_client *c, const char *line,
		size_t len)
{
	bool wake = false;

	pthread_mutex_lock(&c->lock);
	if (c->events && c->fault == NULL) {
		if (c->out_len + len > OUT_MAX)
			c->fault = "it does not read its events";
		else if (!out_append(c, line, len))
			c->fault = "no memory for an event";
		wake = true;
	}
	pthread_mutex_unlock(&c->lock);
	if (wake)
		eventfd_write(c->wake, 1);
}

/* ---- requests ---- */

static void
passed_fd_close(struct vhost_state_control_client *c)
{
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	c->passed_fd = -1;
}

static void
line_run(struct vhost_state_control_client *c, const char *line, size_t len)
{
	bool events = c->session.events;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0)
		return;
	c->session.dropped = rte_atomic_load_explicit(&c->owner->dropped, rte_memory_order_relaxed);
	reply_send(c, vhost_state_control_run(line, len, c->passed_fd, &c->session));
	passed_fd_close(c);
	if (c->session.events == events)
		return;
	/* after the reply, so that no event stands before it */
	pthread_mutex_lock(&c->lock);
	c->events = c->session.events;
	pthread_mutex_unlock(&c->lock);
	vhost_state_event_wanted(c->session.events);
}

/* Answer a request that does not fit the buffer, and ignore the rest of its line. */
static void
long_line_refuse(struct vhost_state_control_client *c)
{
	if (!c->skipping)
		reply_send(c, vhost_state_control_bad("too_long",
				"a request has at most %u bytes", VHOST_STATE_CONTROL_LINE_MAX));
	c->skipping = true;
	c->in_len = 0;
	passed_fd_close(c);
}

/*
 * Run the complete lines, as long as the client reads the replies.
 * @return whether a complete line is left
 */
static bool
lines_run(struct vhost_state_control_client *c)
{
	size_t at = 0, len;
	char *end;

	while (!c->stop && out_pending(c) < OUT_HIGH) {
		end = memchr(c->in + at, '\n', c->in_len - at);
		if (end == NULL)
			break;
		len = (size_t)(end - (c->in + at));
		if (!c->skipping)
			line_run(c, c->in + at, len);
		c->skipping = false;
		at += len + 1;
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	if (memchr(c->in, '\n', c->in_len) != NULL)
		return true;
	if (c->in_len == sizeof(c->in))
		long_line_refuse(c);
	return false;
}

/* Keep the first descriptor of a message for the next request, and close all others. */
static void
fds_take(struct vhost_state_control_client *c, struct msghdr *msg)
{
	int fds[MAX_FDS];
	struct cmsghdr *cmsg;
	size_t nb, i;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		nb = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		nb = RTE_MIN(nb, (size_t)MAX_FDS);
		memcpy(fds, CMSG_DATA(cmsg), nb * sizeof(int));
		for (i = 0; i < nb; i++) {
			if (c->passed_fd < 0)
				c->passed_fd = fds[i];
			else
				close(fds[i]);
		}
	}
}

static void
input_read(struct vhost_state_control_client *c)
{
	union {
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { c->in + c->in_len, sizeof(c->in) - c->in_len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;

	n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			c->stop = true;
		return;
	}
	fds_take(c, &msg);
	if (n == 0)
		c->eof = true;
	c->in_len += (size_t)n;
}

/* ---- the thread ---- */

static const char *
fault_get(struct vhost_state_control_client *c)
{
	const char *fault;

	pthread_mutex_lock(&c->lock);
	fault = c->fault;
	pthread_mutex_unlock(&c->lock);
	return fault;
}

static bool
stop_wanted(const struct vhost_state_control_client *c)
{
	return rte_atomic_load_explicit(&c->stop, rte_memory_order_relaxed);
}

/* Wait for input, room for output, or another thread. @return false: the client is stuck */
static bool
client_wait(struct vhost_state_control_client *c)
{
	const size_t pending = out_pending(c);
	struct pollfd p[2] = { { .fd = c->fd }, { .fd = c->wake, .events = POLLIN } };
	eventfd_t unused;
	int n;

	if (!c->eof && pending < OUT_HIGH && c->in_len < sizeof(c->in))
		p[0].events |= POLLIN;
	if (pending > 0)
		p[0].events |= POLLOUT;
	n = poll(p, RTE_DIM(p), pending > 0 ? STUCK_MS : -1);
	if (p[1].revents != 0)
		eventfd_read(c->wake, &unused);
	if ((p[0].revents & (POLLERR | POLLNVAL)) != 0 ||
			((p[0].revents & POLLHUP) != 0 && (p[0].revents & POLLIN) == 0))
		c->stop = true;
	else if ((p[0].revents & POLLIN) != 0)
		input_read(c);
	return n != 0;
}

static void
client_serve(struct vhost_state_control_client *c)
{
	bool more;

	while (!stop_wanted(c)) {
		if (!client_wait(c)) {
			pthread_mutex_lock(&c->lock);
			c->fault = "it does not read its replies";
			pthread_mutex_unlock(&c->lock);
		}
		if (fault_get(c) != NULL)
			return;
		do {
			more = lines_run(c);
			out_flush(c);
		} while (more && out_pending(c) < OUT_HIGH && !stop_wanted(c));
		/* one that sends no more still gets its replies, and events as long as it reads */
		if (c->eof && out_pending(c) == 0 && !c->session.events)
			return;
	}
}

static void *
client_main(void *arg)
{
	struct vhost_state_control_client *c = arg;
	const char *fault;

	client_serve(c);
	if (c->session.events)
		vhost_state_event_wanted(false);
	fault = fault_get(c);
	if (fault != NULL) {
		rte_atomic_fetch_add_explicit(&c->owner->dropped, 1, rte_memory_order_relaxed);
		VHOST_STATE_LOG(NOTICE, "control client disconnected: %s", fault);
	}
	shutdown(c->fd, SHUT_RDWR);
	rte_atomic_store_explicit(&c->ended, true, rte_memory_order_release);
	eventfd_write(c->owner->wake, 1);
	return NULL;
}

bool
vhost_state_control_client_ended(const struct vhost_state_control_client *c)
{
	return rte_atomic_load_explicit(&c->ended, rte_memory_order_acquire);
}

static void
client_destroy(struct vhost_state_control_client *c)
{
	passed_fd_close(c);
	close(c->fd);
	if (c->wake >= 0)
		close(c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c->out);
	free(c);
}

struct vhost_state_control_client *
vhost_state_control_client_create(int fd, struct vhost_state_control_owner *owner)
{
	struct vhost_state_control_client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		rte_errno = ENOMEM;
		return NULL;
	}
	c->owner = owner;
	c->fd = fd;
	c->passed_fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake >= 0)
		return c;
	rte_errno = errno;
	client_destroy(c);
	return NULL;
}

int
vhost_state_control_client_start(struct vhost_state_control_client *c)
{
	int ret = vstate_thread_create(&c->thread, "vstate-client", client_main, c);

	c->started = ret == 0;
	return ret;
}

void
vhost_state_control_client_stop(struct vhost_state_control_client *c)
{
	rte_atomic_store_explicit(&c->stop, true, rte_memory_order_relaxed);
	eventfd_write(c->wake, 1);
}

void
vhost_state_control_client_free(struct vhost_state_control_client *c)
{
	vhost_state_control_client_stop(c);
	if (c->started)
		vstate_thread_join(&c->thread);
	client_destroy(c);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "clock.h"
#include "ctl_link.h"
#include "stop.h"

/* An operation may wait for a device for ten seconds, and for a disk. */
#define REPLY_MS 60000
/* A reply is not longer than this. */
#define REPLY_MAX (16u * 1024 * 1024)

static int
link_fault(const struct ctl_link *link, int err, const char *what)
{
	fprintf(stderr, "dpdk-test-vdpa ctl: %s: %s\n", link->path, what);
	return -err;
}

int
ctl_link_open(struct ctl_link *link, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	*link = (struct ctl_link){ .fd = -1, .path = path };
	if (rte_strscpy(un.sun_path, path, sizeof(un.sun_path)) < 0)
		return link_fault(link, ENAMETOOLONG, strerror(ENAMETOOLONG));
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0 || connect(link->fd, (const struct sockaddr *)&un, sizeof(un)) != 0)
		return link_fault(link, errno, strerror(errno));
	return 0;
}

void
ctl_link_close(struct ctl_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	free(link->buf);
	*link = (struct ctl_link){ .fd = -1 };
}

static ssize_t
bytes_send(int to, const char *bytes, size_t len, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { RTE_PTR_UNQUAL(bytes), len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL);
}

int
ctl_link_send(struct ctl_link *link, json_t *request, int fd)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t len = line != NULL ? strlen(line) + 1 : 0, at = 0;
	ssize_t n;

	json_decref(request);
	if (line == NULL)
		return link_fault(link, ENOMEM, "a name is not UTF-8, or there is no memory");
	line[len - 1] = '\n';
	while (at < len) {
		n = bytes_send(link->fd, line + at, len - at, at == 0 ? fd : -1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		at += n;
	}
	free(line);
	return at == len ? 0 : -EPIPE;
}

/* Take a complete line out of the buffer. @return 0; -EAGAIN; -EPROTO */
static int
line_take(struct ctl_link *link, json_t **object)
{
	char *end = link->len > 0 ? memchr(link->buf, '\n', link->len) : NULL;
	json_error_t why;
	size_t len;

	if (end == NULL)
		return -EAGAIN;
	len = end - link->buf + 1;
	*object = json_loadb(link->buf, len, 0, &why);
	link->len -= len;
	memmove(link->buf, end + 1, link->len);
	return *object != NULL ? 0 : link_fault(link, EPROTO, "the reply is not JSON");
}

static int
bytes_read(struct ctl_link *link)
{
	ssize_t n;
	char *p;

	if (link->len == link->size) {
		link->size = link->size != 0 ? 2 * link->size : 4096;
		p = link->size <= REPLY_MAX ? realloc(link->buf, link->size) : NULL;
		if (p == NULL)
			return link_fault(link, EPROTO, "the reply is too long");
		link->buf = p;
	}
	n = recv(link->fd, link->buf + link->len, link->size - link->len, 0);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return link_fault(link, ECONNRESET, "the process closed the connection");
	link->len += n;
	return 0;
}

int
ctl_link_read(struct ctl_link *link, int ms, json_t **object)
{
	const uint64_t end = clock_ns() + (uint64_t)ms * 1000000;
	struct pollfd p = { .fd = link->fd, .events = POLLIN };
	uint64_t now;
	int ret;

	while ((ret = line_take(link, object)) == -EAGAIN) {
		if (stop_requested() != 0)
			return -EINTR;
		now = clock_ns();
		if (now >= end)
			return -EAGAIN;
		/* another thread may get the signal: look again from time to time */
		if (poll(&p, 1, RTE_MIN((end - now) / 1000000 + 1, 100u)) <= 0)
			continue;
		ret = bytes_read(link);
		if (ret != 0)
			return ret;
	}
	return ret;
}

json_t *
ctl_link_ask(struct ctl_link *link, json_t *request, int fd)
{
	json_t *object = NULL;
	int ret = ctl_link_send(link, request, fd);

	if (ret != 0 && ret != -EPIPE)
		return NULL;
	do {
		json_decref(object);
		object = NULL;
		ret = ctl_link_read(link, REPLY_MS, &object);
	} while (ret == 0 && json_object_get(object, "event") != NULL);
	if (ret == -EAGAIN)
		link_fault(link, ETIMEDOUT, "no reply");
	return object;
}

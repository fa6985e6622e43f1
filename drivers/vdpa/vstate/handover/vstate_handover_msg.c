/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "dev/vstate_clock.h"
#include "vstate_handover_msg.h"
#include "vstate_scm.h"

/* In memory: the bytes "vshandov". */
#define MAGIC 0x766f646e61687376ull
#define VERSION 2
/* Far more bytes and descriptors than a device with the most queues needs. */
#define LEN_MAX (1u << 20)
#define FDS_MAX 4096
/* A message grows in steps of this many bytes, and a quarter as many descriptors. */
#define ROOM_STEP 4096
#define BACKLOG 8

/** Before a message, in host order. */
struct header {
	uint64_t magic;
	uint32_t version, kind, value, nb_fds;
	uint64_t len;
};

/** Before the bytes of an item, in host order. */
struct item_header {
	uint32_t type, size, nb_fds;
};

/* ---- items ---- */

void
vstate_handover_msg_drop(struct vstate_handover_msg *msg)
{
	unsigned int i;

	for (i = 0; i < msg->nb_fds; i++) {
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	}
	free(msg->fds);
	free(msg->bytes);
	*msg = (struct vstate_handover_msg){ 0 };
}

static int
room_make(struct vstate_handover_msg *msg, size_t bytes, unsigned int fds)
{
	void *grown;

	if (msg->room - msg->len < bytes) {
		grown = realloc(msg->bytes, msg->room + bytes + ROOM_STEP);
		if (grown == NULL)
			return -ENOMEM;
		msg->bytes = grown;
		msg->room += bytes + ROOM_STEP;
	}
	if (msg->fds_room - msg->nb_fds < fds) {
		grown = realloc(msg->fds, (msg->fds_room + fds + ROOM_STEP / 4) *
				sizeof(msg->fds[0]));
		if (grown == NULL)
			return -ENOMEM;
		msg->fds = grown;
		msg->fds_room += fds + ROOM_STEP / 4;
	}
	return 0;
}

int
vstate_handover_msg_add(struct vstate_handover_msg *msg, uint32_t type, const void *bytes,
		uint32_t size, const int *fds, unsigned int nb_fds)
{
	const struct item_header header = { type, size, nb_fds };
	unsigned int i;
	int ret;

	if (size > VSTATE_HANDOVER_ITEM_MAX)
		return -EMSGSIZE;
	ret = room_make(msg, sizeof(header) + size, nb_fds);
	for (i = 0; i < nb_fds && ret == 0; i++) {
		msg->fds[msg->nb_fds + i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (msg->fds[msg->nb_fds + i] >= 0)
			continue;
		ret = -errno;
		while (i-- > 0)
			close(msg->fds[msg->nb_fds + i]);
		break;
	}
	if (ret != 0)
		return ret;
	msg->nb_fds += nb_fds;
	memcpy(msg->bytes + msg->len, &header, sizeof(header));
	if (size > 0)
		memcpy(msg->bytes + msg->len + sizeof(header), bytes, size);
	msg->len += sizeof(header) + size;
	return 0;
}

int
vstate_handover_msg_next(const struct vstate_handover_msg *msg,
		struct vstate_handover_cursor *cursor, struct vstate_handover_item *item)
{
	const size_t left = msg->len - cursor->at;
	struct item_header header;

	if (left == 0)
		return 0;
	if (left < sizeof(header))
		return -EBADMSG;
	memcpy(&header, msg->bytes + cursor->at, sizeof(header));
	if (header.size > VSTATE_HANDOVER_ITEM_MAX || header.size > left - sizeof(header) ||
			header.nb_fds > msg->nb_fds - cursor->fd)
		return -EBADMSG;
	*item = (struct vstate_handover_item){
		.type = header.type,
		.size = header.size,
		.bytes = msg->bytes + cursor->at + sizeof(header),
		.fds = header.nb_fds > 0 ? msg->fds + cursor->fd : NULL,
		.nb_fds = header.nb_fds,
	};
	cursor->at += sizeof(header) + header.size;
	cursor->fd += header.nb_fds;
	return 1;
}

int
vstate_handover_item_take(struct vstate_handover_item *item)
{
	int fd;

	if (item->nb_fds != 1)
		return -1;
	fd = item->fds[0];
	item->fds[0] = -1;
	return fd;
}

/* ---- sockets ---- */

/*
 * Whether the process at the other end runs as the user that this one runs as, or did when it
 * began to listen or to connect. Users are the same in all PID namespaces, and processes are not.
 */
static bool
peer_is_same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		peer.uid == geteuid();
}

/* @return a non-blocking socket, and its address in @p un; or -errno */
static int
socket_create(const char *path, struct sockaddr_un *un)
{
	const int room = LEN_MAX;
	int fd;

	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (rte_strscpy(un->sun_path, path, sizeof(un->sun_path)) < 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* The system may grant less: a sender then waits for its reader more often. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return fd;
}

int
vstate_handover_msg_listen(const char *path)
{
	struct sockaddr_un un;
	int fd = socket_create(path, &un), ret;

	if (fd < 0)
		return fd;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int
vstate_handover_msg_accept(int fd)
{
	int from = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (from < 0)
		return -errno;
	if (peer_is_same_user(from))
		return from;
	close(from);
	return -EPERM;
}

int
vstate_handover_msg_connect(const char *path)
{
	struct sockaddr_un un;
	int fd = socket_create(path, &un), ret;

	if (fd < 0)
		return fd;
	ret = connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 ? 0 : -errno;
	if (ret == 0 && !peer_is_same_user(fd))
		ret = -EPERM;
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

/* @return 0: ready, or hung up; -ETIMEDOUT; -ECANCELED; -errno */
static int
fd_wait(int fd, short events, uint64_t until, int wake)
{
	struct pollfd p[2] = {
		{ .fd = fd, .events = events },
		{ .fd = wake, .events = POLLIN },
	};
	const uint64_t now = vstate_clock_ms();
	int n = now < until ? poll(p, RTE_DIM(p), until - now) : 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[1].revents != 0 && wake >= 0)
		return -ECANCELED;
	return n == 0 ? -ETIMEDOUT : 0;
}

/* ---- send ---- */

static int
bytes_send(int fd, const void *buf, size_t len, const int *fds, unsigned int nb_fds,
		uint64_t until)
{
	const uint8_t *at = buf;
	ssize_t n;
	int ret;

	while (len > 0) {
		n = vstate_scm_send(fd, at, len, fds, nb_fds);
		if (n == -EAGAIN) {
			ret = fd_wait(fd, POLLOUT, until, -1);
			if (ret != 0)
				return ret;
			continue;
		}
		if (n < 0)
			return n == -ECONNRESET ? -EPIPE : n;
		nb_fds = 0;
		at += n;
		len -= n;
	}
	return 0;
}

int
vstate_handover_msg_send(int fd, const struct vstate_handover_msg *msg, uint64_t until)
{
	const struct header header = { MAGIC, VERSION, msg->kind, msg->value, msg->nb_fds,
		msg->len };
	unsigned int i, n;
	int ret;

	ret = bytes_send(fd, &header, sizeof(header), NULL, 0, until);
	for (i = 0; i < msg->nb_fds && ret == 0; i += n) {
		n = RTE_MIN(msg->nb_fds - i, (unsigned int)VSTATE_SCM_MAX_FDS);
		ret = bytes_send(fd, "", 1, msg->fds + i, n, until);
	}
	return ret == 0 ? bytes_send(fd, msg->bytes, msg->len, NULL, 0, until) : ret;
}

/* ---- receive ---- */

/** Where to receive, and how long. */
struct source {
	int fd, wake;
	uint64_t until;
};

static int
bytes_receive(const struct source *from, void *buf, size_t len, int *fds, unsigned int max,
		unsigned int *nb_fds)
{
	uint8_t *at = buf;
	ssize_t n;
	int ret;

	while (len > 0) {
		n = vstate_scm_recv(from->fd, at, len, fds, max, nb_fds);
		if (n == -EAGAIN) {
			ret = fd_wait(from->fd, POLLIN, from->until, from->wake);
			if (ret != 0)
				return ret;
			continue;
		}
		if (n <= 0)
			return n == 0 || n == -ECONNRESET ? -EPIPE : n == -EMSGSIZE ? -EBADMSG : n;
		at += n;
		len -= n;
	}
	return 0;
}

static int
body_receive(const struct source *from, const struct header *header,
		struct vstate_handover_msg *msg)
{
	unsigned int before, none = 0;
	uint8_t step;
	int ret;

	*msg = VSTATE_HANDOVER_MSG(header->kind, header->value);
	ret = room_make(msg, header->len, header->nb_fds);
	while (ret == 0 && msg->nb_fds < header->nb_fds) {
		before = msg->nb_fds;
		ret = bytes_receive(from, &step, 1, msg->fds, header->nb_fds, &msg->nb_fds);
		if (ret == 0 && msg->nb_fds == before)
			ret = -EBADMSG;
	}
	if (ret == 0)
		ret = bytes_receive(from, msg->bytes, header->len, NULL, 0, &none);
	msg->len = header->len;
	return ret;
}

int
vstate_handover_msg_receive(int fd, struct vstate_handover_msg *msg, uint64_t until, int wake)
{
	const struct source from = { fd, wake, until };
	unsigned int none = 0;
	struct header header;
	int ret;

	*msg = (struct vstate_handover_msg){ 0 };
	ret = bytes_receive(&from, &header, sizeof(header), NULL, 0, &none);
	if (ret == 0 && (header.magic != MAGIC || header.version != VERSION ||
			header.len > LEN_MAX || header.nb_fds > FDS_MAX))
		ret = -EBADMSG;
	if (ret == 0)
		ret = body_receive(&from, &header, msg);
	if (ret != 0)
		vstate_handover_msg_drop(msg);
	return ret;
}

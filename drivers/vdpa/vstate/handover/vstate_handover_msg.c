/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_random.h>
#include <rte_string_fns.h>

#include "vstate_handover_msg.h"
#include "vstate_scm.h"

/* In memory: the bytes "vsparcel". */
#define MAGIC 0x6c65637261707376ull
#define VERSION 1
/* Far more bytes and descriptors than a device with the most queues needs. */
#define LEN_MAX (1u << 20)
#define FDS_MAX 4096
/* One connection is expected. */
#define BACKLOG 8

/** Sent first, in host order, with the descriptor of the connection. */
struct header {
	uint64_t magic;
	uint32_t version;
	uint32_t nb_fds;
	uint64_t len;
};

int
vstate_handover_msg_alloc(struct vstate_handover_msg *p, size_t len, unsigned int nb_fds)
{
	*p = VSTATE_HANDOVER_MSG_EMPTY;
	p->bytes = malloc(len + 1);
	p->fds = malloc((nb_fds + 1) * sizeof(p->fds[0]));
	if (p->bytes != NULL && p->fds != NULL)
		return 0;
	vstate_handover_msg_drop(p);
	return -ENOMEM;
}

void
vstate_handover_msg_drop(struct vstate_handover_msg *p)
{
	unsigned int i;

	for (i = 0; i < p->nb_fds; i++)
		close(p->fds[i]);
	if (p->connection >= 0)
		close(p->connection);
	free(p->fds);
	free(p->bytes);
	*p = VSTATE_HANDOVER_MSG_EMPTY;
}

uint32_t
vstate_handover_msg_token(void)
{
	static uint32_t token;
	uint32_t none = 0, made = rte_rand_max(INT32_MAX) + 1;

	__atomic_compare_exchange_n(&token, &none, made, false, __ATOMIC_RELAXED,
			__ATOMIC_RELAXED);
	return __atomic_load_n(&token, __ATOMIC_RELAXED);
}

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
	int fd;

	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (rte_strscpy(un->sun_path, path, sizeof(un->sun_path)) < 0)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 ? fd : -errno;
}

int
vstate_handover_msg_listen(const char *path)
{
	struct sockaddr_un un;
	int fd = socket_create(path, &un), ret;

	if (fd < 0)
		return fd;
	/* a socket that a process with the same token left behind */
	unlink(path);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

void
vstate_handover_msg_unlisten(int fd, const char *path)
{
	if (fd < 0)
		return;
	close(fd);
	unlink(path);
}

/* ---- send ---- */

static int
bytes_send(int fd, const void *buf, size_t len, const int *fds, unsigned int nb_fds)
{
	const uint8_t *at = buf;
	ssize_t n;

	while (len > 0) {
		n = vstate_scm_send(fd, at, len, fds, nb_fds);
		if (n < 0)
			return n;
		nb_fds = 0;
		at += n;
		len -= n;
	}
	return 0;
}

static int
parts_send(int fd, const struct vstate_handover_msg *p)
{
	const struct header header = { MAGIC, VERSION, p->nb_fds, p->len };
	unsigned int i, n;
	int ret;

	ret = bytes_send(fd, &header, sizeof(header), &p->connection, 1);
	for (i = 0; i < p->nb_fds && ret == 0; i += n) {
		n = RTE_MIN(p->nb_fds - i, (unsigned int)VSTATE_SCM_MAX_FDS);
		ret = bytes_send(fd, "", 1, p->fds + i, n);
	}
	return ret == 0 ? bytes_send(fd, p->bytes, p->len, NULL, 0) : ret;
}

int
vstate_handover_msg_send(const char *path, const struct vstate_handover_msg *p)
{
	/*
	 * The system may grant less. The handover message of a device with few queues fits into
	 * any buffer.
	 */
	const int room = LEN_MAX;
	struct sockaddr_un un;
	int fd = socket_create(path, &un), ret;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	ret = connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0 ? 0 : -errno;
	if (ret == 0)
		ret = peer_is_same_user(fd) ? parts_send(fd, p) : -EPERM;
	close(fd);
	return ret;
}

/* ---- receive ---- */

/* The sender has written the whole message before: what is missing now never comes. */
static int
bytes_receive(int fd, void *buf, size_t len, int *fds, unsigned int max, unsigned int *nb_fds)
{
	uint8_t *at = buf;
	ssize_t n;

	while (len > 0) {
		n = vstate_scm_recv(fd, at, len, fds, max, nb_fds);
		if (n <= 0)
			return n == 0 || n == -EAGAIN ? -EBADMSG : n;
		at += n;
		len -= n;
	}
	return 0;
}

static int
parts_receive(int fd, struct vstate_handover_msg *p)
{
	unsigned int nb_connections = 0, before;
	struct header header;
	uint8_t step;
	int ret;

	ret = bytes_receive(fd, &header, sizeof(header), &p->connection, 1, &nb_connections);
	if (ret == 0 && (header.magic != MAGIC || header.version != VERSION ||
			nb_connections != 1 || header.len > LEN_MAX || header.nb_fds > FDS_MAX))
		ret = -EBADMSG;
	if (ret != 0)
		return ret;
	p->bytes = malloc(header.len + 1);
	p->fds = malloc((header.nb_fds + 1) * sizeof(p->fds[0]));
	if (p->bytes == NULL || p->fds == NULL)
		return -ENOMEM;
	while (p->nb_fds < header.nb_fds) {
		before = p->nb_fds;
		ret = bytes_receive(fd, &step, 1, p->fds, header.nb_fds, &p->nb_fds);
		if (ret == 0 && p->nb_fds == before)
			ret = -EBADMSG;
		if (ret != 0)
			return ret;
	}
	p->len = header.len;
	return bytes_receive(fd, p->bytes, p->len, NULL, 0, &nb_connections);
}

int
vstate_handover_msg_accept(int fd)
{
	int from, ret = -EAGAIN;

	for (;;) {
		from = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (from < 0)
			return errno == EAGAIN ? ret : -errno;
		if (peer_is_same_user(from))
			return from;
		/* another user's connection; the owner's may be queued behind it */
		ret = -EPERM;
		close(from);
	}
}

int
vstate_handover_msg_receive(int fd, struct vstate_handover_msg *p)
{
	int from, ret;

	*p = VSTATE_HANDOVER_MSG_EMPTY;
	from = vstate_handover_msg_accept(fd);
	if (from < 0)
		return from;
	ret = parts_receive(from, p);
	close(from);
	if (ret != 0)
		vstate_handover_msg_drop(p);
	return ret;
}

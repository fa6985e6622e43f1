/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_string_fns.h>

#include "dev/vstate_conf.h"
#include "vstate_listener.h"
#include "vstate_log.h"

/* As many front ends as wait at once: one is served, and one more is looked at. */
#define BACKLOG 8

static int
socket_make(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 ? fd : -errno;
}

static struct sockaddr_un
address_make(const struct vstate_conf *conf)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	rte_strscpy(un.sun_path, conf->iface, sizeof(un.sun_path));
	return un;
}

int
vstate_listener_connect(const struct vstate_conf *conf)
{
	const struct sockaddr_un un = address_make(conf);
	int fd = socket_make(), ret;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/*
 * A process that was killed leaves its socket file. Remove the file only if it is a socket on which
 * no process listens.
 * @return 0: nothing is at the path; -EADDRINUSE
 */
static int
stale_file_remove(const struct vstate_conf *conf)
{
	struct stat st;
	int fd;

	if (lstat(conf->iface, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = vstate_listener_connect(conf);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	unlink(conf->iface);
	return 0;
}

static void
file_note(struct vstate_listener *l, const struct vstate_conf *conf)
{
	struct stat st = { 0 };

	lstat(conf->iface, &st);
	l->file_dev = st.st_dev;
	l->file_ino = st.st_ino;
}

static bool
file_is_own(const struct vstate_listener *l, const struct vstate_conf *conf)
{
	struct stat st;

	return lstat(conf->iface, &st) == 0 && st.st_dev == l->file_dev &&
		st.st_ino == l->file_ino;
}

/* Nobody can connect before listen(), so there is no instant with other rights. */
static int
rights_set(const struct vstate_conf *conf)
{
	if (conf->socket_group >= 0 && chown(conf->iface, -1, conf->socket_group) != 0)
		return -errno;
	if (conf->socket_mode >= 0 && chmod(conf->iface, conf->socket_mode) != 0)
		return -errno;
	return 0;
}

int
vstate_listener_open(struct vstate_listener *l, const char *name, const struct vstate_conf *conf)
{
	const struct sockaddr_un un = address_make(conf);
	int ret = stale_file_remove(conf), fd = -1;
	const char *what = "bind";

	*l = VSTATE_LISTENER_NONE;
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: %s is in use by another process, or is not a socket: give "
				"another iface=, or end that process", name, conf->iface);
		return ret;
	}
	fd = socket_make();
	if (fd < 0) {
		VSTATE_LOG(ERR, "%s: cannot make a socket: %s", name, strerror(-fd));
		return fd;
	}
	ret = bind(fd, (const struct sockaddr *)&un, sizeof(un)) == 0 ? 0 : -errno;
	if (ret == 0) {
		file_note(l, conf);
		what = "set mode and group of";
		ret = rights_set(conf);
		if (ret == 0) {
			what = "listen on";
			ret = listen(fd, BACKLOG) == 0 ? 0 : -errno;
		}
		if (ret != 0 && file_is_own(l, conf))
			unlink(conf->iface);
	}
	if (ret == 0) {
		l->fd = fd;
		return 0;
	}
	VSTATE_LOG(ERR, "%s: cannot %s %s: %s", name, what, conf->iface, strerror(-ret));
	close(fd);
	return ret;
}

void
vstate_listener_adopt(struct vstate_listener *l, int fd, const struct vstate_conf *conf)
{
	l->fd = fd;
	file_note(l, conf);
}

void
vstate_listener_close(struct vstate_listener *l, const struct vstate_conf *conf)
{
	if (l->fd < 0)
		return;
	if (file_is_own(l, conf))
		unlink(conf->iface);
	vstate_listener_leave(l);
}

void
vstate_listener_leave(struct vstate_listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	*l = VSTATE_LISTENER_NONE;
}

int
vstate_listener_accept(const struct vstate_listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd >= 0 ? fd : -errno;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "vhost_state_listener.h"

static int
socket_make(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 ? fd : -errno;
}

static int
address_make(struct sockaddr_un *un, const char *path)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (*path == '\0' || rte_strscpy(un->sun_path, path, sizeof(un->sun_path)) < 0)
		return -ENAMETOOLONG;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vhost_state_listener_connect)
int
rte_vhost_state_listener_connect(const char *path)
{
	struct sockaddr_un un;
	int ret = address_make(&un, path), fd;

	if (ret != 0)
		return ret;
	fd = socket_make();
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
stale_file_remove(const char *path, bool *alive)
{
	struct stat st;
	int fd;

	*alive = false;
	if (lstat(path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = rte_vhost_state_listener_connect(path);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED) {
		*alive = true;
		return -EADDRINUSE;
	}
	unlink(path);
	return 0;
}

static void
file_note(struct rte_vhost_state_listener *l, const char *path)
{
	struct stat st = { 0 };

	lstat(path, &st);
	l->file_dev = st.st_dev;
	l->file_ino = st.st_ino;
}

static bool
file_is_own(const struct rte_vhost_state_listener *l, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_dev == l->file_dev && st.st_ino == l->file_ino;
}

/* Nobody can connect before listen(), so there is no instant with other rights. */
static int
rights_set(const char *path, const struct rte_vhost_state_listener_conf *conf)
{
	if (conf->group >= 0 && chown(path, -1, conf->group) != 0)
		return -errno;
	if (conf->mode >= 0 && chmod(path, conf->mode) != 0)
		return -errno;
	return 0;
}

/* Listen at @p path, which becomes conf->path if it is another one. */
static int
listen_at(struct rte_vhost_state_listener *l, int fd, const char *path,
		const struct rte_vhost_state_listener_conf *conf, const char **what)
{
	struct sockaddr_un un;
	int ret = address_make(&un, path);

	*what = "bind";
	if (ret != 0)
		return ret;
	if (bind(fd, (const struct sockaddr *)&un, sizeof(un)) != 0)
		return -errno;
	file_note(l, path);
	*what = "set mode and group of";
	ret = rights_set(path, conf);
	if (ret == 0) {
		*what = "listen on";
		ret = listen(fd, conf->backlog) == 0 ? 0 : -errno;
	}
	if (ret == 0 && path != conf->path) {
		*what = "replace";
		ret = rename(path, conf->path) == 0 ? 0 : -errno;
	}
	if (ret != 0 && file_is_own(l, path))
		unlink(path);
	return ret;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vhost_state_listener_open)
int
rte_vhost_state_listener_open(struct rte_vhost_state_listener *l,
		const struct rte_vhost_state_listener_conf *conf, const char **what)
{
	char beside[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(".new")];
	const char *path = conf->path;
	struct sockaddr_un un;
	bool alive;
	int ret, fd;

	*l = RTE_VHOST_STATE_LISTENER_NONE;
	*what = "bind";
	ret = address_make(&un, conf->path);
	if (ret != 0)
		return ret;
	ret = stale_file_remove(conf->path, &alive);
	if (ret != 0 && !(alive && conf->replace))
		return ret;
	if (ret != 0) {
		snprintf(beside, sizeof(beside), "%s.new", conf->path);
		unlink(beside);
		path = beside;
	}
	*what = "make a socket for";
	fd = socket_make();
	if (fd < 0)
		return fd;
	ret = listen_at(l, fd, path, conf, what);
	if (ret == 0) {
		l->fd = fd;
		return 0;
	}
	close(fd);
	*l = RTE_VHOST_STATE_LISTENER_NONE;
	return ret;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vhost_state_listener_adopt)
void
rte_vhost_state_listener_adopt(struct rte_vhost_state_listener *l, int fd, const char *path)
{
	l->fd = fd;
	file_note(l, path);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vhost_state_listener_close)
void
rte_vhost_state_listener_close(struct rte_vhost_state_listener *l, const char *path)
{
	if (l->fd < 0)
		return;
	if (file_is_own(l, path))
		unlink(path);
	rte_vhost_state_listener_leave(l);
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vhost_state_listener_leave)
void
rte_vhost_state_listener_leave(struct rte_vhost_state_listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	*l = RTE_VHOST_STATE_LISTENER_NONE;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_vhost_state_listener_accept)
int
rte_vhost_state_listener_accept(const struct rte_vhost_state_listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd >= 0 ? fd : -errno;
}

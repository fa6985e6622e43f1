/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_LISTENER_H
#define VHOST_STATE_LISTENER_H

/**
 * @file
 * A UNIX stream socket that listens at a path: the control sockets of this library, and the
 * vhost-user sockets of drivers. For use inside DPDK only.
 *
 * A process that was killed leaves its socket file. The next process replaces the file if nobody
 * listens there. A process removes a file only if it is still that of its own socket.
 *
 * All descriptors are non-blocking. The functions need no lock; a listener has one user at a time.
 */

#include <stdbool.h>
#include <sys/types.h>

#include <rte_compat.h>

struct rte_vhost_state_listener {
	/** -1: this process does not listen. */
	int fd;
	/** The socket file. */
	dev_t file_dev;
	ino_t file_ino;
};

#define RTE_VHOST_STATE_LISTENER_NONE ((struct rte_vhost_state_listener){ .fd = -1 })

/** How to listen. */
struct rte_vhost_state_listener_conf {
	/** Path of the socket, shorter than sun_path of struct sockaddr_un. */
	const char *path;
	/** Permission bits and group of the file; -1: by umask, and the process's group. */
	int mode, group;
	/** Number of connections that wait to be accepted. */
	int backlog;
	/** Take the path over from a process that listens there. That process keeps its clients. */
	bool replace;
};

/**
 * Listen at a path.
 *
 * @param l
 *   Written: the listener; RTE_VHOST_STATE_LISTENER_NONE on error.
 * @param conf
 *   How to listen.
 * @param what
 *   Written on error: the step that failed, as "bind"; a constant string.
 * @return
 *   - 0: success.
 *   - -EADDRINUSE: another process listens there, or the file is not a socket.
 *   - -ENAMETOOLONG: the path is empty or too long.
 *   - other: the -errno of the step.
 */
__rte_internal
int rte_vhost_state_listener_open(struct rte_vhost_state_listener *l,
		const struct rte_vhost_state_listener_conf *conf, const char **what);

/** Continue with descriptor @p fd that listens at @p path, made by another process. */
__rte_internal
void rte_vhost_state_listener_adopt(struct rte_vhost_state_listener *l, int fd, const char *path);

/** Stop listening, and remove the file at @p path if it is that of this socket. */
__rte_internal
void rte_vhost_state_listener_close(struct rte_vhost_state_listener *l, const char *path);

/** Close the descriptor and keep the file, because another process listens with its copy. */
__rte_internal
void rte_vhost_state_listener_leave(struct rte_vhost_state_listener *l);

/** Accept a connection. @return a descriptor; -EAGAIN: there is none; or another -errno */
__rte_internal
int rte_vhost_state_listener_accept(const struct rte_vhost_state_listener *l);

/** Connect to @p path. @return a descriptor; -ENOENT, -ECONNREFUSED or another -errno */
__rte_internal
int rte_vhost_state_listener_connect(const char *path);

#endif /* VHOST_STATE_LISTENER_H */

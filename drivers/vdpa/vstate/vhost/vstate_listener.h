/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LISTENER_H
#define VSTATE_LISTENER_H

/**
 * @file
 * The socket of iface=: listen there, or connect to it. All descriptors are non-blocking.
 */

#include <stdbool.h>
#include <sys/types.h>

struct vstate_conf;

struct vstate_listener {
	/** -1: this process does not listen. */
	int fd;
	/** The socket file, so that no file of another process is removed. */
	dev_t file_dev;
	ino_t file_ino;
};

#define VSTATE_LISTENER_NONE ((struct vstate_listener){ .fd = -1 })

/**
 * Listen at the path of iface=. The file of a process that died is replaced.
 * @param name of the device, for the log
 * @return 0; -EADDRINUSE: another process listens there, or it is not a socket; or another -errno.
 *   The reason is logged.
 */
int vstate_listener_open(struct vstate_listener *l, const char *name,
		const struct vstate_conf *conf);
/** Go on with a descriptor that listens at the path of iface=, made by another process. */
void vstate_listener_adopt(struct vstate_listener *l, int fd, const struct vstate_conf *conf);
/** Stop to listen, and remove the file if it is still that of this socket. */
void vstate_listener_close(struct vstate_listener *l, const struct vstate_conf *conf);
/** Another process listens with its copy of the descriptor: the file stays. */
void vstate_listener_leave(struct vstate_listener *l);
/** Accept a connection. @return a descriptor; -EAGAIN: there is none; or another -errno */
int vstate_listener_accept(const struct vstate_listener *l);

/** Connect to the path of iface=. @return a descriptor; -ENOENT, -ECONNREFUSED or another -errno */
int vstate_listener_connect(const struct vstate_conf *conf);

#endif /* VSTATE_LISTENER_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_HOST_H
#define VSTATE_CONSOLE_HOST_H

/**
 * @file
 * The host's side of a port: a pseudo-terminal or a UNIX socket. All descriptors are non-blocking
 * and watched edge-triggered, so each function returns at once. The caller holds the lock of the
 * console.
 *
 * Somebody has the host's side open while a process has the terminal open, or is connected to the
 * socket. One process is connected at a time; others wait in the queue of the socket.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "vhost_state_listener.h"
#include "vstate_console_conf.h"

/** What an event of the epoll instance is about: a value of this kind, and the port. */
enum vstate_console_event {
	/** A queue of the device; the port is the index of the queue. */
	VSTATE_CONSOLE_EVENT_KICK = 0,
	VSTATE_CONSOLE_EVENT_DATA = 1 << 16,
	VSTATE_CONSOLE_EVENT_LISTENER = 2 << 16,
	/** Somebody opened or closed a terminal. */
	VSTATE_CONSOLE_EVENT_NOTIFY = 3 << 16,
	VSTATE_CONSOLE_EVENT_WAKE = 4 << 16,
	VSTATE_CONSOLE_EVENT_KINDS = 7 << 16,
};

struct vstate_console_host {
	const char *dev_name;
	const struct vstate_console_port_conf *conf;
	uint16_t port;
	/** The console's epoll instance and inotify instance. */
	int epfd, notify;
	/** Connection or terminal; -1: none. */
	int fd;
	/** The listening socket. */
	struct rte_vhost_state_listener listener;
	/** Path of the terminal. */
	char pts[64];
	bool is_open;
	/** The next transfer may succeed. Cleared if it would block. */
	bool can_read, can_write, can_accept;
	/** Size in characters; 0: not known. */
	uint16_t cols, rows;
	/** The size is that of this process's terminal. Otherwise a restored state gave it. */
	bool own_size;
	/** Times that somebody opened it. */
	uint64_t opens;
};

/** Prepare a host's side that is closed. */
void vstate_console_host_init(struct vstate_console_host *h, const char *dev_name,
		const struct vstate_console_port_conf *conf, uint16_t port, int epfd, int notify);
/**
 * Make the terminal or the socket.
 * @param again  the caller tries again after -EADDRINUSE, which is not logged then
 * @return 0; -EADDRINUSE: somebody listens at the path, or no socket is there; or another -errno.
 *   The reason is logged.
 */
int vstate_console_host_make(struct vstate_console_host *h, bool again);
/** Use descriptors that another process made. They are this one's now. @return 0 or -errno */
int vstate_console_host_adopt(struct vstate_console_host *h, int fd, int listener);
/** Close all descriptors. @param unlink_paths  remove socket and link, if they are still own */
void vstate_console_host_close(struct vstate_console_host *h, bool unlink_paths);

/**
 * Find out whether somebody has opened or closed it: accepts a connection, looks at the terminal.
 * Called after events, and if events may have been missed.
 */
void vstate_console_host_look(struct vstate_console_host *h);
/** End the connection with the peer of a socket. */
void vstate_console_host_hang_up(struct vstate_console_host *h);
/** Read the size of the terminal. @return whether it changed */
bool vstate_console_host_size(struct vstate_console_host *h);

/**
 * Return whether there are bytes to read. Notices that the peer has closed its side.
 */
bool vstate_console_host_has_input(struct vstate_console_host *h);
/**
 * Transfer up to the bytes of @p iov. With a socket the kernel itself stores the result in
 * msg->msg_len. The function stores it for a terminal.
 * @param msg  all zero; memory that outlives the process
 * @return bytes, more than 0; -EAGAIN: none now; -EFAULT: @p iov cannot be accessed; -ENOTCONN:
 *   the host's side is closed
 */
ssize_t vstate_console_host_send(struct vstate_console_host *h, struct mmsghdr *msg,
		struct iovec *iov, unsigned int nb);
/** See vstate_console_host_send(). */
ssize_t vstate_console_host_recv(struct vstate_console_host *h, struct mmsghdr *msg,
		struct iovec *iov, unsigned int nb);

#endif /* VSTATE_CONSOLE_HOST_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "vstate_console_host.h"
#include "vstate_log.h"

/* Most pieces that the kernel takes in one call. */
#define IOV_MAX_PIECES 1024

void
vstate_console_host_init(struct vstate_console_host *h, const char *dev_name,
		const struct vstate_console_port_conf *conf, uint16_t port, int epfd, int notify)
{
	*h = (struct vstate_console_host){
		.dev_name = dev_name,
		.conf = conf,
		.port = port,
		.epfd = epfd,
		.notify = notify,
		.fd = -1,
		.listener = RTE_VHOST_STATE_LISTENER_NONE,
	};
}

static int
fd_watch(const struct vstate_console_host *h, int fd, enum vstate_console_event kind)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLET | (kind == VSTATE_CONSOLE_EVENT_DATA ?
			EPOLLOUT | EPOLLRDHUP : 0),
		.data.u32 = (uint32_t)kind | h->port,
	};

	return epoll_ctl(h->epfd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static void
opened_set(struct vstate_console_host *h, bool is_open)
{
	if (is_open && !h->is_open) {
		h->opens++;
		h->can_read = h->can_write = true;
	}
	h->is_open = is_open;
}

/* ---- make ---- */

/* The link is replaced, but nothing else at its path is. */
static int
link_make(const struct vstate_console_host *h)
{
	struct stat st;

	if (h->conf->path[0] == '\0')
		return 0;
	if (lstat(h->conf->path, &st) == 0) {
		if (!S_ISLNK(st.st_mode))
			return -EEXIST;
		unlink(h->conf->path);
	}
	return symlink(h->pts, h->conf->path) == 0 ? 0 : -errno;
}

/* A terminal passes all bytes as they are. It keeps that setting while its master is open. */
static int
terminal_prepare(struct vstate_console_host *h)
{
	struct termios tio;
	int fd, ret;

	if (grantpt(h->fd) != 0 || unlockpt(h->fd) != 0)
		return -errno;
	ret = ptsname_r(h->fd, h->pts, sizeof(h->pts));
	if (ret != 0)
		return -ret;
	fd = open(h->pts, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = tcgetattr(fd, &tio) == 0 ? 0 : -errno;
	cfmakeraw(&tio);
	if (ret == 0 && tcsetattr(fd, TCSANOW, &tio) != 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int
terminal_watch(const struct vstate_console_host *h)
{
	return inotify_add_watch(h->notify, h->pts, IN_OPEN | IN_CLOSE) >= 0 ?
		fd_watch(h, h->fd, VSTATE_CONSOLE_EVENT_DATA) : -errno;
}

static int
terminal_make(struct vstate_console_host *h)
{
	int ret;

	h->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (h->fd < 0)
		return -errno;
	ret = terminal_prepare(h);
	if (ret == 0)
		ret = link_make(h);
	if (ret == 0)
		ret = terminal_watch(h);
	if (ret == 0)
		VSTATE_LOG(NOTICE, "%s: port %u is %s", h->dev_name, h->port, h->pts);
	return ret;
}

static int
socket_make(struct vstate_console_host *h)
{
	const struct rte_vhost_state_listener_conf how = {
		.path = h->conf->path,
		.mode = -1,
		.group = -1,
		.backlog = 1,
	};
	const char *what;
	int ret = rte_vhost_state_listener_open(&h->listener, &how, &what);

	return ret == 0 ? fd_watch(h, h->listener.fd, VSTATE_CONSOLE_EVENT_LISTENER) : ret;
}

int
vstate_console_host_make(struct vstate_console_host *h, bool again)
{
	int ret = h->conf->kind == VSTATE_CONSOLE_PTY ? terminal_make(h) : socket_make(h);

	if (ret == 0) {
		h->can_accept = true;
		return 0;
	}
	if (ret != -EADDRINUSE || !again)
		VSTATE_LOG(ERR, "%s: port %u: cannot make %s %s: %s", h->dev_name, h->port,
				h->conf->kind == VSTATE_CONSOLE_PTY ? "a terminal" : "the socket",
				h->conf->path, strerror(-ret));
	/* what is at the path is not this device's */
	vstate_console_host_close(h, false);
	return ret;
}

int
vstate_console_host_adopt(struct vstate_console_host *h, int fd, int listener)
{
	int ret = 0;

	h->fd = fd;
	if (listener >= 0)
		rte_vhost_state_listener_adopt(&h->listener, listener, h->conf->path);
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	if (listener >= 0)
		fcntl(listener, F_SETFL, O_RDWR | O_NONBLOCK);
	if (h->conf->kind == VSTATE_CONSOLE_PTY) {
		ret = ptsname_r(fd, h->pts, sizeof(h->pts));
		ret = ret == 0 ? terminal_watch(h) : -ret;
	} else {
		ret = fd_watch(h, listener, VSTATE_CONSOLE_EVENT_LISTENER);
		if (ret == 0 && fd >= 0) {
			ret = fd_watch(h, fd, VSTATE_CONSOLE_EVENT_DATA);
			opened_set(h, true);
		}
	}
	h->can_accept = true;
	if (ret != 0)
		vstate_console_host_close(h, false);
	return ret;
}

void
vstate_console_host_hang_up(struct vstate_console_host *h)
{
	h->is_open = false;
	h->can_read = h->can_write = false;
	if (h->conf->kind == VSTATE_CONSOLE_PTY)
		return;
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	/* the next peer may wait */
	h->can_accept = true;
}

/* Whether the link at the path leads to this terminal. */
static bool
link_is_own(const struct vstate_console_host *h)
{
	char to[sizeof(h->pts)];
	ssize_t n;

	if (h->fd < 0 || h->conf->path[0] == '\0')
		return false;
	n = readlink(h->conf->path, to, sizeof(to));
	return n == (ssize_t)strlen(h->pts) && memcmp(to, h->pts, n) == 0;
}

void
vstate_console_host_close(struct vstate_console_host *h, bool unlink_paths)
{
	if (h->conf->kind == VSTATE_CONSOLE_PTY && unlink_paths && link_is_own(h))
		unlink(h->conf->path);
	if (h->fd >= 0)
		close(h->fd);
	if (unlink_paths)
		rte_vhost_state_listener_close(&h->listener, h->conf->path);
	else
		rte_vhost_state_listener_leave(&h->listener);
	h->fd = -1;
	h->is_open = h->can_read = h->can_write = h->can_accept = false;
}

/* ---- open and close ---- */

static void
peer_accept(struct vstate_console_host *h)
{
	int fd;

	if (h->fd >= 0 || h->listener.fd < 0 || !h->can_accept)
		return;
	fd = rte_vhost_state_listener_accept(&h->listener);
	if (fd < 0) {
		if (fd == -EAGAIN)
			h->can_accept = false;
		return;
	}
	h->fd = fd;
	if (fd_watch(h, fd, VSTATE_CONSOLE_EVENT_DATA) == 0)
		opened_set(h, true);
	else
		vstate_console_host_hang_up(h);
}

static bool
terminal_is_open(const struct vstate_console_host *h)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };

	return poll(&p, 1, 0) >= 0 && (p.revents & POLLHUP) == 0;
}

void
vstate_console_host_look(struct vstate_console_host *h)
{
	if (h->conf->kind == VSTATE_CONSOLE_UNIX)
		peer_accept(h);
	else if (h->fd >= 0)
		opened_set(h, terminal_is_open(h));
}

bool
vstate_console_host_size(struct vstate_console_host *h)
{
	struct winsize ws;

	if (h->conf->kind != VSTATE_CONSOLE_PTY || h->fd < 0 || ioctl(h->fd, TIOCGWINSZ, &ws) != 0)
		return false;
	/* a terminal that nobody gave a size has 0 */
	if (ws.ws_col == 0 || ws.ws_row == 0)
		return false;
	h->own_size = true;
	if (ws.ws_col == h->cols && ws.ws_row == h->rows)
		return false;
	h->cols = ws.ws_col;
	h->rows = ws.ws_row;
	return true;
}

/* ---- transfer ---- */

bool
vstate_console_host_has_input(struct vstate_console_host *h)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	uint8_t byte;
	ssize_t n;

	if (!h->is_open || !h->can_read)
		return false;
	if (h->conf->kind == VSTATE_CONSOLE_PTY) {
		h->can_read = poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
		return h->can_read;
	}
	n = recv(h->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0)
		return true;
	if (n < 0 && errno == EAGAIN)
		h->can_read = false;
	else if (n == 0 || errno != EINTR)
		vstate_console_host_hang_up(h);
	return false;
}

/* @param ok  whether the call succeeded, and errno if not */
static ssize_t
result_of(struct vstate_console_host *h, bool ok, const struct mmsghdr *msg, bool *can)
{
	if (ok && msg->msg_len > 0)
		return msg->msg_len;
	if (!ok && (errno == EAGAIN || errno == EINTR)) {
		*can = errno == EINTR;
		return -EAGAIN;
	}
	if (!ok && errno == EFAULT)
		return -EFAULT;
	vstate_console_host_hang_up(h);
	return -ENOTCONN;
}

ssize_t
vstate_console_host_send(struct vstate_console_host *h, struct mmsghdr *msg, struct iovec *iov,
		unsigned int nb)
{
	ssize_t n;

	if (!h->is_open)
		return -ENOTCONN;
	if (!h->can_write)
		return -EAGAIN;
	nb = RTE_MIN(nb, (unsigned int)IOV_MAX_PIECES);
	if (h->conf->kind == VSTATE_CONSOLE_UNIX) {
		msg->msg_hdr.msg_iov = iov;
		msg->msg_hdr.msg_iovlen = nb;
		return result_of(h, sendmmsg(h->fd, msg, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1, msg,
				&h->can_write);
	}
	n = writev(h->fd, iov, nb);
	/* a terminal without room returns 0 */
	if (n == 0)
		errno = EAGAIN;
	if (n > 0)
		msg->msg_len = n;
	return result_of(h, n > 0, msg, &h->can_write);
}

ssize_t
vstate_console_host_recv(struct vstate_console_host *h, struct mmsghdr *msg, struct iovec *iov,
		unsigned int nb)
{
	ssize_t n;

	if (!h->is_open)
		return -ENOTCONN;
	if (!h->can_read)
		return -EAGAIN;
	nb = RTE_MIN(nb, (unsigned int)IOV_MAX_PIECES);
	if (h->conf->kind == VSTATE_CONSOLE_UNIX) {
		msg->msg_hdr.msg_iov = iov;
		msg->msg_hdr.msg_iovlen = nb;
		return result_of(h, recvmmsg(h->fd, msg, 1, MSG_DONTWAIT, NULL) == 1, msg,
				&h->can_read);
	}
	n = readv(h->fd, iov, nb);
	if (n > 0)
		msg->msg_len = n;
	return result_of(h, n >= 0, msg, &h->can_read);
}

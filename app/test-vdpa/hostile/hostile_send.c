/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "guest_core.h"
#include "hostile_env.h"
#include "hostile_send.h"
#include "vhost_user_fe.h"

#define SMALL_BYTES 4096
#define READ_ONLY_BYTES 0x100000
/* More descriptors than a message may have. */
#define MAX_FDS 32
/* Reads of one drain: a bound, for a back end that never ends to send. */
#define DRAIN_READS 10000

const char *
hostile_fd_name(enum hostile_fd kind)
{
	static const char *const names[] = {
		[FD_NONE] = "none", [FD_EVENT] = "eventfd", [FD_MEMORY] = "memory", [FD_PIPE] = "pipe",
		[FD_NULL] = "/dev/null", [FD_SMALL] = "small file", [FD_DIR] = "directory",
		[FD_READ_ONLY] = "read-only memory", [FD_SOCKET] = "socket",
	};

	return names[kind];
}

static int
memory_open(off_t bytes)
{
	int fd = memfd_create("small", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, bytes) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The same file again: a descriptor that cannot be mapped for writing. */
static int
read_only_open(void)
{
	int fd = memory_open(READ_ONLY_BYTES), again;
	char path[64];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	close(fd);
	return again;
}

int
hostile_fd_open(enum hostile_fd kind, int memory, int *other)
{
	int fds[2];

	*other = -1;
	switch (kind) {
	case FD_EVENT: return eventfd(0, EFD_CLOEXEC);
	case FD_MEMORY: return dup(memory);
	case FD_NULL: return open("/dev/null", O_RDWR | O_CLOEXEC);
	case FD_DIR: return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case FD_SMALL: return memory_open(SMALL_BYTES);
	case FD_READ_ONLY: return read_only_open();
	case FD_SOCKET:
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
			return -1;
		*other = fds[0];
		return fds[1];
	case FD_PIPE:
		if (pipe2(fds, O_CLOEXEC) < 0)
			return -1;
		*other = fds[0];
		return fds[1];
	default: return -1;
	}
}

int
hostile_open_fd(struct hostile_env *e, enum hostile_fd kind, int *other)
{
	return hostile_fd_open(kind, e->g->mem.fd, other);
}

void
hostile_send(struct hostile_env *e, uint32_t request, uint32_t flags, uint32_t size,
		const void *payload, uint32_t len, const int *fds, unsigned int nb_fds)
{
	struct vu_header hdr = { .request = request, .flags = flags, .size = size };

	vu_fe_send_raw(&e->l->fe, &hdr, payload, len, fds, nb_fds);
}

int
hostile_answered_to(struct vu_fe *fe, uint32_t request)
{
	struct vu_header hdr = { .request = request, .flags = VU_VERSION };
	uint64_t end = clock_ns() + fe->timeout_ms * UINT64_C(1000000);
	uint8_t reply[VU_MAX_PAYLOAD];
	int ret, fd = -1;

	ret = fe->fd < 0 ? -ECONNRESET : vu_fe_send_raw(fe, &hdr, NULL, 0, NULL, 0);
	while (ret == 0) {
		ret = vu_fe_recv(fe, &hdr, reply, sizeof(reply), &fd);
		if (ret == 0 && fd >= 0)
			close(fd);
		if (ret == 0 && hdr.request == request)
			return 0;
		if (ret == 0 && clock_ns() >= end)
			ret = -ETIMEDOUT;
	}
	return ret == -EPIPE ? -ECONNRESET : ret;
}

int
hostile_answered(struct vu_fe *fe)
{
	return hostile_answered_to(fe, VU_GET_FEATURES);
}

static void
control_close(struct msghdr *mh)
{
	struct cmsghdr *cmsg;
	unsigned int i, nb;
	int fd;

	for (cmsg = CMSG_FIRSTHDR(mh); cmsg != NULL; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		nb = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < nb; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd), sizeof(fd));
			close(fd);
		}
	}
}

bool
hostile_drain(struct vu_fe *fe)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
	uint8_t bytes[VU_MAX_PAYLOAD];
	int i;

	for (i = 0; i < DRAIN_READS; i++) {
		struct iovec iov = { bytes, sizeof(bytes) };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(fe->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		control_close(&mh);
	}
	return true;
}

int
hostile_write(struct vu_fe *fe, const void *bytes, uint32_t len, const int *fds,
		unsigned int nb_fds, int ms)
{
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pollfd pfd = { .fd = fe->fd, .events = POLLOUT };
	ssize_t n;

	if (nb_fds > MAX_FDS)
		return -EINVAL;
	vu_fds_attach(&mh, control, fds, nb_fds);
	n = sendmsg(fe->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN && ms > 0 && poll(&pfd, 1, ms) > 0)
		n = sendmsg(fe->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -errno : (int)n;
}

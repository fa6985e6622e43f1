/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vstate_scm.h"

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(VSTATE_SCM_MAX_FDS * sizeof(int))];
};

ssize_t
vstate_scm_send(int fd, const void *buf, size_t len, const int *fds, unsigned int nb_fds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { 0 };
	struct cmsghdr *c;
	ssize_t n;

	if (nb_fds > VSTATE_SCM_MAX_FDS)
		return -EMSGSIZE;
	if (nb_fds > 0) {
		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(nb_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nb_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nb_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}

/* @return 0; -EMSGSIZE: there was no room for some descriptors, and these are closed */
static int
fds_keep(const int *came, unsigned int n, int *fds, unsigned int max, unsigned int *nb_fds)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n; i++) {
		if (*nb_fds < max) {
			fds[(*nb_fds)++] = came[i];
			continue;
		}
		close(came[i]);
		ret = -EMSGSIZE;
	}
	return ret;
}

ssize_t
vstate_scm_recv(int fd, void *buf, size_t len, int *fds, unsigned int max, unsigned int *nb_fds)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	int came[VSTATE_SCM_MAX_FDS], ret;
	union control control;
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	unsigned int bytes;
	ssize_t n;

	do
		n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	ret = (mh.msg_flags & MSG_CTRUNC) != 0 ? -EMSGSIZE : 0;
	for (c = CMSG_FIRSTHDR(&mh); c != NULL; c = CMSG_NXTHDR(&mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		bytes = c->cmsg_len - CMSG_LEN(0);
		memcpy(came, CMSG_DATA(c), bytes);
		if (fds_keep(came, bytes / sizeof(int), fds, max, nb_fds) != 0)
			ret = -EMSGSIZE;
	}
	return ret != 0 ? ret : n;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "vstate_kick.h"
#include "vstate_vq.h"

static int
watch_begin(const struct vstate_vq *vq)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = vq->qid };

	if (vq->kickfd < 0 || vq->kick_epfd < 0)
		return 0;
	return epoll_ctl(vq->kick_epfd, EPOLL_CTL_ADD, vq->kickfd, &event) == 0 ? 0 : -errno;
}

/* The front end keeps the file open, so closing the duplicate would not end the watch. */
static void
watch_end(const struct vstate_vq *vq)
{
	if (vq->kickfd >= 0 && vq->kick_epfd >= 0)
		epoll_ctl(vq->kick_epfd, EPOLL_CTL_DEL, vq->kickfd, NULL);
}

int
vstate_kick_fd_set(struct vstate_vq *vq, int fd)
{
	watch_end(vq);
	if (vq->kickfd >= 0)
		close(vq->kickfd);
	vq->kickfd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && vq->kickfd < 0)
		return -errno;
	return watch_begin(vq);
}

int
vstate_kick_watch(struct vstate_vq *vq, int epfd)
{
	watch_end(vq);
	vq->kick_epfd = epfd;
	return watch_begin(vq);
}

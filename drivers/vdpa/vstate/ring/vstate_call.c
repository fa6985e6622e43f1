/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vstate_call.h"
#include "vstate_compat.h"
#include "vstate_log.h"
#include "vstate_vq.h"

/* One writer at a time: the holder of the lease, or of the control lock if no thread is inside. */
static void
turn_next(struct vstate_vq *vq)
{
	rte_atomic_store_explicit(&vq->call_turn, vq->call_turn + 1, rte_memory_order_relaxed);
}

void
vstate_call_send(struct vstate_vq *vq)
{
	const uint64_t one = 1;

	if (vq->callfd < 0 || rte_atomic_load_explicit(&vq->call_watch.banned,
			rte_memory_order_relaxed))
		return;
	turn_next(vq);
	/* If the write fails, the counter is full: the driver has not read earlier calls yet. */
	if (write(vq->callfd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		vq->counters.calls++;
	turn_next(vq);
}

void
vstate_call_fd_set(struct vstate_vq *vq, int fd)
{
	pthread_mutex_lock(&vq->call_watch.lock);
	if (vq->callfd >= 0)
		close(vq->callfd);
	vq->callfd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && vq->callfd < 0)
		VSTATE_LOG(ERR, "no calls for queue %u: %s", vq->qid, strerror(errno));
	pthread_mutex_unlock(&vq->call_watch.lock);
}

/* If the eventfd is full, break the queue and read the counter, which frees the thread. */
static bool
full_counter_read(struct vstate_vq *vq)
{
	struct pollfd room = { .fd = vq->callfd, .events = POLLOUT };
	uint64_t count;
	const struct iovec iov = { .iov_base = &count, .iov_len = sizeof(count) };

	if (poll(&room, 1, 0) != 0)
		return false;
	/* before the thread is free, or it would call again */
	rte_atomic_store_explicit(&vq->call_watch.banned, true, rte_memory_order_relaxed);
	vstate_vq_break(vq, VSTATE_FAULT_CALL_BLOCKS);
	/* does not block if another reader was faster */
	preadv2(vq->callfd, &iov, 1, -1, RWF_NOWAIT);
	return true;
}

bool
vstate_call_unblock(struct vstate_vq *vq)
{
	const uint32_t turn = rte_atomic_load_explicit(&vq->call_turn, rte_memory_order_relaxed);
	const bool stays = (turn & 1) != 0 && turn == vq->call_watch.turn;
	bool blocked = false;

	vq->call_watch.turn = turn;
	if (!stays)
		return false;
	pthread_mutex_lock(&vq->call_watch.lock);
	if (vq->callfd >= 0)
		blocked = full_counter_read(vq);
	pthread_mutex_unlock(&vq->call_watch.lock);
	return blocked;
}

void
vstate_call_allow(struct vstate_vq *vq)
{
	rte_atomic_store_explicit(&vq->call_watch.banned, false, rte_memory_order_relaxed);
}

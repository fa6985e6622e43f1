/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "vstate_log.h"
#include "vstate_vq.h"

void
vstate_vq_init(struct vstate_vq *vq, uint16_t qid)
{
	vq->qid = qid;
	vq->callfd = -1;
	vstate_vq_detach(vq);
}

void
vstate_vq_restart(struct vstate_vq *vq)
{
	vq->signalled_valid = false;
	vq->fault = VSTATE_FAULT_NONE;
	vq->nb_shadow = 0;
}

void
vstate_vq_detach(struct vstate_vq *vq)
{
	vq->inflight_head = &vq->own_head;
}

void
vstate_vq_callfd_set(struct vstate_vq *vq, int fd)
{
	if (vq->callfd >= 0)
		close(vq->callfd);
	vq->callfd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && vq->callfd < 0)
		VSTATE_LOG(ERR, "no calls for queue %u: %s", vq->qid, strerror(errno));
}

void
vstate_vq_call(struct vstate_vq *vq)
{
	const uint64_t one = 1;

	if (vq->callfd < 0)
		return;
	/* The eventfd does not block, see vstate_vq_callfd_set(). If the write fails, the
	 * counter is full: the driver has not read earlier calls yet.
	 */
	if (write(vq->callfd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		vq->counters.calls++;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <pthread.h>

#include "vstate_marks.h"
#include "vstate_vq.h"

void
vstate_vq_init(struct vstate_vq *vq, uint16_t qid)
{
	vq->qid = qid;
	vq->callfd = -1;
	vq->kickfd = vq->kick_epfd = -1;
	pthread_mutex_init(&vq->call_watch.lock, NULL);
	vstate_vq_detach(vq);
}

void
vstate_vq_restart(struct vstate_vq *vq)
{
	vq->signalled_valid = false;
	vq->fault = vq->call_watch.banned ? VSTATE_FAULT_CALL_BLOCKS : VSTATE_FAULT_NONE;
	vq->nb_shadow = 0;
}

void
vstate_vq_detach(struct vstate_vq *vq)
{
	vq->inflight_head = &vq->own_head;
	if (vq->marks != NULL)
		vq->marks->region = NULL;
}

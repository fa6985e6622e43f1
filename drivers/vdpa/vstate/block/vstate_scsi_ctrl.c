/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <linux/virtio_scsi.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include <vstate_compat.h>

#include "dev/vstate_dev.h"
#include "dev/vstate_start.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_request.h"
#include "vstate_scsi_ctrl.h"
#include "vstate_scsi_pieces.h"
#include "vstate_scsi_request.h"
#include "vstate_scsi_unit.h"
#include "vstate_scsi_vq.h"

#define TMF(name) VIRTIO_SCSI_T_TMF_##name
/* The name that VIRTIO has for the response 0 of a function. */
#define FUNCTION_COMPLETE VIRTIO_SCSI_S_OK

/* Requests of the control queue that are served in one turn, so that others are polled, too. */
#define TURN_MAX 8

void
vstate_scsi_ctrl_ended(struct vstate_scsi_ctrl *ctrl, uint32_t nb)
{
	rte_atomic_fetch_sub_explicit(&ctrl->nb_aborted, nb, rte_memory_order_release);
}

static uint32_t
nb_aborted(struct vstate_scsi_ctrl *ctrl)
{
	return rte_atomic_load_explicit(&ctrl->nb_aborted, rte_memory_order_acquire);
}

/* ---- answers ---- */

static void
answer(struct vstate_scsi *scsi, const void *bytes, uint32_t len)
{
	struct vstate_scsi_ctrl *ctrl = &scsi->ctrl;
	struct vstate_vq *vq = scsi->dev->vqs[VSTATE_SCSI_VQ_CTRL];

	len = RTE_MIN(len, ctrl->ring.writable_bytes);
	vstate_scsi_pieces_write(ctrl->pieces + ctrl->ring.nb_readable, 0, bytes, len);
	vstate_request_push(vq, &ctrl->ring, len);
	ctrl->phase = VSTATE_SCSI_CTRL_IDLE;
}

static void
answer_tmf(struct vstate_scsi *scsi, uint8_t response)
{
	const struct virtio_scsi_ctrl_tmf_resp resp = { .response = response };

	answer(scsi, &resp, sizeof(resp));
}

/* ---- functions ---- */

static bool
names_command(const struct vstate_scsi_ctrl *ctrl, const struct vstate_scsi_req *req)
{
	if (ctrl->subtype == TMF(I_T_NEXUS_RESET))
		return true;
	if (req->lun != ctrl->lun)
		return false;
	return (ctrl->subtype != TMF(ABORT_TASK) && ctrl->subtype != TMF(QUERY_TASK)) ||
		req->tag == ctrl->tag;
}

/* Mark commands of a queue, whose lease is held. @return number of commands that are named */
static uint32_t
queue_mark(struct vstate_scsi_ctrl *ctrl, struct vstate_blk_vq *q, bool abort)
{
	struct vstate_blk_req *req;
	uint32_t n = 0;
	uint16_t i;

	for (i = 0; i < VSTATE_BLK_DEPTH; i++) {
		req = vstate_blk_vq_req(q, i);
		if (!req->out || !names_command(ctrl, (struct vstate_scsi_req *)req))
			continue;
		n++;
		/* a function that a stop interrupted has marked some before */
		if (!abort || req->aborted)
			continue;
		req->aborted = true;
		rte_atomic_fetch_add_explicit(&ctrl->nb_aborted, 1, rte_memory_order_relaxed);
	}
	return n;
}

/*
 * A queue that cannot be entered. It may have commands that came before the function, if a stop has
 * begun, or if its ring does not run yet: after a crash or a move the control queue starts first.
 */
static bool
queue_is_away(const struct vstate_dev *dev, const struct vstate_vq *vq)
{
	const uint32_t blocks = vstate_run_vq_blocks(dev, vq);

	if (blocks & VSTATE_BLOCK_BROKEN)
		return false;
	return (blocks & VSTATE_BLOCK_NOT_READY) == 0 ||
		vstate_start_ring_is_awaited(dev, vq->qid);
}

/* @param n  written: commands that are named. @return false: not all queues could be entered */
static bool
commands_mark(struct vstate_scsi *scsi, bool abort, uint32_t *n)
{
	struct vstate_dev *dev = scsi->dev;
	bool all = true;
	uint16_t i;

	*n = 0;
	for (i = VSTATE_SCSI_VQ_FIRST; i < dev->nb_vqs; i++) {
		if (!vstate_lease_take(&dev->vqs[i]->lease)) {
			if (queue_is_away(dev, dev->vqs[i]))
				all = scsi->ctrl.settled[i] = false;
			continue;
		}
		*n += queue_mark(&scsi->ctrl, vstate_blk_vq_of(dev->vqs[i]), abort);
		vstate_lease_give(&dev->vqs[i]->lease);
	}
	return all;
}

static void
tmf_end(struct vstate_scsi *scsi)
{
	const uint8_t attention = scsi->ctrl.subtype == TMF(LOGICAL_UNIT_RESET) ?
		VSTATE_SCSI_UA_RESET : VSTATE_SCSI_UA_NEXUS;
	unsigned int i;

	for (i = 0; i < scsi->serve.nb_stores; i++) {
		if (scsi->ctrl.subtype == TMF(I_T_NEXUS_RESET) || (scsi->ctrl.lun == (int)i &&
				scsi->ctrl.subtype == TMF(LOGICAL_UNIT_RESET)))
			vstate_scsi_attention_add(scsi, i, attention);
	}
	answer_tmf(scsi, FUNCTION_COMPLETE);
}

/* All commands that came before the function are taken. */
static void
tmf_run(struct vstate_scsi *scsi)
{
	struct vstate_scsi_ctrl *ctrl = &scsi->ctrl;
	uint32_t n;

	switch (ctrl->subtype) {
	case TMF(QUERY_TASK):
	case TMF(QUERY_TASK_SET):
		if (commands_mark(scsi, false, &n))
			answer_tmf(scsi, n != 0 ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED :
					FUNCTION_COMPLETE);
		return;
	case TMF(LOGICAL_UNIT_RESET):
	case TMF(I_T_NEXUS_RESET):
		ctrl->response = VIRTIO_SCSI_S_RESET;
		break;
	default:
		ctrl->response = VIRTIO_SCSI_S_ABORTED;
	}
	if (commands_mark(scsi, true, &n))
		ctrl->phase = VSTATE_SCSI_CTRL_ABORT;
}

/*
 * Whether all that the driver had made available in a queue when the function came is taken: there
 * was nothing left at one moment, or as much was taken as the ring has room for.
 */
static bool
queue_settles(struct vstate_scsi *scsi, struct vstate_vq *vq)
{
	const struct vstate_blk_vq *q = vstate_blk_vq_of(vq);
	const struct vstate_scsi_ctrl *ctrl = &scsi->ctrl;
	bool settled;

	if (!vstate_lease_take(&vq->lease))
		return !queue_is_away(scsi->dev, vq);
	settled = vq->inflight == NULL && (vstate_vq_is_empty(vq) ||
		vq->fault != VSTATE_FAULT_NONE || q->nb_popped - ctrl->popped[vq->qid] >= vq->size);
	vstate_lease_give(&vq->lease);
	return settled;
}

static bool
queues_settle(struct vstate_scsi *scsi)
{
	struct vstate_dev *dev = scsi->dev;
	bool all = true;
	uint16_t i;

	for (i = VSTATE_SCSI_VQ_FIRST; i < dev->nb_vqs; i++) {
		scsi->ctrl.settled[i] |= queue_settles(scsi, dev->vqs[i]);
		all &= scsi->ctrl.settled[i];
	}
	return all;
}

/* ---- requests ---- */

static void
tmf_begin(struct vstate_scsi_vq *q, struct vstate_scsi *scsi)
{
	struct vstate_scsi_ctrl *ctrl = &scsi->ctrl;
	struct virtio_scsi_ctrl_tmf_req tmf;
	uint16_t i;

	q->counters.tmfs++;
	vstate_scsi_pieces_read(ctrl->pieces, 0, &tmf, sizeof(tmf));
	ctrl->subtype = rte_le_to_cpu_32(tmf.subtype);
	ctrl->tag = rte_le_to_cpu_64(tmf.tag);
	ctrl->lun = vstate_scsi_lun_parse(tmf.lun, scsi->serve.nb_stores);
	if (ctrl->lun == VSTATE_SCSI_LUN_BAD_TARGET) {
		answer_tmf(scsi, VIRTIO_SCSI_S_BAD_TARGET);
	} else if (ctrl->subtype > TMF(QUERY_TASK_SET) || ctrl->subtype == TMF(CLEAR_ACA)) {
		/* NORMACA is 0: there is no auto contingent allegiance to clear */
		answer_tmf(scsi, VIRTIO_SCSI_S_FUNCTION_REJECTED);
	} else if (ctrl->lun < 0 && ctrl->subtype != TMF(I_T_NEXUS_RESET)) {
		answer_tmf(scsi, VIRTIO_SCSI_S_INCORRECT_LUN);
	} else {
		ctrl->phase = VSTATE_SCSI_CTRL_SETTLE;
		for (i = 0; i < scsi->dev->nb_vqs; i++) {
			ctrl->settled[i] = false;
			ctrl->popped[i] = vstate_blk_vq_of(scsi->dev->vqs[i])->nb_popped;
		}
	}
}

/* No unit has asynchronous notifications. */
static void
query_answer(struct vstate_scsi_vq *q, struct vstate_scsi *scsi)
{
	struct virtio_scsi_ctrl_an_resp resp = { .response = VIRTIO_SCSI_S_OK };
	struct virtio_scsi_ctrl_an_req an;
	int lun;

	q->counters.queries++;
	vstate_scsi_pieces_read(scsi->ctrl.pieces, 0, &an, sizeof(an));
	lun = vstate_scsi_lun_parse(an.lun, scsi->serve.nb_stores);
	if (lun == VSTATE_SCSI_LUN_BAD_TARGET)
		resp.response = VIRTIO_SCSI_S_BAD_TARGET;
	else if (lun < 0)
		resp.response = VIRTIO_SCSI_S_INCORRECT_LUN;
	answer(scsi, &resp, sizeof(resp));
}

static void
popped_begin(struct vstate_scsi_vq *q, struct vstate_scsi *scsi)
{
	const struct vstate_request *ring = &scsi->ctrl.ring;
	uint32_t type = UINT32_MAX;

	if (ring->readable_bytes >= sizeof(type))
		vstate_scsi_pieces_read(scsi->ctrl.pieces, 0, &type, sizeof(type));
	type = rte_le_to_cpu_32(type);
	if (type == VIRTIO_SCSI_T_TMF &&
			ring->readable_bytes >= sizeof(struct virtio_scsi_ctrl_tmf_req) &&
			ring->writable_bytes >= sizeof(struct virtio_scsi_ctrl_tmf_resp)) {
		tmf_begin(q, scsi);
	} else if ((type == VIRTIO_SCSI_T_AN_QUERY || type == VIRTIO_SCSI_T_AN_SUBSCRIBE) &&
			ring->readable_bytes >= sizeof(struct virtio_scsi_ctrl_an_req) &&
			ring->writable_bytes >= sizeof(struct virtio_scsi_ctrl_an_resp)) {
		query_answer(q, scsi);
	} else {
		/* where its response would be is not known */
		q->blk.counters.malformed++;
		answer(scsi, NULL, 0);
	}
}

static void
request_room(struct vstate_scsi_ctrl *ctrl)
{
	ctrl->ring.max_pieces = VSTATE_SCSI_CTRL_PIECES;
	ctrl->ring.pieces = ctrl->pieces;
}

/* @return whether the request that is served was answered, or there is none */
static bool
request_advance(struct vstate_scsi *scsi)
{
	if (scsi->ctrl.phase == VSTATE_SCSI_CTRL_SETTLE && queues_settle(scsi))
		tmf_run(scsi);
	if (scsi->ctrl.phase == VSTATE_SCSI_CTRL_ABORT && nb_aborted(&scsi->ctrl) == 0)
		tmf_end(scsi);
	return scsi->ctrl.phase == VSTATE_SCSI_CTRL_IDLE;
}

uint32_t
vstate_scsi_ctrl_poll(struct vstate_dev *dev)
{
	struct vstate_scsi *scsi = vstate_scsi_of(dev);
	struct vstate_vq *vq = dev->vqs[VSTATE_SCSI_VQ_CTRL];
	uint32_t n = 0;

	if (!vstate_lease_take(&vq->lease))
		return 0;
	if (unlikely(scsi->ctrl.phase != VSTATE_SCSI_CTRL_IDLE || vq->inflight != NULL ||
			!vstate_vq_is_empty(vq))) {
		while (request_advance(scsi) && n < TURN_MAX) {
			request_room(&scsi->ctrl);
			if (vstate_request_pop(vq, &scsi->ctrl.ring) != 0)
				break;
			popped_begin(vstate_scsi_vq_of(vq), scsi);
			n++;
		}
		vstate_request_publish(vq);
	}
	vstate_lease_give(&vq->lease);
	return n;
}

/* ---- a stop ---- */

bool
vstate_scsi_ctrl_drain(struct vstate_dev *dev, const struct vstate_vq *vq, bool finish)
{
	struct vstate_scsi *scsi = vstate_scsi_of(dev);
	struct vstate_scsi_ctrl *ctrl = &scsi->ctrl;
	struct vstate_vq *own = dev->vqs[VSTATE_SCSI_VQ_CTRL];

	/* the event queue has nothing under way */
	if ((vq != NULL && vq->qid != VSTATE_SCSI_VQ_CTRL) || own->size == 0)
		return true;
	if (ctrl->phase != VSTATE_SCSI_CTRL_IDLE && !finish) {
		/* it begins again when the commands that it names are submitted again */
		vstate_request_wait(own, &ctrl->ring);
		ctrl->phase = VSTATE_SCSI_CTRL_IDLE;
	} else if (ctrl->phase == VSTATE_SCSI_CTRL_ABORT) {
		if (nb_aborted(ctrl) != 0)
			return false;
		tmf_end(scsi);
	}
	while (finish) {
		/* commands that stay in the rings would be done after it */
		if (ctrl->phase == VSTATE_SCSI_CTRL_SETTLE)
			answer_tmf(scsi, VIRTIO_SCSI_S_FUNCTION_REJECTED);
		request_room(ctrl);
		if (vstate_request_pop_waiting(own, &ctrl->ring) != 0)
			break;
		popped_begin(vstate_scsi_vq_of(own), scsi);
	}
	vstate_request_publish(own);
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_scsi.h>

#include <rte_bitops.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include <vstate_compat.h>

#include "dev/vstate_dev.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_request.h"
#include "vstate_scsi_event.h"
#include "vstate_scsi_pieces.h"
#include "vstate_scsi_unit.h"
#include "vstate_scsi_vq.h"

/* Pieces that a buffer may have. */
#define PIECES 16

/* ASC and ASCQ of "capacity data has changed". */
#define CAPACITY_CHANGED (0x2a | 0x09 << 8)

static uint32_t
events_get(const struct vstate_scsi *scsi)
{
	const struct vstate_scsi_kept *kept = scsi->dev->kept;

	/* the memory outlives the process, so that its content is not trusted */
	return rte_atomic_load_explicit(&kept->events, rte_memory_order_relaxed) &
		(RTE_BIT32(scsi->serve.nb_stores) - 1);
}

void
vstate_scsi_event_add(struct vstate_scsi *scsi, unsigned int lun)
{
	struct vstate_scsi_kept *kept = scsi->dev->kept;

	rte_atomic_fetch_or_explicit(&kept->events, RTE_BIT32(lun), rte_memory_order_relaxed);
}

bool
vstate_scsi_event_is_due(const struct vstate_scsi *scsi, unsigned int lun)
{
	return (events_get(scsi) & RTE_BIT32(lun)) != 0;
}

static void
event_end(struct vstate_scsi *scsi, uint32_t events)
{
	struct vstate_scsi_kept *kept = scsi->dev->kept;

	rte_atomic_fetch_and_explicit(&kept->events, ~events, rte_memory_order_relaxed);
}

/* @param sent  written: the event is in a buffer. @return buffers moved */
static uint32_t
event_put(struct vstate_scsi_vq *q, unsigned int lun, bool *sent)
{
	struct iovec pieces[PIECES];
	struct vstate_request req = { .max_pieces = PIECES, .pieces = pieces };
	/* Linux looks a unit up by the last two bytes without a format */
	const struct virtio_scsi_event event = {
		.event = rte_cpu_to_le_32(VIRTIO_SCSI_T_PARAM_CHANGE),
		.lun = { 1, 0, 0, lun },
		.reason = rte_cpu_to_le_32(CAPACITY_CHANGED),
	};

	if (vstate_request_pop(&q->blk.vq, &req) != 0)
		return 0;
	/* a buffer that is too small returns empty, and the event waits for another one */
	if (req.writable_bytes < sizeof(event)) {
		q->blk.counters.malformed++;
		vstate_request_push(&q->blk.vq, &req, 0);
		return 1;
	}
	vstate_scsi_pieces_write(pieces + req.nb_readable, 0, &event, sizeof(event));
	vstate_request_push(&q->blk.vq, &req, sizeof(event));
	q->counters.events++;
	*sent = true;
	return 1;
}

uint32_t
vstate_scsi_event_poll(struct vstate_dev *dev)
{
	struct vstate_scsi *scsi = vstate_scsi_of(dev);
	struct vstate_vq *vq = dev->vqs[VSTATE_SCSI_VQ_EVENT];
	const uint32_t due = events_get(scsi);
	bool sent = false;
	uint32_t n = 0;

	if (likely(due == 0) || !vstate_lease_take(&vq->lease))
		return 0;
	if (!vstate_scsi_vq_of(vq)->wants_events)
		event_end(scsi, due);
	else
		n = event_put(vstate_scsi_vq_of(vq), rte_bsf32(due), &sent);
	vstate_request_publish(vq);
	/* after the driver can see it: a kill in between sends it again, which does no harm */
	if (sent)
		event_end(scsi, RTE_BIT32(rte_bsf32(due)));
	vstate_lease_give(&vq->lease);
	return n;
}

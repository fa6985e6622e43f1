/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>

#include "dev/vstate_dev.h"
#include "dev/vstate_run.h"
#include "dev/vstate_start.h"
#include "fuzz_queue.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"

struct vstate_pos
fuzz_queue_begin(struct fuzz_queue *q, struct fuzz_in *in, uint8_t how,
		const struct fuzz_queue_conf *conf)
{
	static const uint16_t split_sizes[] = { 8, 64, 4, 1 }, packed_sizes[] = { 8, 7, 33, 1 };
	struct vstate_pos base;

	q->race = how & 2;
	q->qid = conf->qid;
	q->vq = q->dev->vqs[conf->qid];
	q->d = (struct fuzz_driver){ .packed = how & 1, .indirect = how & 4,
		.hdr_len = conf->hdr_len, .direction = conf->direction };
	q->d.size = (q->d.packed ? packed_sizes : split_sizes)[how >> 3 & 3];
	fuzz_guest_make(q->d.packed, q->d.size);
	base.idx = q->d.packed ? fuzz_u8(in) % q->d.size : fuzz_u16(in);
	base.wrap = q->d.packed && how & 0x20;
	fuzz_driver_seek(&q->d, base.idx, base.wrap);
	memset(&q->setup, 0, sizeof(q->setup));
	q->setup.features = RTE_BIT64(VIRTIO_F_VERSION_1) | conf->features |
		(q->d.indirect ? RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
		(q->d.packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0) |
		(how & 0x40 ? RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) : 0);
	q->setup.mem = fuzz_guest.mem;
	if (how & 0x80) {
		q->setup.features |= RTE_BIT64(VHOST_F_LOG_ALL);
		q->setup.log_base = fuzz_guest.log;
		q->setup.log_size = FUZZ_LOG_SIZE;
	}
	fuzz_driver_describe(&q->d, base, &q->setup.rings[conf->qid]);
	vstate_start_connect(q->dev);
	vstate_start_negotiate(q->dev, q->setup.features, false);
	return base;
}

void
fuzz_queue_end(struct fuzz_queue *q)
{
	vstate_start_disconnect(q->dev, false);
	fuzz_require(!vstate_lease_is_granted(&q->vq->lease), "no queue is granted");
	fuzz_require(!vstate_run_is_started(q->dev), "the device stopped");
}

void
fuzz_queue_turn_begin(struct fuzz_queue *q, struct fuzz_in *in, bool held)
{
	const struct vstate_vq *vq = q->vq;
	const uint16_t room = q->d.packed ?
		(vq->avail.wrap == vq->used.wrap ? vq->size : 0) + vq->used.idx - vq->avail.idx :
		vq->size - (uint16_t)(vq->avail.idx - vq->used.idx);

	q->view.nb = q->view.nb_offered = 0;
	q->view.tangled = q->view.cut = true;
	/* buffers in flight are walked again, from wherever the driver has them now */
	if (!q->race && vq->inflight == NULL && !held)
		fuzz_driver_view(&q->d, vq->avail.idx, vq->avail.wrap, room, &q->view);
	fuzz_guest_snapshot();
	memset(fuzz_guest.log, 0, FUZZ_LOG_SIZE);
	if (q->race)
		fuzz_race_begin(in);
}

void
fuzz_queue_turn_end(struct fuzz_queue *q)
{
	fuzz_race_end();
	if (!q->view.tangled && !q->view.cut)
		fuzz_driver_require_offered(&q->d, &q->view, q->setup.log_base != NULL);
}

bool
fuzz_queue_suspend(struct fuzz_queue *q)
{
	if (rte_vhost_state_suspend(q->dev->name, 0, NULL) != 0)
		return false;
	fuzz_require(!vstate_lease_is_granted(&q->vq->lease), "no queue is granted");
	return true;
}

struct rte_vhost_state *
fuzz_queue_capture(struct fuzz_queue *q)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st = rte_vhost_state_capture(q->dev->name, &err);

	if (st != NULL)
		fuzz_require(rte_vhost_state_validate(st, &err) == 0, "a captured state is valid");
	return st;
}

void
fuzz_queue_resume(struct fuzz_queue *q)
{
	fuzz_require(rte_vhost_state_resume(q->dev->name, NULL) == 0, "it resumes");
}

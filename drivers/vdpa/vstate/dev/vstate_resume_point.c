/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include "ring/vstate_inflight.h"
#include "ring/vstate_packed.h"
#include "ring/vstate_used_astray.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "vstate_dev.h"
#include "vstate_log.h"
#include "vstate_quiesce.h"
#include "vstate_resume_point.h"
#include "vstate_setup.h"

void
vstate_resume_point_add(struct vstate_dev *dev, enum vstate_keeper_rank rank,
		const struct vstate_keeper *keeper)
{
	dev->resume_point.keepers[rank] = keeper;
}

void
vstate_resume_point_fini(struct vstate_dev *dev)
{
	rte_vhost_state_free(dev->resume_point.restored);
	rte_vhost_state_free(dev->resume_point.kept);
}

/* ---- the base ---- */

/* Whether the buffers in flight belong to a ring of this size and layout. */
static bool
inflight_fits(const struct vstate_vq *vq, bool packed)
{
	return vq->inflight == NULL ||
		(vq->inflight->packed == packed && vq->inflight->size == vq->size);
}

/*
 * Where a ring resumes by a base. Buffers between the used and the available position of a packed
 * ring were available to another device, which did not use them: this device starts with the first
 * one. If no buffer is available there, the base cannot be true: a front end invented its used
 * position, as QEMU does from a base of 16 bits when it uses up frames itself. The device then
 * knows better where it stopped, if it was this device.
 */
static struct vstate_pos
base_resume_pos(const struct vstate_dev *dev, struct vstate_vq *vq,
		const struct vstate_ring_setup *ring)
{
	const struct vstate_pos avail = ring->avail, used = ring->used;
	uint16_t astray;
	bool known;

	if (!vstate_dev_is_packed(dev) || vstate_pos_same(avail, used))
		return used;
	if (vstate_pos_inside(used, vq->size) && packed_pos_is_avail(vq, &used)) {
		VSTATE_LOG(NOTICE, "%s: queue %u resumes at its used position: index %u, wrap %u; its "
				"available position was index %u, wrap %u", dev->name, vq->qid,
				used.idx, used.wrap, avail.idx, avail.wrap);
		return used;
	}
	/* the front end has used up buffers elsewhere in the ring, and these are still here */
	known = vq->taken_back && vstate_pos_inside(vq->used, vq->size) &&
		packed_pos_is_avail(vq, &vq->used);
	VSTATE_LOG(NOTICE, "%s: queue %u: the front end's base cannot be true: no buffer is available "
			"at its used position (index %u, wrap %u); it resumes %s (index %u, wrap %u)",
			dev->name, vq->qid, used.idx, used.wrap, known ? "where it stopped" :
			"at its available position", known ? vq->used.idx : avail.idx,
			known ? vq->used.wrap : avail.wrap);
	astray = known && !used.wrap ? vstate_used_astray_repair(vq, used.idx) : 0;
	if (astray > 0)
		VSTATE_LOG(NOTICE, "%s: queue %u: %u used descriptors that the front end wrote at the "
				"begin of the ring are repaired", dev->name, vq->qid, astray);
	return known ? vq->used : avail;
}

/* The front end may set any base: limit it to the range that the ring code relies on. */
static void
base_set(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const bool packed = vstate_dev_is_packed(dev);

	/* If the base is where the ring stopped, its buffers in flight are still valid. */
	if (vq->inflight == NULL || !inflight_fits(vq, packed) ||
			vq->avail.idx != ring->avail.idx || vq->avail.wrap != ring->avail.wrap) {
		vstate_inflight_drop(vq);
		vq->avail = base_resume_pos(dev, vq, ring);
		if (packed && vq->avail.idx >= ring->size)
			vq->avail.idx %= ring->size;
		if (!packed)
			vq->avail.wrap = 0;
		/* Nothing is in flight in this device between bursts. */
		vq->used = vq->avail;
	}
	vstate_vq_restart(vq);
	vstate_run_vq_unblock(vq, VSTATE_BLOCK_BROKEN);
}

/*
 * A queue keeps its positions when it stops. A front end may change size and layout without a new
 * base, so the positions must be made to fit.
 */
static void
base_keep(struct vstate_dev *dev, struct vstate_vq *vq)
{
	const bool packed = vstate_dev_is_packed(dev);

	if (inflight_fits(vq, packed) &&
			(!packed || (vq->avail.idx < vq->size && vq->used.idx < vq->size)))
		return;
	vstate_inflight_drop(vq);
	if (packed)
		vq->avail.idx %= vq->size;
	else
		vq->avail.wrap = 0;
	vq->used = vq->avail;
	vq->signalled_valid = false;
}

void
vstate_resume_point_apply_base(struct vstate_dev *dev, struct vstate_vq *vq,
		const struct vstate_ring_setup *ring)
{
	if (ring->base_fresh)
		base_set(dev, vq, ring);
	else
		base_keep(dev, vq);
}

/* ---- the keepers ---- */

/*
 * Ask a keeper for one ring. If the old process was killed, it may not have called the driver for
 * the last buffers that it published. The call may also be lost with its eventfd. So the driver is
 * called here.
 */
static bool
keeper_apply(const struct vstate_keeper *keeper, struct vstate_dev *dev, struct vstate_vq *vq,
		const struct vstate_ring_setup *ring)
{
	const char *why = "";
	enum vstate_keeper_answer answer = keeper->apply(dev, vq, ring, &why);

	if (answer == VSTATE_KEEPER_SILENT)
		return false;
	if (keeper->after_kill) {
		vq->signalled_valid = false;
		vstate_call_vq(dev, vq);
	}
	if (answer == VSTATE_KEEPER_APPLIED) {
		VSTATE_LOG(INFO, "%s: queue %u resumes at index %u, wrap %u, %u buffers in flight, "
				"by the %s", dev->name, vq->qid, vq->used.idx, vq->used.wrap,
				vstate_inflight_count(vq), keeper->name);
		return true;
	}
	VSTATE_LOG(NOTICE, "%s: queue %u does not resume by the %s: %s", dev->name, vq->qid,
			keeper->name, why);
	return false;
}

/* @param answers return values of begin() of the keepers */
static void
vq_resume(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring,
		const int *answers)
{
	unsigned int rank;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		if (answers[rank] > 0 &&
				keeper_apply(dev->resume_point.keepers[rank], dev, vq, ring))
			return;
	}
	VSTATE_LOG(DEBUG, "%s: queue %u resumes at index %u, wrap %u, by the front end's base",
			dev->name, vq->qid, vq->used.idx, vq->used.wrap);
}

/* @return 0; -errno of a keeper whose state was to be applied and does not fit */
static int
keepers_begin(struct vstate_dev *dev, const struct vstate_setup *setup, int *answers)
{
	const struct vstate_keeper *keeper;
	bool decided = false;
	unsigned int rank;
	int ret = 0;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		answers[rank] = 0;
		keeper = dev->resume_point.keepers[rank];
		if (keeper == NULL)
			continue;
		/* a keeper before this one has all positions: those of this one are stale */
		if (decided) {
			if (keeper->forget != NULL)
				keeper->forget(dev);
			continue;
		}
		if (keeper->begin == NULL)
			continue;
		answers[rank] = keeper->begin(dev, setup);
		decided = answers[rank] == 1 || answers[rank] < 0;
		if (answers[rank] < 0)
			ret = answers[rank];
	}
	return ret;
}

static int
keepers_end(struct vstate_dev *dev, const struct vstate_setup *setup, const int *answers)
{
	const struct vstate_keeper *keeper;
	unsigned int rank;
	int ret = 0, end;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		keeper = dev->resume_point.keepers[rank];
		if (answers[rank] <= 0 || keeper->end == NULL)
			continue;
		end = keeper->end(dev, setup);
		if (end != 0)
			ret = end;
	}
	return ret;
}

/* Let the first keeper that can keep the position of a ring, if there is one. */
static void
vq_attach(struct vstate_dev *dev, struct vstate_vq *vq)
{
	const struct vstate_keeper *keeper;
	unsigned int rank;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		keeper = dev->resume_point.keepers[rank];
		if (keeper != NULL && keeper->attach != NULL && keeper->attach(dev, vq))
			return;
	}
	vstate_vq_detach(vq);
}

void
vstate_resume_point_store(struct vstate_dev *dev)
{
	const struct vstate_keeper *keeper;
	unsigned int rank;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		keeper = dev->resume_point.keepers[rank];
		if (keeper != NULL && keeper->store != NULL)
			keeper->store(dev);
	}
}

int
vstate_resume_point_apply(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	int answers[VSTATE_KEEPER_MAX], ret;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (vstate_run_vq_is_ready(dev->vqs[i]))
			vstate_resume_point_apply_base(dev, dev->vqs[i], &setup->rings[i]);
	}
	ret = keepers_begin(dev, setup, answers);
	for (i = 0; i < dev->nb_vqs; i++) {
		if (vstate_run_vq_is_ready(dev->vqs[i]))
			vq_resume(dev, dev->vqs[i], &setup->rings[i], answers);
	}
	if (ret == 0)
		ret = keepers_end(dev, setup, answers);
	for (i = 0; i < dev->nb_vqs; i++) {
		if (vstate_run_vq_is_ready(dev->vqs[i]))
			vq_attach(dev, dev->vqs[i]);
	}
	vstate_resume_point_store(dev);
	return ret;
}

bool
vstate_resume_point_needs_all(const struct vstate_dev *dev)
{
	const struct vstate_keeper *keeper;
	unsigned int rank;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		keeper = dev->resume_point.keepers[rank];
		if (keeper != NULL && keeper->needs_all != NULL && keeper->needs_all(dev))
			return true;
	}
	return false;
}

void
vstate_resume_point_leave(struct vstate_dev *dev, bool leave)
{
	const struct vstate_keeper *keeper;
	unsigned int rank;

	if (leave)
		vstate_resume_point_store(dev);
	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		keeper = dev->resume_point.keepers[rank];
		if (keeper == NULL)
			continue;
		if (!leave && keeper->retire != NULL)
			keeper->retire(dev);
		if (keeper->forget != NULL)
			keeper->forget(dev);
	}
}

void
vstate_resume_point_disconnect(struct vstate_dev *dev)
{
	const struct vstate_keeper *keeper;
	unsigned int rank;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		keeper = dev->resume_point.keepers[rank];
		if (keeper != NULL && keeper->disconnect != NULL)
			keeper->disconnect(dev);
	}
}

const char *
vstate_resume_point_lost(const struct vstate_dev *dev)
{
	const struct vstate_keeper *keeper;
	unsigned int rank;

	for (rank = 0; rank < VSTATE_KEEPER_MAX; rank++) {
		keeper = dev->resume_point.keepers[rank];
		if (keeper != NULL && keeper->is_lost != NULL && keeper->is_lost(dev))
			return keeper->name;
	}
	return NULL;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_restore.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_state_inflight.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_interrupted.h"
#include "ring/vstate_packed.h"
#include "ring/vstate_used_ahead.h"
#include "ring/vstate_vq.h"
#include "vstate_compat.h"
#include "vstate_handover.h"
#include "vstate_log.h"
#include "vstate_recover.h"
#include "vstate_state_file.h"

/* ---- one queue ---- */

/* Return the position of a queue. If its record was never begun, the state has it. */
static union vstate_inflight_head
head_get(const struct vstate_recovery *rec, uint16_t qid, bool packed)
{
	const struct rte_vhost_state_vq *sv = &rec->st->vqs[qid];
	const struct vstate_pos used = { sv->used_idx, sv->used_wrap };
	union vstate_inflight_head head = { 0 };

	if (rec->vqs[qid].valid)
		return rec->vqs[qid].head;
	if (packed)
		head.packed.pos = vstate_inflight_head_word(used, used);
	else
		head.split.used_idx = used.idx;
	return head;
}

/*
 * Return how many of the state's buffers in flight are left. The record has the count before the
 * last publication and the count after it. The second one is right if the driver can see it.
 */
static uint16_t
left_get(const struct vstate_vq *vq, const struct vstate_recovery *rec,
		const union vstate_inflight_head *head, bool packed)
{
	const uint32_t left = rec->vqs[vq->qid].left;
	struct vstate_pos old, now;
	bool seen;

	if (!rec->vqs[vq->qid].valid)
		return rec->st->vqs[vq->qid].nb_inflight;
	if (packed) {
		vstate_inflight_head_read(head->packed.pos, &old, &now);
		seen = !vstate_pos_same(old, now) && vstate_pos_inside(old, vq->size) &&
			!packed_pos_is_avail(vq, &old);
	} else {
		seen = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.used->idx,
				rte_memory_order_relaxed)) != head->split.used_idx;
	}
	return seen ? left & UINT16_MAX : left >> 16;
}

/* The state's buffers in flight are valid only if the guest has not set the ring up again. */
static const char *
split_ring_check(const struct vstate_vq *vq, const union vstate_inflight_head *head)
{
	const uint16_t used = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.used->idx,
			rte_memory_order_relaxed));

	return vstate_split_distance(used, head->split.used_idx) <= VSTATE_SHADOW ? NULL :
		"the guest started from scratch";
}

/*
 * A state file has the requests in flight of the moment at which its state was stored. As long as
 * the driver got none back since then, these and the next ones of the ring are the right ones.
 * After that only an in-flight region knows, as requests complete in any order.
 */
static const char *
requests_check(const struct vstate_vq *vq, const struct vstate_recovery *rec,
		const union vstate_inflight_head *head, bool packed)
{
	const struct rte_vhost_state_vq *sv = &rec->st->vqs[vq->qid];
	struct vstate_pos old, now;

	if (vq->marks == NULL)
		return NULL;
	if (packed) {
		vstate_inflight_head_read(head->packed.pos, &old, &now);
		if (old.idx == sv->used_idx && now.idx == sv->used_idx && old.wrap == now.wrap &&
				now.wrap == sv->used_wrap)
			return NULL;
	} else if (rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.used->idx,
			rte_memory_order_relaxed)) == sv->used_idx) {
		return NULL;
	}
	return "its requests in flight are not known: the front end needs an in-flight region";
}

/*
 * At the front end's base the device would do requests again that the driver got back. So it does
 * not serve the ring, unless the ring is new.
 */
static void
requests_unknown(struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const struct vstate_pos first = { 0, 1 };
	const bool is_new = vq->is_packed ? vstate_pos_same(ring->avail, first) :
		rte_atomic_load_explicit(&vq->split.used->idx, rte_memory_order_relaxed) == 0;

	if (vq->marks != NULL && !is_new)
		vstate_vq_break(vq, VSTATE_FAULT_REQUESTS_UNKNOWN);
}

/* Attach the buffers in flight that are left. @return NULL, or the reason why this failed */
static const char *
inflight_attach(struct vstate_vq *vq, const struct vstate_recovery *rec,
		const union vstate_inflight_head *head, bool packed)
{
	const uint16_t left = left_get(vq, rec, head, packed);
	struct vstate_inflight *list;
	const char *why;

	why = requests_check(vq, rec, head, packed);
	if (why != NULL || left == 0)
		return why;
	why = packed ? NULL : split_ring_check(vq, head);
	if (why != NULL)
		return why;
	list = vstate_state_inflight_list(&rec->st->vqs[vq->qid], packed, left);
	if (list == NULL)
		return "no memory";
	vstate_inflight_attach(vq, list);
	return NULL;
}

/* @return NULL; or why the ring cannot resume where the old process stopped: it is unchanged */
static const char *
vq_recover(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const struct vstate_recovery *rec = dev->handover->recovery;
	const bool packed = rte_vhost_state_is_packed(rec->st);
	const union vstate_inflight_head head = head_get(rec, vq->qid, packed);
	const struct vstate_pos first = { 0, 1 };
	uint16_t nb_empty = 0;
	const char *why;

	if (rte_vhost_state_check_vq(rec->st, vq->qid, &(const struct rte_vhost_state_vq){
				.size = vq->size,
				.desc_addr = vq->desc_addr,
				.driver_addr = vq->driver_addr,
				.device_addr = vq->device_addr,
			}, NULL) != 0)
		return "the ring has another size or address";
	why = inflight_attach(vq, rec, &head, packed);
	if (why != NULL)
		return why;
	why = vstate_interrupted_settle(vq, &head, vstate_pos_same(ring->avail, first), &nb_empty);
	if (nb_empty > 0)
		VSTATE_LOG(NOTICE, "%s: queue %u: %u buffers of an interrupted burst returned empty",
				dev->name, vq->qid, nb_empty);
	if (why != NULL) {
		vstate_inflight_drop(vq);
		vq->avail = vq->used;
	}
	return why;
}

/* Return, in ring order, the buffers that the front end used itself while no device ran. */
static void
used_ahead_return(const struct vstate_dev *dev, struct vstate_vq *vq)
{
	uint16_t n;

	if (dev->class->used_ahead == NULL || !dev->class->used_ahead(vq))
		return;
	n = vstate_used_ahead_return(vq, dev->class->empty_len(vq));
	if (n > 0)
		VSTATE_LOG(NOTICE, "%s: queue %u: %u buffers that the front end has used up return "
				"empty", dev->name, vq->qid, n);
}

/* ---- the keeper ---- */

void
vstate_recover_drop(struct vstate_dev *dev)
{
	struct vstate_recovery *rec = dev->handover->recovery;

	if (rec == NULL)
		return;
	rte_vhost_state_free(rec->st);
	free(rec);
	dev->handover->recovery = NULL;
}

static bool
features_fit(const struct vstate_dev *dev)
{
	const struct vstate_recovery *rec = dev->handover->recovery;
	struct rte_vhost_state_limits lim = { 0 };
	struct rte_vhost_state_error err = { 0 };
	char text[256];

	vstate_restore_limits_of_rings(dev, &lim);
	if (rte_vhost_state_check_fit(rec->st, &lim, &err) == 0)
		return true;
	rte_vhost_state_error_format(&err, text, sizeof(text));
	VSTATE_LOG(NOTICE, "%s: the state that process %u left does not fit, rings resume at the "
			"front end's base: %s", dev->name, rec->pid, text);
	return false;
}

static int
recover_begin(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	RTE_SET_USED(setup);
	if (dev->handover->recovery == NULL)
		return 0;
	if (features_fit(dev))
		return 2;
	vstate_recover_drop(dev);
	if (dev->class->kept_size != 0)
		memset(dev->kept, 0, dev->class->kept_size);
	return 0;
}

static enum vstate_keeper_answer
recover_apply(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring,
		const char **why)
{
	const struct rte_vhost_state *st = dev->handover->recovery->st;

	if (!ring->base_fresh || vq->qid >= st->nb_vqs || st->vqs[vq->qid].size == 0)
		return VSTATE_KEEPER_SILENT;
	*why = vq_recover(dev, vq, ring);
	if (*why != NULL) {
		requests_unknown(vq, ring);
		return VSTATE_KEEPER_REFUSED;
	}
	if (rte_vhost_state_is_packed(st))
		used_ahead_return(dev, vq);
	return VSTATE_KEEPER_APPLIED;
}

/* Keep the state as long as it has rings that are not set up yet. */
static int
recover_end(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	struct rte_vhost_state *st = dev->handover->recovery->st;
	bool waiting = false;
	uint16_t i;

	if (dev->class->recover != NULL && dev->class->recover(dev, st) != 0)
		VSTATE_LOG(WARNING, "%s: the settings that process %u left are not used", dev->name,
				dev->handover->recovery->pid);
	for (i = 0; i < st->nb_vqs; i++) {
		if (vstate_run_vq_is_ready(dev->vqs[i]) && setup->rings[i].base_fresh)
			st->vqs[i].size = 0;
		waiting |= st->vqs[i].size != 0;
	}
	if (!waiting)
		vstate_recover_drop(dev);
	return 0;
}

static bool
recover_needs_all(const struct vstate_dev *dev)
{
	return dev->handover->recovery != NULL || dev->handover->state_file != NULL;
}

const struct vstate_keeper vstate_recover_keeper = {
	.name = "state file",
	.after_kill = true,
	.begin = recover_begin,
	.apply = recover_apply,
	.end = recover_end,
	.attach = vstate_state_file_attach,
	.store = vstate_state_file_store,
	.retire = vstate_state_file_retire,
	.forget = vstate_recover_drop,
	.is_lost = vstate_state_file_is_lost,
	.needs_all = recover_needs_all,
};

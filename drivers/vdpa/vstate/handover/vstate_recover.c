/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * What a killed process left behind meets the rings. It beats the base of the front end, who
 * cannot know better: QEMU reads the used index of a split ring from the guest's memory, as is
 * done here, but of a packed ring it has no more than where it once began. All on the control
 * thread, with no one inside.
 */

#include <stdlib.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "dev/vstate_dev.h"
#include "vstate_log.h"
#include "net/vstate_net.h"
#include "vstate_state_file.h"
#include "vstate_inflight_shm.h"

#define F_AVAIL RTE_BIT32(VRING_PACKED_DESC_F_AVAIL)
#define F_USED RTE_BIT32(VRING_PACKED_DESC_F_USED)

void
vstate_recover_drop(struct vstate_dev *dev)
{
	if (dev->recovery == NULL)
		return;
	rte_vhost_state_free(dev->recovery->st);
	free(dev->recovery);
	dev->recovery = NULL;
}

/* ---- packed ---- */

struct flags {
	bool avail, used, next;
};

static struct flags
flags_at(const struct vstate_vq *vq, struct vstate_pos pos)
{
	uint16_t flags = rte_le_to_cpu_16(__atomic_load_n(&vq->packed.desc[pos.idx].flags,
			__ATOMIC_ACQUIRE));
	bool avail = !!(flags & F_AVAIL) == pos.wrap, used = !!(flags & F_USED) == pos.wrap;

	return (struct flags){
		.avail = avail && !used,
		.used = avail && used,
		.next = flags & VRING_DESC_F_NEXT,
	};
}

bool
vstate_packed_avail(const struct vstate_vq *vq, struct vstate_pos pos)
{
	return flags_at(vq, pos).avail;
}

static uint16_t
id_at(const struct vstate_vq *vq, struct vstate_pos pos)
{
	return rte_le_to_cpu_16(__atomic_load_n(&vq->packed.desc[pos.idx].id, __ATOMIC_RELAXED));
}

static bool
pos_same(struct vstate_pos a, struct vstate_pos b)
{
	return a.idx == b.idx && a.wrap == b.wrap;
}

static bool
pos_inside(const struct vstate_vq *vq, struct vstate_pos pos)
{
	return pos.idx < vq->size && pos.wrap <= 1;
}

/* A driver begins with all flags clear, and USED shows from the first turn on. */
static bool
ring_untouched(const struct vstate_vq *vq)
{
	uint16_t i;

	for (i = 0; i < vq->size; i++) {
		if (__atomic_load_n(&vq->packed.desc[i].flags, __ATOMIC_RELAXED) &
				rte_cpu_to_le_16(F_USED))
			return false;
	}
	return true;
}

/*
 * The buffers from @p old up to @p now, of which a publication was interrupted: first whole
 * chains, then from some place on used descriptors. False: they are not so.
 * @param written set if there are used ones
 */
static bool
interrupted_walk(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now, bool *written)
{
	struct vstate_pos pos = old;
	struct vstate_used *u = NULL;
	bool in_chain = false;

	*written = false;
	for (; !pos_same(pos, now); vstate_pos_step(&pos, 1, vq->size)) {
		const struct flags f = flags_at(vq, pos);

		/* what is not used belongs to the buffer whose first descriptor is */
		if (*written ? !f.used : in_chain) {
			u->num++;
			if (!*written) {
				u->id = id_at(vq, pos);
				in_chain = f.next;
			}
			continue;
		}
		if ((!f.avail && !f.used) || vq->nb_shadow == VSTATE_SHADOW)
			return false;
		*written = f.used;
		in_chain = f.next;
		u = &vq->shadow[vq->nb_shadow++];
		*u = (struct vstate_used){ .id = id_at(vq, pos), .num = 1 };
	}
	return true;
}

/* Of a publication up to @p now, the buffers that were in flight before. @return its position */
static struct vstate_pos
interrupted_listed(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now)
{
	struct vstate_inflight *list = vq->inflight;
	struct vstate_pos pos = old;
	uint32_t left = vstate_pos_distance(now, old, vq->size);
	uint16_t i;

	vq->nb_shadow = 0;
	for (i = 0; list != NULL && i < list->nb && list->bufs[i].num <= left &&
			vq->nb_shadow < VSTATE_SHADOW; i++) {
		vq->shadow[vq->nb_shadow++] = (struct vstate_used){ .id = list->bufs[i].id,
			.num = list->bufs[i].num };
		vstate_pos_step(&pos, list->bufs[i].num, vq->size);
		left -= list->bufs[i].num;
	}
	return pos;
}

/*
 * The first descriptor of a publication is still available: the driver was not told. Where no
 * other was written either, or only those of buffers in flight, of which there are copies,
 * nothing happened. Else lengths are lost with the process: all its buffers go back without
 * content, and the frames are lost, as those that it held.
 */
static void
interrupted_finish(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now)
{
	const struct vstate_pos from = interrupted_listed(vq, old, now);
	const uint16_t listed = vq->nb_shadow;
	bool written, known = interrupted_walk(vq, from, now, &written);

	if (!known || !written) {
		vq->nb_shadow = 0;
		return;
	}
	VSTATE_LOG(NOTICE, "queue %u: %u buffers of an interrupted burst returned empty", vq->qid,
			vq->nb_shadow);
	if (vq->inflight != NULL)
		vq->inflight->taken = listed;
	vq->avail = now;
	vq->ops->flush(vq);
}

/* The used position, and with it the available one, with what is in flight in between. */
static void
used_set(struct vstate_vq *vq, struct vstate_pos used, bool packed)
{
	const struct vstate_inflight *list = vq->inflight;
	uint16_t i;

	vq->used = used;
	vq->avail = used;
	for (i = 0; list != NULL && i < list->nb; i++) {
		if (packed)
			vstate_pos_step(&vq->avail, list->bufs[i].num, vq->size);
		else
			vq->avail.idx++;
	}
}

const char *
vstate_recover_packed(struct vstate_vq *vq, const union vstate_inflight_head *rec, bool fresh)
{
	struct vstate_pos old, now;

	vstate_inflight_head_read(rec->packed.pos, &old, &now);
	if (!pos_inside(vq, old) || !pos_inside(vq, now) ||
			vstate_pos_distance(now, old, vq->size) > vq->size)
		return "positions that a ring of this size cannot have";
	/* At the first position nothing was used yet, by whomever. */
	if (fresh && !pos_same(now, (struct vstate_pos){ 0, 1 }) && ring_untouched(vq))
		return "the guest began anew";
	if (pos_same(old, now) || !flags_at(vq, old).avail) {
		used_set(vq, now, true);
		return NULL;
	}
	used_set(vq, old, true);
	interrupted_finish(vq, old, now);
	return NULL;
}

/* ---- split ---- */

const char *
vstate_recover_split(struct vstate_vq *vq)
{
	const struct vstate_pos used = { .idx = rte_le_to_cpu_16(
		__atomic_load_n(&vq->split.used->idx, __ATOMIC_ACQUIRE)) };

	used_set(vq, used, false);
	return NULL;
}

/* ---- a device ---- */

/* Where the record was never begun, the state has the positions. */
static union vstate_inflight_head
record_of(const struct vstate_recovery *rec, uint16_t qid, bool packed)
{
	const struct rte_vhost_state_vq *sv = &rec->st->vqs[qid];
	const struct vstate_pos used = { sv->used_idx, sv->used_wrap };
	union vstate_inflight_head record = { 0 };

	if (rec->vqs[qid].valid)
		return rec->vqs[qid].record;
	if (packed)
		record.packed.pos = vstate_inflight_head_word(used, used);
	else
		record.split.used_idx = used.idx;
	return record;
}

/*
 * How many of the state's buffers in flight were left: the count before or after the
 * publication that was under way, if the driver was told of it.
 */
static uint16_t
left_of(const struct vstate_vq *vq, const struct vstate_recovery *rec,
		const union vstate_inflight_head *record, bool packed)
{
	const uint32_t left = rec->vqs[vq->qid].left;
	struct vstate_pos old, now;
	bool told;

	if (!rec->vqs[vq->qid].valid)
		return rec->st->vqs[vq->qid].nb_inflight;
	if (packed) {
		vstate_inflight_head_read(record->packed.pos, &old, &now);
		told = !pos_same(old, now) && pos_inside(vq, old) && !flags_at(vq, old).avail;
	} else {
		told = rte_le_to_cpu_16(__atomic_load_n(&vq->split.used->idx,
				__ATOMIC_RELAXED)) != record->split.used_idx;
	}
	return told ? left & UINT16_MAX : left >> 16;
}

/* What the state has in flight was in flight in this very ring, or is of no use. */
static const char *
split_past_fits(const struct vstate_vq *vq, const union vstate_inflight_head *record)
{
	const uint16_t used = rte_le_to_cpu_16(__atomic_load_n(&vq->split.used->idx,
			__ATOMIC_RELAXED));

	return vstate_split_distance(used, record->split.used_idx) <= VSTATE_SHADOW ? NULL :
		"the guest began anew";
}

static const char *
vq_recover(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const struct vstate_recovery *rec = dev->recovery;
	const bool packed = rte_vhost_state_is_packed(rec->st);
	const union vstate_inflight_head record = record_of(rec, vq->qid, packed);
	const struct vstate_pos first = { 0, 1 };
	struct vstate_inflight *list = NULL;
	uint16_t left;
	const char *why = NULL;

	if (rte_vhost_state_check_vq(rec->st, vq->qid, &(const struct rte_vhost_state_vq){
				.size = vq->size,
				.desc_addr = vq->desc_addr,
				.driver_addr = vq->driver_addr,
				.device_addr = vq->device_addr,
			}, NULL) != 0)
		return "the ring is another one";
	left = left_of(vq, rec, &record, packed);
	if (left != 0) {
		if (!packed)
			why = split_past_fits(vq, &record);
		if (why != NULL)
			return why;
		list = vstate_inflight_of_state(&rec->st->vqs[vq->qid], packed, left);
		if (list == NULL)
			return "no memory";
		vstate_inflight_attach(vq, list);
	}
	why = packed ? vstate_recover_packed(vq, &record, pos_same(ring->avail, first)) :
		vstate_recover_split(vq);
	if (why != NULL) {
		vstate_inflight_drop(vq);
		vq->avail = vq->used;
	}
	return why;
}

static void
vq_meet(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const char *why = vq_recover(dev, vq, ring);
	uint16_t foreign = 0;

	if (why == NULL && vq->qid % 2 == 1 && rte_vhost_state_is_packed(dev->recovery->st))
		foreign = vstate_used_ahead_return(vq);
	if (foreign > 0)
		VSTATE_LOG(NOTICE, "%s: queue %u: %u buffers that the front end has used up return empty",
				dev->name, vq->qid, foreign);
	/* Nobody knows what the driver last heard: the call for what was published last may not
	 * have been made, or be lost with its descriptor.
	 */
	vq->signalled_valid = false;
	vstate_dev_call_vq(dev, vq);
	if (why != NULL)
		VSTATE_LOG(NOTICE, "%s: queue %u begins at the front end's base, and not where process "
				"%u stood: %s", dev->name, vq->qid, dev->recovery->pid, why);
	else
		VSTATE_LOG(INFO, "%s: queue %u goes on at %u (wrap %u) with %u in flight",
				dev->name, vq->qid, vq->used.idx, vq->used.wrap,
				vstate_inflight_count(vq));
}

static bool
features_fit(const struct vstate_dev *dev)
{
	struct rte_vhost_state_limits lim = { 0 };
	struct rte_vhost_state_error err = { 0 };
	char text[256];

	vstate_net_limits(dev, &lim);
	/* its own limits are no matter of the rings */
	lim.max_mtu = UINT16_MAX;
	if (rte_vhost_state_check_fit(dev->recovery->st, &lim, &err) == 0)
		return true;
	rte_vhost_state_error_format(&err, text, sizeof(text));
	VSTATE_LOG(NOTICE, "%s: what process %u left does not fit, the front end's bases count: %s",
			dev->name, dev->recovery->pid, text);
	return false;
}

/* The front end's own record of a ring beats ours: it had it to the end. */
static void
regions_meet(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (!dev->vqs[i]->ready || !setup->rings[i].base_fresh ||
				!vstate_inflight_shm_recover(dev, dev->vqs[i], &setup->rings[i]))
			continue;
		if (dev->recovery != NULL && i < dev->recovery->st->nb_vqs)
			dev->recovery->st->vqs[i].size = 0;
	}
}

static void
pages_meet(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	struct rte_vhost_state *st;
	bool unmet = false;
	uint16_t i;

	if (dev->recovery == NULL)
		return;
	st = dev->recovery->st;
	if (!features_fit(dev)) {
		vstate_recover_drop(dev);
		return;
	}
	for (i = 0; i < st->nb_vqs; i++) {
		if (st->vqs[i].size == 0)
			continue;
		if (!dev->vqs[i]->ready || !setup->rings[i].base_fresh) {
			unmet = true;
			continue;
		}
		vq_meet(dev, dev->vqs[i], &setup->rings[i]);
		st->vqs[i].size = 0; /* met */
	}
	if (!unmet)
		vstate_recover_drop(dev);
}

void
vstate_recover_meet(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	if (dev->inflight_shm != NULL)
		regions_meet(dev, setup);
	pages_meet(dev, setup);
}

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

#include "vstate_dev.h"
#include "vstate_log.h"
#include "vstate_net.h"
#include "vstate_page.h"

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
	vq->nb_shadow = 0;
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

/*
 * The first descriptor of a publication is still available: the driver was not told. Where no
 * other was written either, nothing happened. Else lengths are lost with the process: all its
 * buffers go back without content, and the frames are lost, as those that it held.
 */
static void
interrupted_finish(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now)
{
	bool written, known = interrupted_walk(vq, old, now, &written);

	vq->used = old;
	vq->avail = old;
	if (!known || !written) {
		vq->nb_shadow = 0;
		return;
	}
	VSTATE_LOG(NOTICE, "queue %u: %u buffers of an interrupted burst returned empty", vq->qid,
			vq->nb_shadow);
	vq->avail = now;
	vq->ops->flush(vq);
}

const char *
vstate_recover_packed(struct vstate_vq *vq, const union vstate_record *rec, bool fresh)
{
	struct vstate_pos old, now;

	vstate_record_read(rec->packed.pos, &old, &now);
	if (!pos_inside(vq, old) || !pos_inside(vq, now) ||
			vstate_pos_distance(now, old, vq->size) > vq->size)
		return "positions that a ring of this size cannot have";
	if (fresh && ring_untouched(vq))
		return "the guest began anew";
	if (!pos_same(old, now) && flags_at(vq, old).avail) {
		interrupted_finish(vq, old, now);
	} else {
		vq->used = now;
		vq->avail = now;
	}
	return NULL;
}

/* ---- split ---- */

const char *
vstate_recover_split(struct vstate_vq *vq)
{
	vq->used.idx = rte_le_to_cpu_16(__atomic_load_n(&vq->split.used->idx, __ATOMIC_ACQUIRE));
	vq->avail = vq->used;
	return NULL;
}

/* ---- a device ---- */

/* Where the record was never begun, the state has the positions. */
static union vstate_record
record_of(const struct vstate_recovery *rec, uint16_t qid)
{
	const struct rte_vhost_state_vq *sv = &rec->st->vqs[qid];
	const struct vstate_pos used = { sv->used_idx, sv->used_wrap };
	union vstate_record record = { 0 };

	if (rec->vqs[qid].valid)
		return rec->vqs[qid].record;
	record.packed.pos = vstate_record_word(used, used);
	return record;
}

static const char *
vq_recover(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const struct vstate_recovery *rec = dev->recovery;
	const union vstate_record record = record_of(rec, vq->qid);
	const struct vstate_pos first = { 0, 1 };

	if (rte_vhost_state_check_vq(rec->st, vq->qid, &(const struct rte_vhost_state_vq){
				.size = vq->size,
				.desc_addr = vq->desc_addr,
				.driver_addr = vq->driver_addr,
				.device_addr = vq->device_addr,
			}, NULL) != 0)
		return "the ring is another one";
	if (!rte_vhost_state_is_packed(rec->st))
		return vstate_recover_split(vq);
	return vstate_recover_packed(vq, &record, pos_same(ring->avail, first));
}

static void
vq_meet(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring)
{
	const char *why = vq_recover(dev, vq, ring);

	/* nobody knows what the driver last heard */
	vq->signalled_valid = false;
	if (why != NULL)
		VSTATE_LOG(NOTICE, "%s: queue %u begins at the front end's base, and not where process "
				"%u stood: %s", dev->name, vq->qid, dev->recovery->pid, why);
	else
		VSTATE_LOG(INFO, "%s: queue %u goes on at %u (wrap %u)", dev->name, vq->qid,
				vq->used.idx, vq->used.wrap);
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

void
vstate_recover_meet(struct vstate_dev *dev, const struct vstate_setup *setup)
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

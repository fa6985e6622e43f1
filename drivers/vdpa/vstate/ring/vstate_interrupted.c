/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "vstate_inflight.h"
#include "vstate_interrupted.h"
#include "vstate_log.h"
#include "vstate_ring.h"
#include "vstate_vq.h"

#define F_AVAIL RTE_BIT32(VRING_PACKED_DESC_F_AVAIL)
#define F_USED RTE_BIT32(VRING_PACKED_DESC_F_USED)

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
	vstate_ring_publish(vq);
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

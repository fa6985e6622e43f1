/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "vstate_compat.h"
#include "vstate_interrupted.h"
#include "vstate_packed.h"
#include "vstate_ring.h"

/* State of a packed descriptor, in the turn of the ring that its position has. */
struct desc_state {
	bool avail, used, next;
};

static struct desc_state
desc_state_read(const struct vstate_vq *vq, struct vstate_pos pos)
{
	/* Acquire: the ID is read after the flags, see packed_pos_is_avail(). */
	uint16_t flags = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->packed.desc[pos.idx].flags,
			rte_memory_order_acquire));
	bool avail = !!(flags & DESC_AVAIL) == pos.wrap, used = !!(flags & DESC_USED) == pos.wrap;

	return (struct desc_state){
		.avail = avail && !used,
		.used = avail && used,
		.next = flags & VRING_DESC_F_NEXT,
	};
}

static uint16_t
desc_id_read(const struct vstate_vq *vq, struct vstate_pos pos)
{
	return rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->packed.desc[pos.idx].id,
			rte_memory_order_relaxed));
}

/*
 * A driver starts with all descriptors zero. Each used descriptor of the first turn has USED set.
 * One of the second turn has neither flag, as a blank one, but it still has the driver's address.
 */
static bool
ring_is_untouched(const struct vstate_vq *vq)
{
	const struct vring_packed_desc *d;
	uint16_t i, flags;

	for (i = 0; i < vq->size; i++) {
		d = &vq->packed.desc[i];
		flags = rte_le_to_cpu_16(rte_atomic_load_explicit(&d->flags,
				rte_memory_order_relaxed));
		if ((flags & DESC_USED) != 0 || ((flags & DESC_AVAIL) == 0 &&
				rte_atomic_load_explicit(&d->addr, rte_memory_order_relaxed) != 0))
			return false;
	}
	return true;
}

/*
 * Collect the buffers from @p old up to @p now in the shadow. Their publication was interrupted:
 * first there are complete chains, behind them used descriptors.
 * @param written  set to true if there is a used descriptor
 * @return false: the ring does not have this form
 */
static bool
interrupted_walk(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now, bool *written)
{
	struct vstate_pos pos = old;
	struct vstate_used *u = NULL;
	bool in_chain = false;

	*written = false;
	for (; !vstate_pos_same(pos, now); vstate_pos_step(&pos, 1, vq->size)) {
		const struct desc_state d = desc_state_read(vq, pos);

		/* a descriptor that is not used belongs to the used one before it */
		if (*written ? !d.used : in_chain) {
			u->num++;
			if (!*written) {
				u->id = desc_id_read(vq, pos);
				in_chain = d.next;
			}
			continue;
		}
		if ((!d.avail && !d.used) || vq->nb_shadow == VSTATE_SHADOW)
			return false;
		*written = d.used;
		in_chain = d.next;
		u = &vq->shadow[vq->nb_shadow++];
		*u = (struct vstate_used){ .id = desc_id_read(vq, pos), .num = 1 };
	}
	return true;
}

/*
 * Collect the buffers of a publication from @p old up to @p now that were in flight before, in the
 * shadow.
 * @return the position behind these buffers
 */
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
 * Undo a publication that the driver has not seen, of buffers that are served again: there are
 * copies of their descriptors. The buffers may be used in another order or one by one then. The
 * driver would take a descriptor that was written already for a used one as soon as it gets there.
 * So it is made available again. This device does not read it, as the available position is behind
 * it.
 */
static void
interrupted_undo(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now)
{
	const uint64_t size = sizeof(struct vring_packed_desc);
	struct vstate_pos pos = old;

	for (; !vstate_pos_same(pos, now); vstate_pos_step(&pos, 1, vq->size)) {
		if (!desc_state_read(vq, pos).used)
			continue;
		rte_atomic_store_explicit(&vq->packed.desc[pos.idx].flags,
				rte_cpu_to_le_16(pos.wrap ? DESC_AVAIL : DESC_USED),
				rte_memory_order_relaxed);
		vstate_vq_dirty(vq, vq->desc_addr + pos.idx * size, size);
	}
	vstate_dirty_flush(&vq->dirty);
}

/*
 * Finish a publication whose first descriptor is still available: the driver has seen nothing.
 * There are copies of the descriptors of buffers in flight. If no other descriptor was written,
 * the publication is undone. Otherwise lengths are lost with the process: all buffers return
 * empty, and the frames in them are lost like the frames that the process held.
 * @return number of buffers that were returned empty
 */
static uint16_t
interrupted_finish(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now)
{
	const struct vstate_pos from = interrupted_listed(vq, old, now);
	const uint16_t listed = vq->nb_shadow;
	bool written, known = interrupted_walk(vq, from, now, &written);
	uint16_t nb = vq->nb_shadow;

	if (!known || !written) {
		vq->nb_shadow = 0;
		interrupted_undo(vq, old, from);
		return 0;
	}
	if (vq->inflight != NULL)
		vq->inflight->taken = listed;
	vq->avail = now;
	vstate_ring_publish(vq);
	return nb;
}

static const char *
packed_settle(struct vstate_vq *vq, const union vstate_inflight_head *rec, bool fresh,
		uint16_t *nb_empty)
{
	struct vstate_pos old, now;

	vstate_inflight_head_read(rec->packed.pos, &old, &now);
	if (!vstate_pos_inside(old, vq->size) || !vstate_pos_inside(now, vq->size) ||
			vstate_pos_distance(now, old, vq->size) > vq->size)
		return "positions that a ring of this size cannot have";
	/* At the first position no device has used a buffer yet. */
	if (fresh && !vstate_pos_same(now, (struct vstate_pos){ 0, 1 }) && ring_is_untouched(vq))
		return "the guest started from scratch";
	if (vstate_pos_same(old, now) || !desc_state_read(vq, old).avail) {
		vstate_inflight_used_set(vq, now);
		return NULL;
	}
	vstate_inflight_used_set(vq, old);
	if (vq->marks != NULL)
		interrupted_undo(vq, old, now);
	else
		*nb_empty = interrupted_finish(vq, old, now);
	return NULL;
}

const char *
vstate_interrupted_settle(struct vstate_vq *vq, const union vstate_inflight_head *rec, bool fresh,
		uint16_t *nb_empty)
{
	*nb_empty = 0;
	if (vq->is_packed)
		return packed_settle(vq, rec, fresh, nb_empty);
	vstate_inflight_used_set(vq, (struct vstate_pos){ .idx = rte_le_to_cpu_16(
			rte_atomic_load_explicit(&vq->split.used->idx,
			rte_memory_order_acquire)) });
	return NULL;
}

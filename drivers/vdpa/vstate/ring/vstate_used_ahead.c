/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_debug.h>

#include "vstate_compat.h"
#include "vstate_packed.h"
#include "vstate_used_ahead.h"

enum desc_state { NOTHING, AVAILABLE, USED };

/* State of a descriptor at or behind the available position, in this turn of the ring. */
static enum desc_state
desc_state_read(const struct vstate_vq *vq, struct vstate_pos pos)
{
	/* Acquire: the ID is read after the flags, see packed_pos_is_avail(). */
	const uint16_t flags = rte_le_to_cpu_16(rte_atomic_load_explicit(
			&vq->packed.desc[pos.idx].flags, rte_memory_order_acquire));

	if (!!(flags & DESC_AVAIL) != pos.wrap)
		return NOTHING;
	return !!(flags & DESC_USED) != pos.wrap ? AVAILABLE : USED;
}

static uint16_t
desc_id_read(const struct vstate_vq *vq, struct vstate_pos pos)
{
	return rte_atomic_load_explicit(&vq->packed.desc[pos.idx].id, rte_memory_order_relaxed);
}

/*
 * Number of descriptors of the buffer at @p pos. Its first descriptor was used, and so the flag
 * NEXT was overwritten. Linux writes the ID of a buffer into all of its descriptors, and no other
 * buffer has this ID now.
 */
static uint16_t
used_chain_count(const struct vstate_vq *vq, struct vstate_pos pos, uint16_t max)
{
	const uint16_t id = desc_id_read(vq, pos);
	uint16_t n;

	for (n = 1; n < max; n++) {
		vstate_pos_step(&pos, 1, vq->size);
		if (desc_state_read(vq, pos) != AVAILABLE || desc_id_read(vq, pos) != id)
			break;
	}
	return n;
}

static void
desc_write(struct vstate_vq *vq, struct vstate_pos pos, uint64_t addr, uint32_t len, bool more)
{
	const uint16_t flags = (pos.wrap ? DESC_AVAIL : DESC_USED) | (more ? VRING_DESC_F_NEXT : 0);
	struct vring_packed_desc *d = &vq->packed.desc[pos.idx];

	d->addr = rte_cpu_to_le_64(addr);
	d->len = rte_cpu_to_le_32(len);
	/* Release: address and length are stored before the flags that announce them. Without
	 * it the device could use the values of the earlier buffer. Partner:
	 * packed_pos_is_avail().
	 */
	rte_atomic_store_explicit(&d->flags, rte_cpu_to_le_16(flags), rte_memory_order_release);
	vstate_vq_dirty(vq, vq->desc_addr + pos.idx * sizeof(*d), sizeof(*d));
}

/* Make a buffer of @p len bytes available again. Its address is that of the ring itself. */
static void
buf_make_available(struct vstate_vq *vq, struct vstate_pos pos, uint16_t num, uint32_t len)
{
	uint16_t i;

	RTE_ASSERT(len <= sizeof(struct vring_packed_desc));
	for (i = 0; i < num; i++, len = 0) {
		desc_write(vq, pos, vq->desc_addr, len, i + 1 < num);
		vstate_pos_step(&pos, 1, vq->size);
	}
}

uint16_t
vstate_used_ahead_return(struct vstate_vq *vq, uint32_t len)
{
	uint16_t left = vstate_pos_room(vq->avail, vq->used, vq->size), n = 0, num;
	struct vstate_pos pos = vq->avail;
	enum desc_state state;

	for (; left > 0 && (state = desc_state_read(vq, pos)) != NOTHING; left -= num) {
		num = 1;
		if (state == USED && pos.idx == vq->used.idx && pos.wrap == vq->used.wrap) {
			/* The driver reads this descriptor next, or has read it. So the
			 * buffer is completed as if the device had used it. It counts as
			 * one descriptor, as nearly all buffers have. Descriptors cannot
			 * be counted by the ID, which may belong to a new buffer now.
			 */
			vstate_pos_step(&vq->used, 1, vq->size);
			vq->avail = vq->used;
			n++;
		} else if (state == USED) {
			num = used_chain_count(vq, pos, left);
			buf_make_available(vq, pos, num, len);
			n++;
		}
		vstate_pos_step(&pos, num, vq->size);
	}
	vstate_dirty_flush(&vq->dirty);
	return n;
}

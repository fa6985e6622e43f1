/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "vstate_chain.h"
#include "vstate_used_ahead.h"

#define F_AVAIL RTE_BIT32(VRING_PACKED_DESC_F_AVAIL)
#define F_USED RTE_BIT32(VRING_PACKED_DESC_F_USED)

enum where { NOTHING, AVAILABLE, USED };

/* What a descriptor at or behind our position is, of this turn of the ring. */
static enum where
look(const struct vstate_vq *vq, struct vstate_pos pos)
{
	const uint16_t flags = rte_le_to_cpu_16(__atomic_load_n(&vq->packed.desc[pos.idx].flags,
			__ATOMIC_ACQUIRE));

	if (!!(flags & F_AVAIL) != pos.wrap)
		return NOTHING;
	return !!(flags & F_USED) != pos.wrap ? AVAILABLE : USED;
}

static uint16_t
id_of(const struct vstate_vq *vq, struct vstate_pos pos)
{
	return __atomic_load_n(&vq->packed.desc[pos.idx].id, __ATOMIC_RELAXED);
}

/*
 * Descriptors of the buffer whose first one was used; the flag that said whether another follows
 * is gone. Linux writes the ID of a buffer into all of them, and no other buffer has it now.
 */
static uint16_t
count(const struct vstate_vq *vq, struct vstate_pos pos, uint16_t max)
{
	const uint16_t id = id_of(vq, pos);
	uint16_t n;

	for (n = 1; n < max; n++) {
		vstate_pos_step(&pos, 1, vq->size);
		if (look(vq, pos) != AVAILABLE || id_of(vq, pos) != id)
			break;
	}
	return n;
}

static void
desc_write(struct vstate_vq *vq, struct vstate_pos pos, uint64_t addr, uint32_t len, bool more)
{
	const uint16_t flags = (pos.wrap ? F_AVAIL : F_USED) | (more ? VRING_DESC_F_NEXT : 0);
	struct vring_packed_desc *d = &vq->packed.desc[pos.idx];

	d->addr = rte_cpu_to_le_64(addr);
	d->len = rte_cpu_to_le_32(len);
	__atomic_store_n(&d->flags, rte_cpu_to_le_16(flags), __ATOMIC_RELEASE);
	vstate_vq_dirty(vq, vq->desc_addr + pos.idx * sizeof(*d), sizeof(*d));
}

/* Make a buffer of @p len bytes available, of the ring's own memory. */
static void
give_again(struct vstate_vq *vq, struct vstate_pos pos, uint16_t num, uint32_t len)
{
	uint16_t i;

	for (i = 0; i < num; i++, len = 0) {
		desc_write(vq, pos, vq->desc_addr, len, i + 1 < num);
		vstate_pos_step(&pos, 1, vq->size);
	}
}

uint16_t
vstate_used_ahead_return(struct vstate_vq *vq, uint32_t empty_len)
{
	uint16_t left = vstate_pos_room(vq->avail, vq->used, vq->size), n = 0, num;
	struct vstate_pos pos = vq->avail;
	enum where what;

	for (; left > 0 && (what = look(vq, pos)) != NOTHING; left -= num) {
		num = 1;
		if (what == USED && pos.idx == vq->used.idx && pos.wrap == vq->used.wrap) {
			/* The driver comes here next, or is past it: it is over, as it would be
			 * if we had used it. Of one descriptor, as nearly all are: the ID may be
			 * that of a new buffer by now.
			 */
			vstate_pos_step(&vq->used, 1, vq->size);
			vq->avail = vq->used;
			n++;
		} else if (what == USED) {
			num = count(vq, pos, left);
			give_again(vq, pos, num, empty_len);
			n++;
		}
		vstate_pos_step(&pos, num, vq->size);
	}
	vstate_dirty_flush(&vq->dirty);
	return n;
}

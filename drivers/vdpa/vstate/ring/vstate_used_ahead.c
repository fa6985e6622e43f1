/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Buffers of a packed ring that somebody else used ahead of us. While QEMU has no back end and
 * the link is down, it uses up what a guest that still sends makes available, at the place where
 * it believes the ring to stand: where it began. That may be in the midst of what waits for us,
 * and when we come there we would wait for ever at a descriptor that is used already.
 *
 * The driver looks at used descriptors one after another, and has not come there as long as a
 * buffer before it is not used. So such a buffer is made available once more, and the device
 * uses it in its turn. What it held cannot be told any more, as its length and flags were written
 * over: it becomes a frame without content, which is dropped and counted as a runt.
 */

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "vstate_chain.h"
#include "vstate_log.h"
#include "handover/vstate_state_file.h"

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

/* Make a buffer available that has no more than a header and a byte, of the ring's own memory. */
static void
give_again(struct vstate_vq *vq, struct vstate_pos pos, uint16_t num)
{
	uint32_t len = vq->hdr_len + 1;
	uint16_t i;

	RTE_BUILD_BUG_ON(sizeof(struct virtio_net_hdr_mrg_rxbuf) + 1 >
			sizeof(struct vring_packed_desc));
	for (i = 0; i < num; i++, len = 0) {
		desc_write(vq, pos, vq->desc_addr, len, i + 1 < num);
		vstate_pos_step(&pos, 1, vq->size);
	}
}

uint16_t
vstate_used_ahead_return(struct vstate_vq *vq)
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
			give_again(vq, pos, num);
			n++;
		}
		vstate_pos_step(&pos, num, vq->size);
	}
	vstate_dirty_flush(&vq->dirty);
	return n;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CHAIN_H
#define VSTATE_CHAIN_H

/**
 * @file
 * A walk over the descriptors of one buffer, for both ring layouts.
 *
 * A chain is a readable part, then a writable part; each may be empty (VIRTIO 1.4 "Message
 * Framing"). The walk begins in the part of the first descriptor and turns once, at the first
 * writable descriptor. A readable descriptor after a writable one is a fault:
 *
 *	begin --> readable part --> writable part --> end
 *	              |   ^             |   ^
 *	              +---+             +---+
 *
 * A class says at the beginning which parts its buffers may have: a network queue has buffers
 * of one part, a block or a control queue has buffers of both.
 *
 * Each descriptor is read once, into the walk, and checked there, because the driver may change
 * the ring at any moment. The size of its table bounds a walk, so that a chain that loops ends
 * as a fault. Addresses are translated piece by piece, so that buffers and indirect tables may
 * cross from one region into the next.
 *
 * The caller holds the lease of the queue.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_compat.h"
#include "vstate_desc.h"
#include "vstate_isa.h"
#include "vstate_vq.h"

struct vstate_chain {
	/** What is left of the current descriptor. */
	uint64_t addr;
	uint32_t len;
	/** Another descriptor follows. */
	bool more;
	/** Part of the current descriptor: 0 if readable, VRING_DESC_F_WRITE if writable. */
	uint16_t part;
	/** Parts that the buffer may have. */
	enum vstate_chain_parts parts;
	/** For the used element. */
	uint16_t id;
	/** Descriptors in the ring. */
	uint16_t num;
	/** Split, or in an indirect table: position of the next descriptor. */
	uint16_t next;
	/** Descriptors that may still come. */
	uint16_t left;
	/** Entries of the indirect table; 0 outside one. */
	uint16_t table_size;
	/** Guest physical address of the indirect table. */
	uint64_t table;
	/** Place of the next descriptor in a packed ring. */
	struct vstate_pos pos;
	/** Packed: copies of the chain's descriptors, to be read in place of the ring; or NULL. */
	const struct vstate_desc *copies;
};

/**
 * Enter the indirect table of descriptor @p d: the last of a chain in the ring, and often the
 * only one. False: fault.
 */
bool vstate_chain_begin_indirect(struct vstate_vq *vq, struct vstate_chain *c,
		const struct vstate_desc *d, const bool packed);

/** Go to the next descriptor; c->more is true. False: fault, of which the queue is broken. */
bool vstate_chain_step(struct vstate_vq *vq, struct vstate_chain *c, const bool packed);

/**
 * Copy up to @p n bytes from the readable part to @p dst.
 * @return bytes copied, fewer than @p n where the readable part ends; -1: fault
 */
int32_t vstate_chain_read(struct vstate_vq *vq, struct vstate_chain *c, void *dst, uint32_t n,
		const bool packed);

/**
 * Copy up to @p n bytes from @p src to the writable part. What is left of the readable part is
 * skipped. The writes are noted in the dirty log.
 * @return bytes copied, fewer than @p n where the chain ends; -1: fault
 */
int32_t vstate_chain_write(struct vstate_vq *vq, struct vstate_chain *c, const void *src,
		uint32_t n, const bool packed);

/**
 * The next contiguous piece of a part of the chain; what is left of an earlier part is skipped.
 * @param part  0 or VRING_DESC_F_WRITE
 * @param len  in: bytes wanted, not 0; out: bytes of the piece, which is at @p hva
 * @return 1; 0: the part ended; -1: fault
 */
int vstate_chain_piece(struct vstate_vq *vq, struct vstate_chain *c, uint16_t part, uint8_t **hva,
		uint32_t *len, const bool packed);

/** Walk to the end, so that id and num are known. False: fault. */
bool vstate_chain_finish(struct vstate_vq *vq, struct vstate_chain *c, const bool packed);

/*
 * Whether a descriptor that is writable (@p part is VRING_DESC_F_WRITE) or readable (0) may
 * follow. False: fault.
 */
static vstate_inline bool
vstate_chain_part_enter(struct vstate_vq *vq, struct vstate_chain *c, uint16_t part)
{
	if (likely(part == c->part))
		return true;
	if (part == 0 || !(c->parts & VSTATE_CHAIN_WRITABLE))
		return vstate_vq_break(vq, VSTATE_FAULT_CHAIN_DIRECTION);
	c->part = part;
	return true;
}

/*
 * Enter a descriptor. All of its range must be the guest's memory, also what will not be
 * copied: nothing is written before that is known. False: fault.
 */
static vstate_inline bool
vstate_chain_enter(struct vstate_vq *vq, struct vstate_chain *c, const struct vstate_desc *d)
{
	c->addr = d->addr;
	c->len = d->len;
	if (likely(vstate_window_holds(&vq->win, d->addr, d->len)) ||
			vstate_mem_covers(&vq->win, vq->mem, d->addr, d->len))
		return true;
	return vstate_vq_break(vq, VSTATE_FAULT_ADDRESS);
}

/**
 * Begin a walk of a buffer whose first ring descriptor was read into @p d.
 * @param parts  parts that the buffer may have; a descriptor of another part is a fault
 * @return false: fault
 */
static vstate_inline bool
vstate_chain_begin(struct vstate_vq *vq, struct vstate_chain *c, const struct vstate_desc *d,
		const enum vstate_chain_parts parts, const bool packed)
{
	c->parts = parts;
	c->part = parts == VSTATE_CHAIN_WRITABLE ? VRING_DESC_F_WRITE : 0;
	c->num = 1;
	c->table_size = 0;
	c->copies = NULL;
	if (unlikely(d->flags & VRING_DESC_F_INDIRECT))
		return vstate_chain_begin_indirect(vq, c, d, packed);
	if (unlikely(!vstate_chain_part_enter(vq, c, d->flags & VRING_DESC_F_WRITE)))
		return false;
	c->more = d->flags & VRING_DESC_F_NEXT;
	c->next = d->link;
	c->left = vq->size - 1;
	return vstate_chain_enter(vq, c, d);
}

#endif /* VSTATE_CHAIN_H */

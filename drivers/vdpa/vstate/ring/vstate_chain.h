/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CHAIN_H
#define VSTATE_CHAIN_H

/**
 * @file
 * A walk over the descriptors of one buffer, for both ring layouts.
 *
 * Each descriptor is read once, into the walk, and checked there: the driver may
 * change the ring at any moment. A walk is bounded by the size of its table, so that
 * a chain that loops ends as a fault. Addresses are translated piece by piece, so that
 * buffers and indirect tables may cross from one region into the next.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

#include "vstate_copy.h"
#include "vstate_isa.h"
#include "vstate_vq.h"

/** The fields that both layouts' descriptors share, in host order. */
struct vstate_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	/** Split: next. Packed: buffer ID. */
	uint16_t link;
};

/**
 * The descriptor that a buffer begins with, or zeros. Nothing is checked, and all of it is read
 * again by who takes the buffer.
 */
struct vstate_hint {
	uint32_t len;
	uint16_t flags;
};

struct vstate_chain {
	/** What is left of the current descriptor. */
	uint64_t addr;
	uint32_t len;
	/** Another descriptor follows. */
	bool more;
	/** VRING_DESC_F_WRITE or 0: what each descriptor must say. */
	uint16_t direction;
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

/*
 * Both layouts have 16-byte descriptors {le64 addr; le32 len; ...}, the last two fields
 * in another order. Guest memory is read with relaxed atomics: once, and whole.
 */
static __rte_always_inline void
vstate_desc_read(struct vstate_desc *d, const void *entry, const bool packed)
{
	if (packed) {
		const struct vring_packed_desc *p = entry;

		d->addr = __atomic_load_n(&p->addr, __ATOMIC_RELAXED);
		d->len = __atomic_load_n(&p->len, __ATOMIC_RELAXED);
		d->link = __atomic_load_n(&p->id, __ATOMIC_RELAXED);
		d->flags = __atomic_load_n(&p->flags, __ATOMIC_RELAXED);
	} else {
		const struct vring_desc *s = entry;

		d->addr = __atomic_load_n(&s->addr, __ATOMIC_RELAXED);
		d->len = __atomic_load_n(&s->len, __ATOMIC_RELAXED);
		d->flags = __atomic_load_n(&s->flags, __ATOMIC_RELAXED);
		d->link = __atomic_load_n(&s->next, __ATOMIC_RELAXED);
	}
	d->addr = rte_le_to_cpu_64(d->addr);
	d->len = rte_le_to_cpu_32(d->len);
	d->flags = rte_le_to_cpu_16(d->flags);
	d->link = rte_le_to_cpu_16(d->link);
}

/** Begin a walk whose first ring descriptor was read into @p d. False: fault. */
bool vstate_chain_begin_indirect(struct vstate_vq *vq, struct vstate_chain *c,
		const struct vstate_desc *d, const bool packed);

/** Go to the next descriptor; c->more is true. False: fault. */
bool vstate_chain_step(struct vstate_vq *vq, struct vstate_chain *c, const bool packed);

/** Bytes copied from the chain to @p dst, up to @p n; fewer if the chain ends; -1: fault. */
int32_t vstate_chain_read(struct vstate_vq *vq, struct vstate_chain *c, void *dst, uint32_t n,
		const bool packed);

/** The same from @p src to the chain. The writes are noted in the dirty log. */
int32_t vstate_chain_write(struct vstate_vq *vq, struct vstate_chain *c, const void *src,
		uint32_t n, const bool packed);

/** Walk to the end, so that id and num are known. False: fault. */
bool vstate_chain_finish(struct vstate_vq *vq, struct vstate_chain *c, const bool packed);

/*
 * Enter a descriptor. All of its range must be the guest's memory, also what will not be
 * copied: nothing is written before that is known. False: fault.
 */
static __rte_always_inline bool
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
 * Begin a walk.
 * @param direction VRING_DESC_F_WRITE or 0
 * @return false: fault
 */
static __rte_always_inline bool
vstate_chain_begin(struct vstate_vq *vq, struct vstate_chain *c, const struct vstate_desc *d,
		uint16_t direction, const bool packed)
{
	c->direction = direction;
	c->num = 1;
	c->table_size = 0;
	c->copies = NULL;
	if (unlikely(d->flags & VRING_DESC_F_INDIRECT))
		return vstate_chain_begin_indirect(vq, c, d, packed);
	if (unlikely((d->flags & VRING_DESC_F_WRITE) != direction))
		return vstate_vq_break(vq, VSTATE_FAULT_CHAIN_DIRECTION);
	c->more = d->flags & VRING_DESC_F_NEXT;
	c->next = d->link;
	c->left = vq->size - 1;
	return vstate_chain_enter(vq, c, d);
}

#endif /* VSTATE_CHAIN_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdalign.h>
#include <string.h>

#include "vstate_chain.h"
#include "vstate_compat.h"
#include "vstate_copy.h"

#define DESC_SIZE sizeof(struct vring_desc)

/* The longest table that a driver may make: as long as the largest ring. */
#define INDIRECT_MAX 32768u

/* Read entry @p i of an indirect table, which may cross into another region. */
static bool
table_read(struct vstate_vq *vq, const struct vstate_chain *c, uint16_t i,
		struct vstate_desc *d, const bool packed)
{
	alignas(8) uint8_t copy[DESC_SIZE];
	uint64_t gpa = c->table + (uint64_t)i * DESC_SIZE;
	uint32_t done, len;
	const uint8_t *p;

	for (done = 0; done < DESC_SIZE; done += len) {
		len = DESC_SIZE - done;
		p = vstate_mem_chunk(&vq->win, vq->mem, gpa + done, &len);
		if (p == NULL)
			return vstate_vq_break(vq, VSTATE_FAULT_ADDRESS);
		memcpy(copy + done, p, len);
	}
	vstate_desc_read(d, copy, packed);
	return true;
}

/* Enter a descriptor of an indirect table. */
static bool
table_enter(struct vstate_vq *vq, struct vstate_chain *c, uint16_t i, const bool packed)
{
	struct vstate_desc d;

	if (!table_read(vq, c, i, &d, packed))
		return false;
	if (d.flags & VRING_DESC_F_INDIRECT)
		return vstate_vq_break(vq, VSTATE_FAULT_INDIRECT_NESTED);
	/* DPDK's virtio driver sets WRITE in packed tables of frames to be sent. Where a buffer
	 * has no writable part, reading such a descriptor does no harm.
	 */
	if (packed && c->parts == VSTATE_CHAIN_READABLE)
		d.flags &= ~VRING_DESC_F_WRITE;
	if (!vstate_chain_part_enter(vq, c, d.flags & VRING_DESC_F_WRITE))
		return false;
	if (packed) {
		/* All entries belong to the buffer, in order; NEXT is reserved there. */
		c->next = i + 1;
		c->more = c->next < c->table_size;
	} else {
		c->next = d.link;
		c->more = d.flags & VRING_DESC_F_NEXT;
	}
	return vstate_chain_enter(vq, c, &d);
}

bool
vstate_chain_begin_indirect(struct vstate_vq *vq, struct vstate_chain *c,
		const struct vstate_desc *d, const bool packed)
{
	if (!vq->indirect)
		return vstate_vq_break(vq, VSTATE_FAULT_INDIRECT_FEATURE);
	if (d->flags & VRING_DESC_F_NEXT)
		return vstate_vq_break(vq, VSTATE_FAULT_INDIRECT_NEXT);
	if (d->len == 0 || d->len % DESC_SIZE != 0 || d->len / DESC_SIZE > INDIRECT_MAX)
		return vstate_vq_break(vq, VSTATE_FAULT_INDIRECT_LENGTH);
	if (d->addr > UINT64_MAX - d->len)
		return vstate_vq_break(vq, VSTATE_FAULT_ADDRESS);
	c->table = d->addr;
	c->table_size = d->len / DESC_SIZE;
	c->left = c->table_size - 1;
	return table_enter(vq, c, 0, packed);
}

bool
vstate_chain_step(struct vstate_vq *vq, struct vstate_chain *c, const bool packed)
{
	struct vstate_desc d;

	if (c->left == 0)
		return vstate_vq_break(vq, VSTATE_FAULT_CHAIN_LENGTH);
	c->left--;
	vq->nb_steps++;

	if (c->table_size != 0) {
		if (c->next >= c->table_size)
			return vstate_vq_break(vq, VSTATE_FAULT_NEXT_RANGE);
		return table_enter(vq, c, c->next, packed);
	}
	if (packed) {
		vstate_pos_step(&c->pos, 1, vq->size);
		if (unlikely(c->copies != NULL))
			d = c->copies[c->num];
		else
			vstate_desc_read(&d, &vq->packed.desc[c->pos.idx], true);
		c->num++;
		c->id = d.link; /* the ID of the last descriptor counts */
	} else {
		if (c->next >= vq->size)
			return vstate_vq_break(vq, VSTATE_FAULT_NEXT_RANGE);
		vstate_desc_read(&d, &vq->split.desc[c->next], false);
		c->next = d.link;
	}
	if (d.flags & VRING_DESC_F_INDIRECT) {
		/* Split rings allow it, packed rings do not. */
		if (packed)
			return vstate_vq_break(vq, VSTATE_FAULT_INDIRECT_NEXT);
		return vstate_chain_begin_indirect(vq, c, &d, packed);
	}
	if (!vstate_chain_part_enter(vq, c, d.flags & VRING_DESC_F_WRITE))
		return false;
	c->more = d.flags & VRING_DESC_F_NEXT;
	return vstate_chain_enter(vq, c, &d);
}

/* Inlined into the copies below; vstate_chain_piece() is for other files. */
static vstate_inline int
chain_piece(struct vstate_vq *vq, struct vstate_chain *c, const uint16_t part, uint8_t **hva,
		uint32_t *len, const bool packed)
{
	while (c->len == 0 || c->part != part) {
		/* the writable part does not end before the chain does */
		if (!c->more || (part == 0 && c->part != 0))
			return 0;
		if (!vstate_chain_step(vq, c, packed))
			return -1;
	}
	*len = RTE_MIN(*len, c->len);
	*hva = vstate_mem_chunk(&vq->win, vq->mem, c->addr, len);
	if (*hva == NULL) {
		vstate_vq_break(vq, VSTATE_FAULT_ADDRESS);
		return -1;
	}
	c->addr += *len;
	c->len -= *len;
	return 1;
}

int
vstate_chain_piece(struct vstate_vq *vq, struct vstate_chain *c, uint16_t part, uint8_t **hva,
		uint32_t *len, const bool packed)
{
	return chain_piece(vq, c, part, hva, len, packed);
}

/*
 * Copy up to @p n bytes between a chain and @p own: to the chain if @p to_chain, else from it.
 * Inlined, so that both ways are loops of their own.
 */
static vstate_inline int32_t
chain_copy(struct vstate_vq *vq, struct vstate_chain *c, uint8_t *own, uint32_t n,
		const bool packed, const bool to_chain)
{
	uint32_t done, len;
	uint8_t *hva;
	int ret;

	for (done = 0; done < n; done += len) {
		len = n - done;
		ret = chain_piece(vq, c, to_chain ? VRING_DESC_F_WRITE : 0, &hva, &len, packed);
		if (ret < 0)
			return -1;
		if (ret == 0)
			break;
		if (to_chain) {
			vstate_copy(hva, own + done, len);
			vstate_vq_dirty(vq, c->addr - len, len);
		} else {
			vstate_copy(own + done, hva, len);
		}
	}
	return done;
}

int32_t
vstate_chain_read(struct vstate_vq *vq, struct vstate_chain *c, void *dst, uint32_t n,
		const bool packed)
{
	return chain_copy(vq, c, dst, n, packed, false);
}

int32_t
vstate_chain_write(struct vstate_vq *vq, struct vstate_chain *c, const void *src, uint32_t n,
		const bool packed)
{
	/* The constant is only cast away: this way nothing is written there. */
	return chain_copy(vq, c, (uint8_t *)(uintptr_t)src, n, packed, true);
}

bool
vstate_chain_finish(struct vstate_vq *vq, struct vstate_chain *c, const bool packed)
{
	while (c->more) {
		if (!vstate_chain_step(vq, c, packed))
			return false;
	}
	c->len = 0;
	return true;
}

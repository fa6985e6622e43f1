/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MARKS_H
#define VSTATE_MARKS_H

/**
 * @file
 * Marks of the requests in flight of one queue, for device classes with requests
 * (vstate_request.h). A request is marked before the class can act on it. Its mark is cleared after
 * the driver can see it used. Another process, or this one after a stop, submits marked requests
 * again in the order of their counters.
 *
 *	          take                  used and visible
 *	FREE ------------> SUBMITTED ---------------------> FREE
 *	 ^                  |      ^
 *	 |           wait   |      | submit again
 *	 |                  v      |
 *	 +--- import ----> WAITING +
 *
 * This process decides by its own copy of the marks only. If the front end has an in-flight region
 * (vstate_inflight_layout.h), each change is written there too, in an order that is valid after a
 * kill at any instruction. The region is never read here, because others can write it.
 *
 * Split: a mark has the number of the chain's head. Packed: a mark is a list of entries, one for
 * each descriptor of the buffer, with copies of these descriptors. Entries that are free form a
 * list, as "Inflight I/O tracking" of vhost-user has it.
 *
 * The inline functions need the lease. The others need the control lock, and no poll thread inside.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_bitops.h>

#include "vstate_compat.h"
#include "vstate_desc.h"
#include "vstate_inflight_layout.h"
#include "vstate_vq.h"

struct vstate_inflight;

enum vstate_mark_state {
	VSTATE_MARK_FREE,
	/** The class does not have the request: it is submitted again later. */
	VSTATE_MARK_WAITING,
	/** The class has the request. */
	VSTATE_MARK_SUBMITTED,
	/** Packed: an entry behind the first one of an imported buffer. */
	VSTATE_MARK_PART,
};

struct vstate_mark {
	/** Requests were dequeued in the order of this number. */
	uint64_t counter;
	/** Packed: copy of the descriptor of this entry. */
	struct vstate_desc desc;
	/** Packed: next entry of the buffer, or of the free list. */
	uint16_t next;
	/** Packed: last entry of the buffer; its number of descriptors; its place in the ring. */
	uint16_t last, num, head;
	/** One of enum vstate_mark_state; of the first entry of a buffer. */
	uint8_t state;
};

struct vstate_marks {
	/** Counter of the next request. */
	uint64_t counter;
	/** Region of the front end, or NULL. */
	union vstate_inflight_head *region;
	/** Requests in flight. */
	uint16_t nb;
	/** Entries of marks[], at least the size of the ring. */
	uint16_t size;
	/** Packed: first entry of the free list; size if there is none. */
	uint16_t free_head;
	bool packed;
	/** Packed: descriptors of the request that is being dequeued, one for each entry. */
	struct vstate_desc *copies;
	/** Packed: a bit for each buffer ID in flight. */
	uint64_t *ids;
	/** Mark of each used buffer in the shadow. */
	uint16_t done[VSTATE_SHADOW];
	struct vstate_mark marks[];
};

/**
 * Allocate the marks of a queue that is mapped. Marks that suit the ring's size and layout stay.
 * @return 0 or -ENOMEM: the queue has no marks then
 */
int vstate_marks_setup(struct vstate_vq *vq);
/**
 * Replace the marks by new ones with @p size entries, as a region has them. Nothing is in flight
 * afterwards: the caller imports a list.
 * @return 0 or -ENOMEM: the queue has no marks then
 */
int vstate_marks_alloc(struct vstate_vq *vq, uint16_t size);
/** Free the marks. */
void vstate_marks_free(struct vstate_vq *vq);
/** Forget all requests. The region is not written. */
void vstate_marks_reset(struct vstate_vq *vq);
/**
 * Mark the requests of a list as WAITING, in place of all others. A list with a region keeps its
 * entries; a list without one gets entries, and its slots are written.
 */
void vstate_marks_import(struct vstate_vq *vq, struct vstate_inflight *list);
/** Number of requests that are WAITING, and of their descriptors (packed). */
uint16_t vstate_marks_waiting(const struct vstate_vq *vq, uint32_t *nb_descs);
/** Write the requests that are WAITING to a list with room for them, in the order of counters. */
void vstate_marks_export(const struct vstate_vq *vq, struct vstate_inflight *list);
/** Write all marks to a region of zeros, which has the layout of the ring. */
void vstate_marks_region_write(struct vstate_vq *vq, union vstate_inflight_head *region);
/**
 * Use a region whose marks were imported. Its free list is written again, in an order that loses
 * no request if this process is killed in between.
 */
void vstate_marks_region_adopt(struct vstate_vq *vq, union vstate_inflight_head *region);

/** Whether a buffer ID (packed) or a head (split) is in flight. No driver has it twice. */
static vstate_inline bool
vstate_marks_has(const struct vstate_marks *m, uint16_t id, const bool packed)
{
	if (packed)
		return (m->ids[id / 64] & RTE_BIT64(id % 64)) != 0;
	return m->marks[id].state != VSTATE_MARK_FREE;
}

static vstate_inline uint16_t
vstate_marks_take_split(struct vstate_marks *m, uint16_t head)
{
	struct vstate_mark *e = &m->marks[head];

	e->counter = m->counter++;
	e->state = VSTATE_MARK_SUBMITTED;
	m->nb++;
	if (m->region != NULL) {
		struct vstate_inflight_split_desc *d =
			&vstate_inflight_split_descs(&m->region->split)[head];

		d->counter = e->counter;
		rte_compiler_barrier();
		d->inflight = 1;
		rte_compiler_barrier();
	}
	return head;
}

/* Write the entries of a buffer to the region. The free list shows last that they are taken. */
static inline void
vstate_marks_take_region(struct vstate_marks *m, uint16_t first)
{
	struct vstate_inflight_packed *r = &m->region->packed;
	const struct vstate_mark *e = &m->marks[first];
	uint16_t i, at = first;

	for (i = 0; i < e->num; i++, at = m->marks[at].next) {
		struct vstate_inflight_packed_desc *d = &vstate_inflight_packed_descs(r)[at];

		d->addr = m->marks[at].desc.addr;
		d->len = m->marks[at].desc.len;
		d->id = m->marks[at].desc.link;
		d->flags = m->marks[at].desc.flags;
	}
	vstate_inflight_packed_descs(r)[first].last = e->last;
	vstate_inflight_packed_descs(r)[first].num = e->num;
	vstate_inflight_packed_descs(r)[first].counter = e->counter;
	rte_compiler_barrier();
	vstate_inflight_packed_descs(r)[first].inflight = 1;
	rte_compiler_barrier();
	r->free_head = m->free_head;
	r->old_free_head = m->free_head;
	rte_compiler_barrier();
}

/** The descriptors are in copies[]. The ring has no more descriptors than there are entries. */
static vstate_inline uint16_t
vstate_marks_take_packed(struct vstate_marks *m, uint16_t id, uint16_t num, uint16_t head)
{
	const uint16_t first = m->free_head;
	struct vstate_mark *e = &m->marks[first];
	uint16_t i, at = first, last = first;

	for (i = 0; i < num; i++) {
		last = at;
		m->marks[at].desc = m->copies[i];
		at = m->marks[at].next;
	}
	m->free_head = at;
	e->counter = m->counter++;
	e->last = last;
	e->num = num;
	e->head = head;
	e->state = VSTATE_MARK_SUBMITTED;
	m->ids[id / 64] |= RTE_BIT64(id % 64);
	m->nb++;
	if (m->region != NULL)
		vstate_marks_take_region(m, first);
	return first;
}

/** Before a publication: link the buffers of the shadow as the last batch, for the next process. */
static vstate_inline void
vstate_marks_link(struct vstate_vq *vq, const bool packed)
{
	struct vstate_marks *m = vq->marks;
	uint16_t i, slot, last;

	for (i = 0; i < vq->nb_shadow; i++) {
		slot = m->done[i];
		if (packed) {
			last = m->marks[slot].last;
			m->marks[last].next = m->free_head;
			m->free_head = slot;
			if (m->region == NULL)
				continue;
			vstate_inflight_packed_descs(&m->region->packed)[last].next =
				m->marks[last].next;
			rte_compiler_barrier();
			m->region->packed.free_head = slot;
		} else if (m->region != NULL) {
			vstate_inflight_split_descs(&m->region->split)[slot].next =
				m->region->split.last_batch_head;
			rte_compiler_barrier();
			m->region->split.last_batch_head = slot;
		}
		rte_compiler_barrier();
	}
}

/** After a publication: clear the marks of the buffers that the driver can see used. */
static vstate_inline void
vstate_marks_clear(struct vstate_vq *vq, const bool packed)
{
	struct vstate_marks *m = vq->marks;
	uint16_t i, id;

	rte_compiler_barrier();
	for (i = 0; i < vq->nb_shadow; i++) {
		m->marks[m->done[i]].state = VSTATE_MARK_FREE;
		if (packed) {
			id = vq->shadow[i].id;
			m->ids[id / 64] &= ~RTE_BIT64(id % 64);
		}
		if (m->region == NULL)
			continue;
		if (packed)
			vstate_inflight_packed_descs(&m->region->packed)[m->done[i]].inflight = 0;
		else
			vstate_inflight_split_descs(&m->region->split)[m->done[i]].inflight = 0;
	}
	m->nb -= vq->nb_shadow;
	rte_compiler_barrier();
	if (packed && m->region != NULL)
		m->region->packed.old_free_head = m->free_head;
	rte_compiler_barrier();
}

#endif /* VSTATE_MARKS_H */

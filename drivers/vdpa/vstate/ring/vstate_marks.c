/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vstate_inflight.h"
#include "vstate_marks.h"

#define ID_WORDS ((UINT16_MAX + 1) / 64)

static void
free_list_build(struct vstate_marks *m)
{
	uint16_t i, *link = &m->free_head;

	for (i = 0; i < m->size; i++) {
		if (m->marks[i].state != VSTATE_MARK_FREE)
			continue;
		*link = i;
		link = &m->marks[i].next;
	}
	*link = m->size;
}

int
vstate_marks_setup(struct vstate_vq *vq)
{
	const struct vstate_marks *m = vq->marks;

	if (m != NULL && m->packed == vq->is_packed && m->size >= vq->size)
		return 0;
	return vstate_marks_alloc(vq, vq->size);
}

int
vstate_marks_alloc(struct vstate_vq *vq, uint16_t size)
{
	struct vstate_marks *m;

	vstate_marks_free(vq);
	m = calloc(1, sizeof(*m) + size * sizeof(m->marks[0]));
	if (m == NULL)
		return -ENOMEM;
	m->size = size;
	m->packed = vq->is_packed;
	vq->marks = m;
	if (m->packed) {
		m->copies = calloc(size, sizeof(*m->copies));
		m->ids = calloc(ID_WORDS, sizeof(*m->ids));
		if (m->copies == NULL || m->ids == NULL) {
			vstate_marks_free(vq);
			return -ENOMEM;
		}
	}
	free_list_build(m);
	return 0;
}

void
vstate_marks_free(struct vstate_vq *vq)
{
	if (vq->marks == NULL)
		return;
	free(vq->marks->copies);
	free(vq->marks->ids);
	free(vq->marks);
	vq->marks = NULL;
}

void
vstate_marks_reset(struct vstate_vq *vq)
{
	struct vstate_marks *m = vq->marks;

	if (m == NULL)
		return;
	memset(m->marks, 0, m->size * sizeof(m->marks[0]));
	if (m->packed)
		memset(m->ids, 0, ID_WORDS * sizeof(*m->ids));
	m->nb = 0;
	free_list_build(m);
}

/* ---- lists ---- */

/* Give a packed buffer its entries: those that the list names, or the next ones from @p fresh. */
static void
packed_import(struct vstate_marks *m, const struct vstate_inflight *list,
		struct vstate_inflight_buf *b, uint16_t *fresh)
{
	uint16_t i, at, before = 0;

	for (i = 0; i < b->num; i++, before = at) {
		at = list->shm != NULL ? list->entries[b->first_desc + i] : (*fresh)++;
		if (i == 0)
			b->slot = at;
		else
			m->marks[before].next = at;
		m->marks[at].desc = list->descs[b->first_desc + i];
		m->marks[at].state = VSTATE_MARK_PART;
	}
	b->last = before;
	m->ids[b->id / 64] |= RTE_BIT64(b->id % 64);
}

void
vstate_marks_import(struct vstate_vq *vq, struct vstate_inflight *list)
{
	struct vstate_marks *m = vq->marks;
	uint16_t i, fresh = 0;

	vstate_marks_reset(vq);
	for (i = 0; i < list->nb; i++) {
		struct vstate_inflight_buf *b = &list->bufs[i];

		if (m->packed)
			packed_import(m, list, b, &fresh);
		else
			b->slot = b->head;
		m->marks[b->slot].counter = b->counter;
		m->marks[b->slot].last = b->last;
		m->marks[b->slot].num = b->num;
		m->marks[b->slot].head = b->head;
		m->marks[b->slot].state = VSTATE_MARK_WAITING;
		m->counter = RTE_MAX(m->counter, b->counter + 1);
	}
	m->nb = list->nb;
	free_list_build(m);
}

uint16_t
vstate_marks_waiting(const struct vstate_vq *vq, uint32_t *nb_descs)
{
	const struct vstate_marks *m = vq->marks;
	uint16_t i, nb = 0;

	*nb_descs = 0;
	for (i = 0; i < m->size; i++) {
		if (m->marks[i].state != VSTATE_MARK_WAITING)
			continue;
		nb++;
		if (m->packed)
			*nb_descs += m->marks[i].num;
	}
	return nb;
}

static int
buf_compare(const void *a, const void *b)
{
	const struct vstate_inflight_buf *x = a, *y = b;

	return x->counter < y->counter ? -1 : x->counter > y->counter;
}

static void
descs_export(const struct vstate_marks *m, struct vstate_inflight *list)
{
	uint32_t nb = 0;
	uint16_t i, n, at;

	for (i = 0; i < list->nb; i++) {
		struct vstate_inflight_buf *b = &list->bufs[i];

		b->first_desc = nb;
		for (n = 0, at = b->slot; n < b->num; n++, at = m->marks[at].next) {
			list->entries[nb] = at;
			list->descs[nb++] = m->marks[at].desc;
		}
		b->id = list->descs[nb - 1].link;
	}
}

void
vstate_marks_export(const struct vstate_vq *vq, struct vstate_inflight *list)
{
	const struct vstate_marks *m = vq->marks;
	uint16_t i;

	list->nb = 0;
	for (i = 0; i < m->size; i++) {
		if (m->marks[i].state != VSTATE_MARK_WAITING)
			continue;
		list->bufs[list->nb++] = (struct vstate_inflight_buf){
			.counter = m->marks[i].counter,
			.head = m->packed ? m->marks[i].head : i,
			.id = i,
			.num = m->packed ? m->marks[i].num : 1,
			.slot = i,
			.last = m->marks[i].last,
		};
	}
	qsort(list->bufs, list->nb, sizeof(list->bufs[0]), buf_compare);
	list->size = vq->size;
	list->shm = m->region;
	if (m->packed)
		descs_export(m, list);
}

/* ---- the region ---- */

static void
free_list_write(const struct vstate_marks *m, union vstate_inflight_head *region)
{
	struct vstate_inflight_packed_desc *descs = vstate_inflight_packed_descs(&region->packed);
	uint16_t at;

	/* an empty list: a process that comes after a kill clears no mark by it */
	region->packed.free_head = region->packed.old_free_head = m->size;
	rte_compiler_barrier();
	for (at = m->free_head; at < m->size; at = m->marks[at].next)
		descs[at].next = m->marks[at].next;
	rte_compiler_barrier();
	region->packed.free_head = m->free_head;
	rte_compiler_barrier();
	region->packed.old_free_head = m->free_head;
}

void
vstate_marks_region_adopt(struct vstate_vq *vq, union vstate_inflight_head *region)
{
	vq->marks->region = region;
	if (vq->marks->packed)
		free_list_write(vq->marks, region);
}

static void
mark_write(struct vstate_marks *m, uint16_t i)
{
	uint16_t n, at;

	if (!m->packed) {
		vstate_inflight_split_descs(&m->region->split)[i].counter = m->marks[i].counter;
		vstate_inflight_split_descs(&m->region->split)[i].inflight = 1;
		return;
	}
	for (n = 0, at = i; n < m->marks[i].num; n++, at = m->marks[at].next)
		vstate_inflight_packed_descs(&m->region->packed)[at].next = m->marks[at].next;
	vstate_marks_take_region(m, i);
}

void
vstate_marks_region_write(struct vstate_vq *vq, union vstate_inflight_head *region)
{
	struct vstate_marks *m = vq->marks;
	uint16_t i;

	m->region = region;
	for (i = 0; i < m->size; i++) {
		/* what is behind the first entry of a buffer is written with it */
		if (m->marks[i].state == VSTATE_MARK_WAITING ||
				m->marks[i].state == VSTATE_MARK_SUBMITTED)
			mark_write(m, i);
	}
	if (m->packed)
		free_list_write(m, region);
}

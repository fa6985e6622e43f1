/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>

#include "vstate_chain.h"
#include "vstate_compat.h"
#include "vstate_inflight.h"
#include "vstate_layout.h"
#include "vstate_marks.h"
#include "vstate_vq.h"

struct vstate_inflight *
vstate_inflight_alloc(uint16_t nb, uint32_t nb_descs, bool packed)
{
	struct vstate_inflight *list;

	list = calloc(1, sizeof(*list) + nb * sizeof(list->bufs[0]));
	if (list == NULL)
		return NULL;
	list->nb = nb;
	list->packed = packed;
	if (nb_descs == 0)
		return list;
	list->descs = calloc(nb_descs, sizeof(*list->descs));
	list->entries = calloc(nb_descs, sizeof(*list->entries));
	if (list->descs != NULL && list->entries != NULL)
		return list;
	vstate_inflight_free(list);
	return NULL;
}

void
vstate_inflight_free(struct vstate_inflight *list)
{
	if (list == NULL)
		return;
	free(list->descs);
	free(list->entries);
	free(list);
}

void
vstate_inflight_used_set(struct vstate_vq *vq, struct vstate_pos used)
{
	const struct vstate_inflight *list = vq->inflight;
	uint16_t i;

	vq->used = used;
	vq->avail = used;
	for (i = 0; list != NULL && i < list->nb; i++) {
		if (list->packed)
			vstate_pos_step(&vq->avail, list->bufs[i].num, vq->size);
		else
			vq->avail.idx++;
	}
}

void
vstate_inflight_attach(struct vstate_vq *vq, struct vstate_inflight *list)
{
	vstate_inflight_drop(vq);
	list->size = vq->size;
	vq->inflight_own = list;
	vq->inflight = list->nb != 0 ? list : NULL;
	if (vq->marks != NULL)
		vstate_marks_import(vq, list);
	vstate_inflight_used_set(vq, vq->used);
}

void
vstate_inflight_drop(struct vstate_vq *vq)
{
	vq->inflight = NULL;
	vstate_marks_reset(vq);
	vstate_inflight_free(vq->inflight_own);
	vq->inflight_own = NULL;
}

uint16_t
vstate_inflight_count(const struct vstate_vq *vq)
{
	const struct vstate_inflight *list = vq->inflight;

	if (vq->marks != NULL)
		return vq->marks->nb;
	return list != NULL ? list->nb - list->done : 0;
}

int
vstate_inflight_chain_begin(struct vstate_vq *vq, struct vstate_chain *c,
		enum vstate_chain_parts parts, const bool packed)
{
	const struct vstate_inflight *list = vq->inflight;
	const struct vstate_inflight_buf *b = &list->bufs[list->taken];
	struct vstate_desc d;

	if (packed)
		d = list->descs[b->first_desc];
	else
		vstate_desc_read(&d, &vq->split.desc[b->head], packed);
	c->pos = vq->used; /* the copies are read instead of the ring */
	c->id = b->id;
	if (!vstate_chain_begin(vq, c, &d, parts, packed))
		return -1;
	if (packed)
		c->copies = &list->descs[b->first_desc];
	return 1;
}

/*
 * Link the buffers that the burst has dequeued, for the next process, in the order of vhost-user's
 * "Inflight I/O tracking". After a kill before the driver can see the used buffers, they are still
 * in flight. After a later kill the next process compares the used positions.
 */
static void
taken_link(struct vstate_inflight *list)
{
	const uint16_t left = list->nb - list->done;
	uint16_t i;

	if (list->left != NULL)
		rte_atomic_store_explicit(list->left,
				vstate_inflight_left(left, list->nb - list->taken),
				rte_memory_order_relaxed);
	for (i = list->done; list->shm != NULL && i < list->taken; i++) {
		const uint16_t slot = list->bufs[i].slot;

		if (list->packed) {
			struct vstate_inflight_packed *r = &list->shm->packed;

			vstate_inflight_packed_descs(r)[list->bufs[i].last].next = r->free_head;
			rte_compiler_barrier();
			r->free_head = slot;
		} else {
			struct vstate_inflight_split *r = &list->shm->split;

			vstate_inflight_split_descs(r)[slot].next = r->last_batch_head;
			rte_compiler_barrier();
			r->last_batch_head = slot;
		}
	}
}

/* Clear the marks of the buffers that the driver can see used. */
static void
taken_unmark(struct vstate_vq *vq)
{
	struct vstate_inflight *list = vq->inflight;
	uint16_t i;

	rte_compiler_barrier();
	for (i = list->done; list->shm != NULL && i < list->taken; i++) {
		if (list->packed)
			vstate_inflight_packed_descs(&list->shm->packed)
				[list->bufs[i].slot].inflight = 0;
		else
			vstate_inflight_split_descs(&list->shm->split)
				[list->bufs[i].slot].inflight = 0;
	}
	rte_compiler_barrier();
	if (list->packed && list->shm != NULL)
		list->shm->packed.old_free_head = list->shm->packed.free_head;
	list->done = list->taken;
	if (list->left != NULL)
		rte_atomic_store_explicit(list->left, vstate_inflight_left(list->nb - list->done,
				list->nb - list->done), rte_memory_order_relaxed);
	if (list->done == list->nb)
		vq->inflight = NULL;
}

void
vstate_inflight_publish(struct vstate_vq *vq, struct vstate_pos end, const bool packed)
{
	taken_link(vq->inflight);
	ring_used_publish(vq, end, true, packed);
	taken_unmark(vq);
	ring_used_record(vq, packed);
}

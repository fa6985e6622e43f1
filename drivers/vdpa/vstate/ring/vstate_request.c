/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include "vstate_avail.h"
#include "vstate_compat.h"
#include "vstate_inflight.h"
#include "vstate_marks.h"
#include "vstate_publish.h"
#include "vstate_request.h"

/* Append the pieces of one part of a chain. 0 or -EIO. */
static int
part_collect(struct vstate_vq *vq, struct vstate_request *req, struct vstate_chain *c,
		uint16_t part, uint16_t *nb, uint64_t *bytes)
{
	const uint16_t first = part == 0 ? 0 : req->nb_readable;
	uint32_t len;
	uint8_t *p;
	int ret;

	*nb = 0;
	*bytes = 0;
	for (;;) {
		len = UINT32_MAX;
		ret = vstate_chain_piece(vq, c, part, &p, &len, vq->is_packed);
		if (ret <= 0)
			return ret == 0 ? 0 : -EIO;
		if (first + *nb == req->max_pieces) {
			vstate_vq_break(vq, VSTATE_FAULT_CHAIN_PIECES);
			return -EIO;
		}
		req->pieces[first + (*nb)++] = (struct iovec){ .iov_base = p, .iov_len = len };
		*bytes += len;
	}
}

/* Collect the pieces of a chain that was begun. 0 or -EIO. */
static vstate_inline int
chain_collect(struct vstate_vq *vq, struct vstate_request *req, struct vstate_chain *c)
{
	if (part_collect(vq, req, c, 0, &req->nb_readable, &req->readable_bytes) != 0 ||
			part_collect(vq, req, c, VRING_DESC_F_WRITE, &req->nb_writable,
				&req->writable_bytes) != 0)
		return -EIO;
	req->id = c->id;
	req->num = c->num;
	return 0;
}

/* Copy the descriptors of the buffer at vq->avail. @return their number; 0: none; -1: fault */
static int
packed_copy(struct vstate_vq *vq)
{
	struct vstate_desc *copies = vq->marks->copies;
	const uint16_t room = packed_avail_room(vq);
	struct vstate_pos pos = vq->avail;
	uint16_t n = 0;

	if (room == 0 || !packed_pos_is_avail(vq, &pos))
		return 0;
	for (;;) {
		vstate_desc_read(&copies[n], &vq->packed.desc[pos.idx], true);
		/* a region and a state have no other flags */
		copies[n].flags &= VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT;
		if (!(copies[n++].flags & VRING_DESC_F_NEXT))
			return n;
		if (n == room) {
			vstate_vq_break(vq, VSTATE_FAULT_CHAIN_LENGTH);
			return -1;
		}
		vstate_pos_step(&pos, 1, vq->size);
	}
}

/* A packed ring's descriptors are copied first, and then only the copies are read. */
static int
packed_pop(struct vstate_vq *vq, struct vstate_request *req)
{
	struct vstate_marks *m = vq->marks;
	const struct vstate_pos pos = vq->avail;
	struct vstate_chain c;
	int num = packed_copy(vq);

	if (num <= 0)
		return num == 0 ? -EAGAIN : -EIO;
	c.pos = pos;
	c.id = m->copies[0].link;
	if (unlikely(!vstate_chain_begin(vq, &c, &m->copies[0], VSTATE_CHAIN_BOTH, true)))
		return -EIO;
	c.copies = m->copies;
	if (c.table_size == 0)
		c.left = num - 1;
	if (chain_collect(vq, req, &c) != 0)
		return -EIO;
	if (unlikely(vstate_marks_has(m, req->id, true))) {
		vstate_vq_break(vq, VSTATE_FAULT_IN_FLIGHT);
		return -EIO;
	}
	req->slot = vstate_marks_take_packed(m, req->id, req->num, pos.idx);
	packed_avail_skip(vq, req->num);
	return 0;
}

static int
split_pop(struct vstate_vq *vq, struct vstate_request *req)
{
	struct vstate_chain c;
	int ret = split_chain_begin(vq, &c, VSTATE_CHAIN_BOTH);

	if (ret <= 0)
		return ret == 0 ? -EAGAIN : -EIO;
	if (unlikely(vstate_marks_has(vq->marks, c.id, false))) {
		vstate_vq_break(vq, VSTATE_FAULT_IN_FLIGHT);
		return -EIO;
	}
	if (chain_collect(vq, req, &c) != 0)
		return -EIO;
	req->slot = vstate_marks_take_split(vq->marks, req->id);
	split_avail_skip(vq, 1);
	return 0;
}

static bool
pop_is_allowed(const struct vstate_vq *vq, int *ret)
{
	/* Chains of empty descriptors are no reason to leave other queues waiting. */
	*ret = unlikely(vq->fault != VSTATE_FAULT_NONE || vq->marks == NULL) ? -EIO : -EAGAIN;
	return likely(*ret == -EAGAIN && vq->nb_steps < VSTATE_STEPS);
}

int
vstate_request_pop_waiting(struct vstate_vq *vq, struct vstate_request *req)
{
	struct vstate_inflight *list = vq->inflight;
	struct vstate_chain c;
	int ret;

	if (!pop_is_allowed(vq, &ret) || list == NULL)
		return ret;
	if (vstate_inflight_chain_begin(vq, &c, VSTATE_CHAIN_BOTH, vq->is_packed) < 0)
		return -EIO;
	if (chain_collect(vq, req, &c) != 0)
		return -EIO;
	req->slot = list->bufs[list->taken].slot;
	vq->marks->marks[req->slot].state = VSTATE_MARK_SUBMITTED;
	/* the control side frees the list */
	if (++list->taken == list->nb)
		vq->inflight = NULL;
	return 0;
}

int
vstate_request_pop(struct vstate_vq *vq, struct vstate_request *req)
{
	int ret;

	if (unlikely(vq->inflight != NULL))
		return vstate_request_pop_waiting(vq, req);
	if (unlikely(!pop_is_allowed(vq, &ret)))
		return ret;
	return vq->is_packed ? packed_pop(vq, req) : split_pop(vq, req);
}

void
vstate_request_wait(struct vstate_vq *vq, const struct vstate_request *req)
{
	vq->marks->marks[req->slot].state = VSTATE_MARK_WAITING;
}

int
vstate_request_requeue(struct vstate_vq *vq)
{
	struct vstate_inflight *list;
	uint32_t nb_descs;
	uint16_t nb;

	if (vq->marks == NULL)
		return 0;
	nb = vstate_marks_waiting(vq, &nb_descs);
	list = vstate_inflight_alloc(nb, nb_descs, vq->is_packed);
	if (list == NULL)
		return -ENOMEM;
	vstate_marks_export(vq, list);
	vstate_inflight_free(vq->inflight_own);
	vq->inflight_own = list;
	vq->inflight = nb != 0 ? list : NULL;
	return 0;
}

/* Note the first @p left bytes of the writable part in the dirty log. */
static void
writes_note(struct vstate_vq *vq, const struct vstate_request *req, uint64_t left)
{
	const struct iovec *piece = &req->pieces[req->nb_readable];
	const struct iovec *end = piece + req->nb_writable;
	uint64_t len;

	for (; piece < end && left > 0; piece++, left -= len) {
		len = RTE_MIN(left, (uint64_t)piece->iov_len);
		vstate_dirty_mark(&vq->dirty, vstate_mem_gpa(vq->mem, piece->iov_base), len);
	}
}

void
vstate_request_push(struct vstate_vq *vq, const struct vstate_request *req, uint32_t written)
{
	if (vq->nb_shadow == VSTATE_SHADOW)
		vstate_request_publish(vq);
	if (vq->dirty.base != NULL)
		writes_note(vq, req, written);
	vq->marks->done[vq->nb_shadow] = req->slot;
	vq->shadow[vq->nb_shadow++] = (struct vstate_used){ .id = req->id, .num = req->num,
		.len = written };
}

/* As shadow_publish(), of buffers that are marked and complete in any order. */
static vstate_inline void
marked_publish(struct vstate_vq *vq, const bool packed)
{
	const uint16_t old = vq->used.idx;

	if (vq->nb_shadow == 0) {
		buf_look_ahead(vq, packed);
		return;
	}
	vstate_marks_link(vq, packed);
	ring_used_publish(vq, shadow_end(vq, packed), false, packed);
	vstate_marks_clear(vq, packed);
	ring_used_record(vq, packed);
	vq->nb_shadow = 0;
	if (unlikely(vq->dirty.base != NULL))
		vstate_dirty_flush(&vq->dirty);
	driver_notify(vq, old, packed);
	buf_look_ahead(vq, packed);
}

void
vstate_request_publish(struct vstate_vq *vq)
{
	vq->nb_steps = 0;
	if (vq->is_packed)
		marked_publish(vq, true);
	else
		marked_publish(vq, false);
}

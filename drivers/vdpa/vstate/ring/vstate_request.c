/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include "vstate_avail.h"
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

int
vstate_request_pop(struct vstate_vq *vq, struct vstate_request *req)
{
	struct vstate_chain c;
	int ret;

	if (vq->fault != VSTATE_FAULT_NONE)
		return -EIO;
	/* Chains of empty descriptors are no reason to leave other queues waiting. */
	if (vq->nb_steps >= VSTATE_STEPS)
		return -EAGAIN;
	ret = ring_chain_begin(vq, &c, VSTATE_CHAIN_BOTH, vq->is_packed);
	if (ret <= 0)
		return ret == 0 ? -EAGAIN : -EIO;
	if (part_collect(vq, req, &c, 0, &req->nb_readable, &req->readable_bytes) != 0 ||
			part_collect(vq, req, &c, VRING_DESC_F_WRITE, &req->nb_writable,
				&req->writable_bytes) != 0)
		return -EIO;
	req->id = c.id;
	req->num = c.num;
	ring_avail_skip(vq, c.num, vq->is_packed);
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
	vq->shadow[vq->nb_shadow++] = (struct vstate_used){ .id = req->id, .num = req->num,
		.len = written };
}

void
vstate_request_publish(struct vstate_vq *vq)
{
	vq->nb_steps = 0;
	if (vq->is_packed) {
		shadow_publish(vq, shadow_end(vq, true), false, true);
		buf_look_ahead(vq, true);
	} else {
		shadow_publish(vq, shadow_end(vq, false), false, false);
		buf_look_ahead(vq, false);
	}
}

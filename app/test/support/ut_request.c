/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>

#include "ut_groups.h"
#include "ut_request.h"
#include "ut_ring.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_pos.h"
#include "ring/vstate_request.h"
#include "ring/vstate_vq.h"

struct vstate_request *
request_new(uint16_t max_pieces)
{
	struct vstate_request *req;

	req = malloc(sizeof(*req) + max_pieces * sizeof(req->pieces[0]));
	assert_non_null(req);
	req->max_pieces = max_pieces;
	req->pieces = (struct iovec *)(req + 1);
	return req;
}

uint32_t
request_submitted_count(const struct ring *r)
{
	const struct vstate_vq *vq = r->vq;

	return r->packed ? vstate_pos_distance(vq->avail, vq->used, vq->size) :
		vstate_split_distance(vq->avail.idx, vq->used.idx);
}

void
request_ring_open(struct ring *r, bool packed, uint16_t size)
{
	ring_open(r, packed, size);
	assert_int_equal(vstate_marks_setup(r->vq), 0);
}

void
request_ring_close(struct ring *r)
{
	vstate_marks_free(r->vq);
	ring_close(r);
}

void
request_each_layout(void (*run)(struct ring *r), uint16_t size)
{
	unsigned int packed;
	struct ring r;

	for (packed = 0; packed < 2; packed++) {
		request_ring_open(&r, packed, size);
		run(&r);
		request_ring_close(&r);
	}
}

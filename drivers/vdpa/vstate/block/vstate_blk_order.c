/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vstate_blk_order.h"
#include "vstate_blk_request.h"
#include "vstate_blk_vq.h"

static struct vstate_blk_group *
group_get(struct vstate_blk_vq *q, uint32_t group)
{
	return &q->groups[group % VSTATE_BLK_GROUPS];
}

/* Move a list to the front of another one. */
static void
list_join(struct vstate_blk_req **to, struct vstate_blk_req *from)
{
	struct vstate_blk_req *last = from;

	if (from == NULL)
		return;
	while (last->next != NULL)
		last = last->next;
	last->next = *to;
	*to = from;
}

bool
vstate_blk_order_has_room(const struct vstate_blk_vq *q)
{
	return q->group - q->first_group < VSTATE_BLK_GROUPS - 1;
}

void
vstate_blk_order_begin(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	if (group_get(q, q->group)->flushes != NULL)
		q->group++;
	req->group = q->group;
	group_get(q, q->group)->nb++;
}

bool
vstate_blk_order_flush(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	struct vstate_blk_group *g = group_get(q, q->group);

	if (q->first_group == q->group && g->nb == 0)
		return true;
	req->next = g->flushes;
	g->flushes = req;
	return false;
}

struct vstate_blk_req *
vstate_blk_order_end(struct vstate_blk_vq *q, const struct vstate_blk_req *req)
{
	struct vstate_blk_req *ready = NULL;
	struct vstate_blk_group *g;

	group_get(q, req->group)->nb--;
	for (;;) {
		g = group_get(q, q->first_group);
		if (g->nb != 0)
			return ready;
		list_join(&ready, g->flushes);
		g->flushes = NULL;
		if (q->first_group == q->group)
			return ready;
		q->first_group++;
	}
}

struct vstate_blk_req *
vstate_blk_order_drop(struct vstate_blk_vq *q)
{
	struct vstate_blk_req *all = NULL;
	uint32_t i;

	for (i = q->first_group; i - q->first_group <= q->group - q->first_group; i++) {
		list_join(&all, group_get(q, i)->flushes);
		group_get(q, i)->flushes = NULL;
	}
	return all;
}

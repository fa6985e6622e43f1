/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <rte_common.h>

#include "ring/vstate_chain.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "vstate_state_inflight.h"

struct vstate_inflight *
vstate_state_inflight_list(const struct rte_vhost_state_vq *sv, bool packed, uint16_t left)
{
	const uint16_t skip = sv->nb_inflight - RTE_MIN(left, sv->nb_inflight);
	struct vstate_inflight *list;
	uint32_t at = 0, d;
	uint16_t i;

	list = vstate_inflight_alloc(sv->nb_inflight - skip, sv->nb_inflight_descs, packed);
	if (list == NULL)
		return NULL;
	for (i = 0; i < sv->nb_inflight; i++) {
		const struct rte_vhost_state_inflight *e = &sv->inflight[i];

		if (i >= skip)
			list->bufs[i - skip] = (struct vstate_inflight_buf){
				.counter = e->counter, .head = e->head, .id = e->id,
				.num = e->num, .slot = e->head, .first_desc = at };
		at += e->num;
	}
	for (d = 0; d < sv->nb_inflight_descs; d++)
		list->descs[d] = (struct vstate_desc){
			.addr = sv->inflight_descs[d].addr, .len = sv->inflight_descs[d].len,
			.flags = sv->inflight_descs[d].flags, .link = sv->inflight_descs[d].id };
	return list;
}

int
vstate_state_inflight_capture(const struct vstate_vq *vq, struct rte_vhost_state *st, uint16_t i)
{
	const struct vstate_inflight *list = vq->inflight;
	struct rte_vhost_state_vq *sv = &st->vqs[i];
	uint32_t nb_descs = 0, at = 0, d;
	uint16_t n;

	for (n = list->done; list->packed && n < list->nb; n++)
		nb_descs += list->bufs[n].num;
	if (rte_vhost_state_vq_inflight_alloc(st, i, list->nb - list->done) != 0 ||
			rte_vhost_state_vq_inflight_descs_alloc(st, i, nb_descs) != 0)
		return -ENOMEM;
	for (n = list->done; n < list->nb; n++) {
		const struct vstate_inflight_buf *b = &list->bufs[n];

		sv->inflight[n - list->done] = (struct rte_vhost_state_inflight){
			.head = b->head, .id = b->id, .num = b->num, .counter = b->counter };
		for (d = 0; list->packed && d < b->num; d++) {
			const struct vstate_desc *from = &list->descs[b->first_desc + d];

			sv->inflight_descs[at++] = (struct rte_vhost_state_desc){
				.addr = from->addr, .len = from->len, .id = from->link,
				.flags = from->flags };
		}
	}
	return 0;
}

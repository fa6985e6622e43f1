/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_common.h>

#include "migrate_break.h"

static const struct migrate_break breaks[] = {
	{ .name = "index", .vq = 1, .avail = -1, .used = -1,
	  .help = "available index one back: the last sent frame is read again" },
	{ .name = "used-index", .vq = 0, .avail = 1, .used = 1,
	  .help = "used index one ahead: counts an entry that was never written" },
	{ .name = "wrap", .vq = 1, .flip_avail = true, .flip_used = true,
	  .help = "wrap counters flipped (packed)" },
	{ .name = "drop", .vq = 1, .avail = 1, .used = 1,
	  .help = "one frame in the middle of the ring is dropped" },
	{ .name = "inflight-order", .vq = 1, .swap = true,
	  .help = "two sent frames in flight (--inflight) change places" },
	{ .name = "settings", .setting = true,
	  .help = "one VLAN of the control queue (--cvq) is added or removed" },
	{ .name = "page", .state_file = true,
	  .help = "old positions in the state file (--kill, packed)" },
	{ .name = "raw-index", .vq = 1, .avail = 1,
	  .help = "only the available index one ahead: the library refuses it" },
	{ .name = "raw-used-index", .vq = 1, .used = 1,
	  .help = "only the used index one ahead: the library refuses it" },
	{ .name = "raw-wrap", .vq = 1, .flip_avail = true,
	  .help = "one wrap counter flipped (packed): the library refuses it" },
};

const struct migrate_break *
migrate_break_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(breaks); i++)
		if (strcmp(breaks[i].name, name) == 0)
			return &breaks[i];
	return NULL;
}

void
migrate_break_help(FILE *f)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(breaks); i++)
		fprintf(f, "  %-16s%s\n", breaks[i].name, breaks[i].help);
}

/* Split indices run freely over 16 bits. Packed indices run over the ring, with a wrap counter. */
static void
index_move(bool packed, uint16_t size, int step, uint16_t *idx, uint8_t *wrap)
{
	int pos = *idx + step;

	if (packed && (pos < 0 || pos >= size)) {
		pos -= pos < 0 ? -size : size;
		*wrap ^= 1;
	}
	*idx = pos;
}

/* The ID moves with the buffer; the counter stays in its place. */
static void
entries_swap(struct rte_vhost_state_vq *vq, char *what, size_t size)
{
	struct rte_vhost_state_inflight *e = vq->inflight, first;
	struct rte_vhost_state_desc *d = vq->inflight_descs, desc;

	what[0] = '\0';
	if (vq->nb_inflight < 2 || e[0].num != 1 || e[1].num != 1)
		return;
	first = e[0];
	e[0] = e[1];
	e[0].counter = first.counter;
	first.counter = e[1].counter;
	e[1] = first;
	if (vq->nb_inflight_descs > 1) {
		desc = d[0];
		d[0] = d[1];
		d[1] = desc;
	}
	snprintf(what, size, "virtqueue 1: buffer %u in flight before buffer %u", e[0].id,
		e[1].id);
}

int
migrate_break_apply(const struct migrate_break *br, struct rte_vhost_state *st, char *what,
		size_t size)
{
	bool packed = rte_vhost_state_is_packed(st);
	struct rte_vhost_state_vq old, *vq;

	if (br->state_file || br->vq >= st->nb_vqs ||
			(!packed && (br->flip_avail || br->flip_used)))
		return -EOPNOTSUPP;
	if (br->setting) {
		if ((st->driver_features >> VIRTIO_NET_F_CTRL_VLAN & 1) == 0)
			return -EOPNOTSUPP;
		st->net.ctrl.vlans[0] ^= 2;
		snprintf(what, size, "VLAN 1 added or removed");
		return 0;
	}
	vq = &st->vqs[br->vq];
	if (br->swap) {
		entries_swap(vq, what, size);
		return 0;
	}
	old = *vq;
	index_move(packed, vq->size, br->avail, &vq->avail_idx, &vq->avail_wrap);
	index_move(packed, vq->size, br->used, &vq->used_idx, &vq->used_wrap);
	vq->avail_wrap ^= br->flip_avail;
	vq->used_wrap ^= br->flip_used;
	if (packed)
		snprintf(what, size, "virtqueue %u: avail %u/%u -> %u/%u, used %u/%u -> %u/%u "
			"(index/wrap)", br->vq, old.avail_idx, old.avail_wrap, vq->avail_idx,
			vq->avail_wrap, old.used_idx, old.used_wrap, vq->used_idx, vq->used_wrap);
	else
		snprintf(what, size, "virtqueue %u: avail %u -> %u, used %u -> %u", br->vq,
			old.avail_idx, vq->avail_idx, old.used_idx, vq->used_idx);
	return 0;
}

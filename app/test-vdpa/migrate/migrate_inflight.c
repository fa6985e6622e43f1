/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * Buffers in flight. vstate holds no buffers between bursts, so the tool dequeues some in its
 * place, after the stop: from the guest's rings and in the captured state.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "guest_hold.h"
#include "guest_inflight.h"
#include "guest_link.h"
#include "migrate_inflight.h"
#include "migrate_step.h"

/* Time for the guest to take back used buffers; its thread may have to wait for a CPU. */
#define CATCH_UP_MS 8000
/* VIRTIO_F_RING_PACKED, VIRTIO_F_IN_ORDER */
#define F_RING_PACKED 34
#define F_IN_ORDER 35

/** The buffers in flight of one virtqueue, while the state is changed. */
struct hold {
	struct migrate *m;
	uint16_t vq;
	struct rte_vhost_state_vq *sv;
	bool packed;
	uint32_t nb, nb_descs;
	struct rte_vhost_state_inflight *list;
	struct rte_vhost_state_desc *descs;
	struct guest_held *held;
};

static int
fail_no_memory(struct migrate *m)
{
	return migrate_fail(m, "out of memory for buffers in flight");
}

static int
hold_alloc(struct hold *h)
{
	const uint16_t size = h->sv->size;

	h->list = calloc(size, sizeof(*h->list));
	h->descs = calloc(size, sizeof(*h->descs));
	h->held = calloc(size, sizeof(*h->held));
	return h->list != NULL && h->descs != NULL && h->held != NULL ? 0 : fail_no_memory(h->m);
}

static void
hold_free(struct hold *h)
{
	free(h->list);
	free(h->descs);
	free(h->held);
}

static int
fail_behind(const struct hold *h)
{
	return migrate_fail(h->m, "virtqueue %u: the guest does not take back the buffers used up "
		"to %u within %d ms", h->vq, h->sv->used_idx, CATCH_UP_MS);
}

/* The list starts with the buffers that the source itself had in flight. */
static int
hold_start(struct hold *h)
{
	const struct rte_vhost_state_vq *sv = h->sv;
	const struct guest_pos used = { .idx = sv->used_idx, .wrap = sv->used_wrap };
	uint16_t left;

	if (guest_hold_await(h->m->guest, h->vq, &used, CATCH_UP_MS) < 0)
		return fail_behind(h);
	left = guest_hold_left(h->m->guest, h->vq);
	if (left != sv->nb_inflight)
		return migrate_fail(h->m, "virtqueue %u: the guest waits for %u buffers in "
			"flight, the state has %u", h->vq, left, sv->nb_inflight);
	/* Forget them: one of them may be used below, out of order. */
	guest_hold_forget(h->m->guest, h->vq);
	h->nb = sv->nb_inflight;
	h->nb_descs = sv->nb_inflight_descs;
	if (h->nb > 0)
		memcpy(h->list, sv->inflight, h->nb * sizeof(*h->list));
	if (h->nb_descs > 0)
		memcpy(h->descs, sv->inflight_descs, h->nb_descs * sizeof(*h->descs));
	return 0;
}

static void
hold_take(struct hold *h)
{
	struct guest_pos avail = { .idx = h->sv->avail_idx, .wrap = h->sv->avail_wrap };
	struct guest_held held;

	while (h->nb < h->m->opt->inflight &&
			guest_hold_take(h->m->guest, h->vq, &avail, &held))
		h->list[h->nb++] = (struct rte_vhost_state_inflight){
			.head = held.head, .id = held.id, .num = held.num,
		};
	h->sv->avail_idx = avail.idx;
	h->sv->avail_wrap = avail.wrap;
}

/*
 * A device may dequeue receive buffers in any order: exchange the new ones, two by two. Sent frames
 * must keep their order.
 */
static void
hold_shuffle(struct hold *h, uint32_t from)
{
	struct rte_vhost_state_inflight swap;
	uint32_t n;

	if (h->vq % 2 != 0 || (h->m->opt->features >> F_IN_ORDER & 1) != 0)
		return;
	for (n = from; n + 1 < h->nb; n += 2) {
		swap = h->list[n];
		h->list[n] = h->list[n + 1];
		h->list[n + 1] = swap;
	}
}

/* Set counters and descriptors of the new buffers. */
static void
hold_number(struct hold *h, uint32_t from)
{
	uint64_t counter = from > 0 ? h->list[from - 1].counter : h->m->res->inflight;
	struct guest_held held;
	struct guest_desc d;
	uint32_t n;
	uint16_t i;

	for (n = from; n < h->nb; n++) {
		/* With gaps, as if buffers in between had been used. */
		counter += 1 + n % 3;
		h->list[n].counter = counter;
		held = (struct guest_held){ .head = h->list[n].head, .num = h->list[n].num };
		for (i = 0; h->packed && i < held.num; i++) {
			guest_hold_desc(h->m->guest, h->vq, &held, i, &d);
			h->descs[h->nb_descs++] = (struct rte_vhost_state_desc){
				.addr = d.addr, .len = d.len, .id = d.id, .flags = d.flags,
			};
		}
	}
}

static struct guest_held
held_of(const struct rte_vhost_state_inflight *entry)
{
	return (struct guest_held){ .head = entry->head, .id = entry->id, .num = entry->num };
}

/* Use entry @p n, with @p len bytes written, before the older entries. */
static void
hold_complete(struct hold *h, uint32_t n, uint32_t len)
{
	struct guest_pos used = { .idx = h->sv->used_idx, .wrap = h->sv->used_wrap };
	const struct guest_held held = held_of(&h->list[n]);
	uint32_t at = 0, i;

	guest_hold_use(h->m->guest, h->vq, &used, &held, len);
	h->sv->used_idx = used.idx;
	h->sv->used_wrap = used.wrap;
	h->sv->notify_pending = true;
	for (i = 0; i < n; i++)
		at += h->list[i].num;
	if (h->packed) {
		memmove(h->descs + at, h->descs + at + held.num,
			(h->nb_descs - at - held.num) * sizeof(*h->descs));
		h->nb_descs -= held.num;
	}
	memmove(h->list + n, h->list + n + 1, (h->nb - n - 1) * sizeof(*h->list));
	h->nb--;
}

/*
 * Out of order: the second sent frame in flight comes back before the first one, in the second
 * receive buffer. Without such a frame, a frame comes that the guest does not count.
 */
static void
pair_complete(struct hold *rx, struct hold *tx)
{
	struct guest_held buf, sent;
	uint32_t len = 0;

	if (rx->nb < 2)
		return;
	buf = held_of(&rx->list[1]);
	if (tx->nb >= 2) {
		sent = held_of(&tx->list[1]);
		len = guest_hold_fill_frame(rx->m->guest, rx->vq, &buf, &sent);
	}
	if (len > 0) {
		hold_complete(tx, 1, 0);
		rx->m->res->overtaken++;
	} else {
		len = guest_hold_fill_foreign(rx->m->guest, rx->vq, &buf);
	}
	if (len > 0)
		hold_complete(rx, 1, len);
}

/* Write the list to the state, and let the guest expect these buffers. */
static int
hold_store(struct hold *h, struct rte_vhost_state *st)
{
	struct rte_vhost_state_vq *sv = h->sv;
	const struct guest_pos used = { .idx = sv->used_idx, .wrap = sv->used_wrap };
	uint32_t i;

	if (rte_vhost_state_vq_inflight_alloc(st, h->vq, h->nb) < 0 ||
			rte_vhost_state_vq_inflight_descs_alloc(st, h->vq, h->nb_descs) < 0)
		return fail_no_memory(h->m);
	for (i = 0; i < h->nb; i++) {
		sv->inflight[i] = h->list[i];
		h->held[i] = held_of(&h->list[i]);
	}
	if (h->nb_descs > 0)
		memcpy(sv->inflight_descs, h->descs, h->nb_descs * sizeof(*h->descs));
	if (guest_hold_expect(h->m->guest, h->vq, &used, h->held, h->nb, CATCH_UP_MS) < 0)
		return fail_behind(h);
	h->m->res->inflight += h->nb;
	return 0;
}

static int
pair_hold(struct migrate *m, struct rte_vhost_state *st, struct hold h[2])
{
	uint32_t from, i;

	for (i = 0; i < 2; i++) {
		if (hold_alloc(&h[i]) < 0 || hold_start(&h[i]) < 0)
			return -1;
		from = h[i].nb;
		hold_take(&h[i]);
		hold_shuffle(&h[i], from);
		hold_number(&h[i], from);
	}
	if (m->opt->overtake)
		pair_complete(&h[0], &h[1]);
	return hold_store(&h[0], st) < 0 || hold_store(&h[1], st) < 0 ? -1 : 0;
}

int
migrate_inflight_make(struct migrate *m, struct rte_vhost_state *st)
{
	const bool packed = rte_vhost_state_is_packed(st);
	uint16_t pair;
	int ret = 0;

	if (m->opt->inflight == 0)
		return 0;
	for (pair = 0; pair < m->opt->pairs && ret == 0; pair++) {
		struct hold h[2] = {
			{ .m = m, .vq = 2 * pair, .sv = &st->vqs[2 * pair], .packed = packed },
			{ .m = m, .vq = 2 * pair + 1, .sv = &st->vqs[2 * pair + 1],
			  .packed = packed },
		};

		ret = pair_hold(m, st, h);
		hold_free(&h[0]);
		hold_free(&h[1]);
	}
	return ret;
}

/* Read a virtqueue from the rings and the in-flight region into a state. */
static int
vq_read(struct migrate *m, struct rte_vhost_state *st, uint16_t vq)
{
	struct rte_vhost_state_vq *sv = &st->vqs[vq];
	const uint16_t size = m->opt->ring_size;
	struct guest_held *held = calloc(size, sizeof(*held));
	uint64_t *counter = calloc(size, sizeof(*counter));
	struct guest_pos pos;
	uint32_t descs = 0, next;
	uint16_t i, nb = 0;
	int ret = -ENOMEM;

	if (held != NULL && counter != NULL) {
		nb = guest_inflight_read(m->guest, vq, held, counter, size);
		ret = rte_vhost_state_vq_inflight_alloc(st, vq, nb);
	}
	for (i = 0; ret == 0 && i < nb; i++) {
		sv->inflight[i] = (struct rte_vhost_state_inflight){ .id = held[i].id,
			.head = held[i].head, .num = held[i].num, .counter = counter[i] };
		descs += held[i].num;
	}
	pos = guest_hold_used(m->guest, vq, guest_link_base(m->link[m->active], vq), descs);
	sv->size = size;
	sv->used_idx = pos.idx;
	sv->used_wrap = sv->avail_wrap = pos.wrap;
	next = pos.idx + descs;
	if (m->opt->packed && next >= size) {
		next -= size;
		sv->avail_wrap ^= 1;
	}
	sv->avail_idx = (uint16_t)next;
	free(held);
	free(counter);
	return ret < 0 ? fail_no_memory(m) : 0;
}

/* Mark the new entries, from @p from on, in the in-flight region. */
static int
vq_mark(struct migrate *m, const struct rte_vhost_state *st, uint16_t vq, uint16_t from)
{
	const struct rte_vhost_state_vq *sv = &st->vqs[vq];
	struct guest_held held;
	int ret;

	for (; from < sv->nb_inflight; from++) {
		held = held_of(&sv->inflight[from]);
		ret = guest_inflight_mark(m->guest, vq, &held, sv->inflight[from].counter);
		if (ret < 0)
			return migrate_fail(m, "virtqueue %u: the in-flight region does not fit "
				"this ring: %s", vq, strerror(-ret));
	}
	return 0;
}

int
migrate_inflight_mark(struct migrate *m, unsigned int to)
{
	const uint16_t nb_vqs = 2 * m->opt->pairs;
	struct rte_vhost_state *st;
	uint16_t had[2 * GUEST_MAX_PAIRS], vq;
	uint32_t half;
	int ret = 0;

	if (m->opt->inflight == 0)
		return 0;
	st = rte_vhost_state_alloc(nb_vqs);
	if (st == NULL)
		return fail_no_memory(m);
	st->driver_features = m->opt->packed ? UINT64_C(1) << F_RING_PACKED : 0;
	for (vq = 0; vq < nb_vqs && ret == 0; vq++) {
		ret = vq_read(m, st, vq);
		had[vq] = st->vqs[vq].nb_inflight;
	}
	if (ret == 0)
		ret = migrate_inflight_make(m, st);
	for (vq = 0; vq < nb_vqs && ret == 0; vq++) {
		ret = vq_mark(m, st, vq, had[vq]);
		/*
		 * As after a death of the source: the base is the used index, the region has the
		 * rest.
		 */
		half = st->vqs[vq].used_idx | (uint32_t)st->vqs[vq].used_wrap << 15;
		guest_link_set_base(m->link[to], vq,
			m->opt->packed ? half | half << 16 : half);
	}
	rte_vhost_state_free(st);
	return ret;
}

void
migrate_inflight_forget(struct migrate *m)
{
	uint16_t vq;

	if (m->opt->inflight > 0)
		for (vq = 0; vq < 2 * m->opt->pairs; vq++)
			guest_hold_forget(m->guest, vq);
}

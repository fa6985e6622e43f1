/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Traffic of one queue pair: send numbered frames, check what comes back. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "guest.h"
#include "guest_core.h"
#include "guest_frame.h"
#include "guest_layout.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_pair.h"
#include "guest_ring.h"
#include "guest_track.h"
#include "vstate_compat.h"

#define BURST 32u
/* After this time without an arrival, all frames on their way are assumed to be lost. */
#define STALL_NS 1000000000ull

int
guest_pair_post(struct guest_pair *p, uint32_t slot)
{
	const struct guest_rx_slot *s = &p->rx_slot[slot];

	return p->rx.ops->add(&p->rx, s->segs, s->nb, slot, s->indirect);
}

uint64_t
guest_pair_on_way(const struct guest_pair *p)
{
	return p->next_seq - p->track.next;
}

static void
count_corrupted(struct guest_pair *p, const char *why)
{
	guest_set(&p->corrupted, p->corrupted + 1);
	guest_complain(p->g, "pair %u, frame %" PRIu64 " sent, %" PRIu64 " received: %s", p->index,
		p->next_seq, p->received, why);
}

static void
note_arrival(struct guest_pair *p, uint64_t now)
{
	uint64_t since = p->wait_since, start = guest_get(&p->g->watch_start);

	if (since != 0 && now > since && now - since > p->gap_max)
		guest_set(&p->gap_max, now - since);
	if (since != 0 && since < start)
		since = start;
	if (since != 0 && now > since && now - since > p->watch_max)
		guest_set(&p->watch_max, now - since);
	p->progress_at = now;
}

/*
 * A frame counts for the pair that sent it. If that is unreadable, it counts for the pair that
 * received it.
 */
static void
check_frame(struct guest_pair *p, const uint8_t *buf, uint32_t len, uint64_t now)
{
	enum guest_frame_result res;
	const char *why = NULL;
	uint16_t pair = p->index;
	uint64_t seq = 0;

	res = guest_frame_check(&p->g->frame, &pair, buf, len, &seq, &why);
	p = &p->g->pairs[pair];
	if (res == GUEST_FRAME_FOREIGN) {
		guest_set(&p->foreign, p->foreign + 1);
		return;
	}
	guest_set(&p->received, p->received + 1);
	if (res != GUEST_FRAME_UNKNOWN && seq >= p->next_seq) {
		res = GUEST_FRAME_UNKNOWN;
		why = "its number was never sent";
	}
	if (res != GUEST_FRAME_OK)
		count_corrupted(p, why);
	if (res == GUEST_FRAME_UNKNOWN)
		return;
	guest_track_receive(&p->track, seq);
	p->g->turn = (p->index + 1) % p->g->conf.pairs;
	note_arrival(p, now);
	guest_set(&p->duplicated, p->track.duplicated);
	guest_set(&p->reordered, p->track.reordered);
	guest_set(&p->unique, p->track.unique);
	guest_set(&p->rx_next, p->track.next);
	guest_set(&p->wait_since, guest_pair_on_way(p) != 0 ? now : 0);
}

/* Append the bytes that the device wrote to a receive buffer to the incomplete frame. */
static void
gather_buffer(struct guest_pair *p, const struct guest_rx_slot *s, uint32_t len)
{
	uint16_t i;

	for (i = 0; i < s->nb && len != 0; i++) {
		uint32_t n = len < s->segs[i].len ? len : s->segs[i].len;

		len -= n;
		if (n > p->scratch_size - p->part_len)
			n = p->scratch_size - p->part_len;
		guest_mem_read(&p->g->mem, s->segs[i].gpa, p->scratch + p->part_len, n);
		p->part_len += n;
	}
}

/* Number of buffers of a frame, from its first buffer. */
static uint32_t
buffers_of(struct guest_pair *p, const uint8_t *buf, uint32_t len)
{
	struct virtio_net_hdr_v1 hdr;

	if (!guest_has(p->g, VIRTIO_NET_F_MRG_RXBUF))
		return 1;
	if (len < sizeof(hdr))
		return 1; /* check_frame() reports that it is too short */
	memcpy(&hdr, buf, sizeof(hdr));
	if (hdr.num_buffers != 0 && hdr.num_buffers <= p->rx_slots)
		return hdr.num_buffers;
	count_corrupted(p, "impossible num_buffers");
	return 1;
}

static void
receive_buffer(struct guest_pair *p, uint32_t slot, uint32_t len, uint64_t now)
{
	const struct guest_rx_slot *s = &p->rx_slot[slot];
	const uint8_t *direct;
	uint32_t room = 0;
	uint16_t i;

	if (len == 0) {
		guest_set(&p->empty, p->empty + 1);
		/* An incomplete frame stays incomplete. */
		p->part_need = 0;
		if (p->g->conf.crashes)
			return;
	}
	for (i = 0; i < s->nb; i++)
		room += s->segs[i].len;
	if (len > room) {
		count_corrupted(p, "used length larger than the buffer");
		len = room;
	}
	if (p->part_need == 0) {
		/* Usual case, without a copy: one buffer in one piece. */
		direct = s->nb == 1 ? guest_mem_va(&p->g->mem, s->segs[0].gpa, len) : NULL;
		if (direct != NULL && buffers_of(p, direct, len) == 1) {
			check_frame(p, direct, len, now);
			return;
		}
		p->part_len = 0;
		gather_buffer(p, s, len);
		p->part_need = buffers_of(p, p->scratch, p->part_len);
	} else {
		gather_buffer(p, s, len);
	}
	if (--p->part_need == 0)
		check_frame(p, p->scratch, p->part_len, now);
}

/* Buffers that an earlier device left in flight come back first, in the order of dequeue. */
static void
check_expected(struct guest_pair *p, struct guest_ring *r, uint32_t cookie)
{
	uint16_t nb = rte_atomic_load_explicit(&r->nb_expect, rte_memory_order_acquire);
	uint16_t at = r->expect_at;

	if (at >= nb)
		return;
	if (r->expect[at] == cookie) {
		at++;
	} else {
		count_corrupted(p, r == &p->rx ?
			"receive ring: the used buffer is not the next one in flight" :
			"transmit ring: the used buffer is not the next one in flight");
		at = nb;
	}
	/* Release: the position of the driver is visible before this index. */
	rte_atomic_store_explicit(&r->expect_at, at, rte_memory_order_release);
}

/* Take one used buffer of a ring, or count the error. */
static bool
take_used(struct guest_pair *p, struct guest_ring *r, bool *dead, uint32_t *cookie, uint32_t *len)
{
	int ret;

	while (!*dead) {
		/* Before the position moves; driver_caught_up() in guest_hold.c reads both. */
		rte_atomic_store_explicit(&r->taking, true, rte_memory_order_seq_cst);
		ret = r->ops->take(r, cookie, len);
		if (ret == 1)
			check_expected(p, r, *cookie);
		rte_atomic_store_explicit(&r->taking, false, rte_memory_order_release);
		if (ret >= 0)
			return ret == 1;
		count_corrupted(p, r == &p->rx ?
			"receive ring: the device used a buffer that it did not own" :
			"transmit ring: the device used a buffer that it did not own");
		*dead = ret == -EIO;
	}
	return false;
}

static uint32_t
poll_rx(struct guest_pair *p, uint64_t now)
{
	uint32_t n, slot, len;

	for (n = 0; n < BURST && take_used(p, &p->rx, &p->rx_dead, &slot, &len); n++) {
		receive_buffer(p, slot, len, now);
		guest_pair_post(p, slot);
	}
	if (n == 0)
		return 0;
	if (p->rx.ops->publish(&p->rx))
		guest_kick(p->g, 2 * p->index);
	if (!p->rx.calls)
		p->rx.ops->calls(&p->rx, false);
	return n;
}

static uint32_t
reclaim_tx(struct guest_pair *p)
{
	uint32_t n = 0, slot, len;

	while (take_used(p, &p->tx, &p->tx_dead, &slot, &len)) {
		p->tx_free[p->nb_tx_free++] = slot;
		n++;
	}
	if (n != 0 && !p->tx.calls)
		p->tx.ops->calls(&p->tx, false);
	return n;
}

/* Number of frames that may be sent now. */
static uint32_t
frames_allowed(struct guest_pair *p, uint64_t now)
{
	uint64_t on_way = guest_pair_on_way(p), due, n;

	/* The frame before must have come back first. */
	if (p->g->conf.causal)
		return p->g->turn == p->index && on_way == 0;
	if (on_way < p->window) {
		n = p->window - on_way;
	} else if (now - p->progress_at > STALL_NS && p->nb_tx_free == p->tx_slots &&
			guest_get(&p->g->active) != NULL) {
		/*
		 * The device has used all frames and none came. If one more comes, those are lost.
		 */
		p->progress_at = now;
		n = 1;
	} else {
		return 0;
	}
	if (p->g->conf.rate != 0) {
		due = (uint64_t)((double)(now - p->rate_start) * p->g->conf.rate / 1e9);
		if (due > p->rate_sent + p->window) {
			/* After a long delay, do not send the missed frames in one burst. */
			p->rate_start = now;
			p->rate_sent = 0;
			due = 1;
		}
		n = due <= p->rate_sent ? 0 : n < due - p->rate_sent ? n : due - p->rate_sent;
	}
	return n < BURST ? n : BURST;
}

static bool
send_one(struct guest_pair *p)
{
	struct guest_seg segs[GUEST_MAX_SEGS];
	const struct guest *g = p->g;
	uint32_t len, slot, done = 0;
	bool indirect = false;
	uint16_t nb = 1, i;
	uint64_t gpa;
	uint8_t *buf;

	if (p->nb_tx_free == 0 || p->tx.nb_free < p->tx_segs || p->tx_dead)
		return false;
	slot = p->tx_free[--p->nb_tx_free];
	gpa = p->tx_gpa + (uint64_t)slot * p->tx_stride;
	len = GUEST_HDR_LEN + guest_frame_len(&g->frame, p->index, p->next_seq);
	if (g->conf.any_layout) {
		nb = 1 + guest_rnd(&p->rnd, p->tx_segs);
		indirect = p->tx.indirect && guest_rnd(&p->rnd, 2) == 0;
	}
	guest_cut(&p->rnd, gpa, len, nb, false, segs);
	buf = nb == 1 ? guest_mem_va(&g->mem, gpa, len) : NULL;
	if (buf != NULL) {
		guest_frame_build(&g->frame, p->index, p->next_seq, buf);
	} else {
		guest_frame_build(&g->frame, p->index, p->next_seq, p->tx_scratch);
		for (i = 0; i < nb; i++) {
			guest_mem_write(&g->mem, segs[i].gpa, p->tx_scratch + done, segs[i].len);
			done += segs[i].len;
		}
	}
	/* Counted as sent before the device can see it: guest_wait_flow() relies on that. */
	rte_atomic_store_explicit(&p->next_seq, p->next_seq + 1, rte_memory_order_seq_cst);
	return p->tx.ops->add(&p->tx, segs, nb, slot, indirect) == 0;
}

static uint32_t
poll_tx(struct guest_pair *p, uint64_t now)
{
	uint32_t n, most = frames_allowed(p, now);

	for (n = 0; n < most && send_one(p); n++)
		;
	if (n == 0)
		return 0;
	p->rate_sent += n;
	if (p->wait_since == 0) {
		guest_set(&p->wait_since, now);
		p->progress_at = now;
	}
	if (p->tx.ops->publish(&p->tx))
		guest_kick(p->g, 2 * p->index + 1);
	return n;
}

bool
guest_pair_poll(struct guest_pair *p, uint64_t now, bool send)
{
	uint32_t moved = poll_rx(p, now) + reclaim_tx(p);

	if (send)
		moved += poll_tx(p, now);
	return moved != 0;
}

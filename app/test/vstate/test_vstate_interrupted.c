/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * A process is killed while it publishes: at every instruction. A child gives or puts a burst
 * and is single-stepped; each time that something changed in the ring or the record, the ring
 * is recovered from what it would have left, and looked at as a driver does.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ut_step.h"
#include "ring/vstate_inflight_layout.h"
#include "ring/vstate_interrupted.h"
#include "ring/vstate_pos.h"
#include "ring/vstate_vq.h"

#define FRAME 100
#define SIZE 16

struct crash {
	struct ring r;
	/** The queue before the burst, quiesced. */
	struct vstate_net_vq before;
	uint16_t *num_of;
	/** Buffers made available, in order. */
	uint16_t ids[64];
	uint16_t nb;
	bool put;
	struct rte_mbuf *pkts[64];
	/** What the child left: ring areas and record. */
	uint8_t desc[16 * SIZE], device[6 + 8 * SIZE];
	union vstate_inflight_head record;
	/** Different things that a kill left. */
	unsigned int seen, none, all, emptied;
};

static size_t
device_len(const struct crash *c)
{
	return c->r.packed ? 4 : 6 + 8u * c->r.size;
}

static void
crash_open(struct crash *c, bool packed, bool put, uint16_t idx, uint8_t wrap)
{
	static const uint16_t lens[] = { 1, 1, 2, 1, 3, 1, 1 };
	uint16_t i;

	memset(c, 0, sizeof(*c));
	ring_open(&c->r, packed, SIZE);
	ring_seek(&c->r, idx, wrap);
	/* what of it the frames hold does not matter here */
	memset(guest_at(&c->r.guest, RING_BUF_GPA), 0, RING_BUF_SIZE);
	c->put = put;
	c->nb = RTE_DIM(lens);
	ring_add_buffers(&c->r, lens, c->nb, put, c->ids);
	c->before = *c->r.nq;
	if (put) {
		assert_int_equal(rte_pktmbuf_alloc_bulk(c->r.pool, c->pkts, c->nb), 0);
		for (i = 0; i < c->nb; i++)
			rte_pktmbuf_append(c->pkts[i], FRAME);
	} else {
		assert_int_equal(c->r.nq->ops->take(c->r.nq, c->r.pool, c->pkts, c->nb), c->nb);
	}
}

static void
crash_close(struct crash *c)
{
	rte_pktmbuf_free_bulk(c->pkts, c->nb);
	ring_close(&c->r);
}

static void
burst_run(void *arg)
{
	struct crash *c = arg;

	if (c->put)
		vq_put(c->r.nq, c->pkts, c->nb);
	else
		c->r.nq->ops->give(c->r.nq, c->nb);
}

/* Read the memory of the child. True: it differs from what was read before. */
static bool
child_read(struct crash *c, pid_t pid)
{
	const struct ring *r = &c->r;
	uint8_t desc[16 * SIZE], device[6 + 8 * SIZE];
	union vstate_inflight_head record;
	bool changed;

	assert_true(step_read(pid, desc, guest_at(&r->guest, RING_DESC_GPA), 16u * r->size));
	assert_true(step_read(pid, device, guest_at(&r->guest, RING_DEVICE_GPA), device_len(c)));
	assert_true(step_read(pid, &record, r->vq->inflight_head, sizeof(record)));
	changed = c->seen == 0 || memcmp(desc, c->desc, 16u * r->size) != 0 ||
		memcmp(device, c->device, device_len(c)) != 0 ||
		memcmp(&record, &c->record, sizeof(record)) != 0;
	memcpy(c->desc, desc, 16u * r->size);
	memcpy(c->device, device, device_len(c));
	c->record = record;
	return changed;
}

/* Take what is used now as a driver does, from buffer @p done on; @return how many more. */
static uint16_t
used_in_order(struct crash *c, uint16_t done, bool *empty)
{
	uint32_t len[64];
	uint16_t i, n = ring_get_used_in_order(&c->r, c->ids + done, c->nb - done, len);

	*empty = false;
	for (i = 0; i < n; i++) {
		if (c->put && len[i] == 0)
			*empty = true;
		else
			assert_int_equal(len[i], c->put ? RING_HDR + FRAME : 0);
	}
	return n;
}

/* A new process gets the ring as the child left it. */
static void
ring_recover(void *arg, pid_t pid)
{
	struct crash *c = arg;
	const struct vstate_pos next = c->r.next, used = c->r.used;
	struct rte_mbuf *pkts[64];
	struct vstate_net_vq *nq;
	struct vstate_vq *vq;
	uint16_t nb_used, nb_more, nb_empty;
	bool empty;

	if (!child_read(c, pid))
		return;
	c->seen++;
	nq = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*nq));
	assert_non_null(nq);
	*nq = c->before;
	vq = &nq->vq;
	vq->inflight_head = &vq->own_head;
	memcpy(guest_at(&c->r.guest, RING_DESC_GPA), c->desc, 16u * c->r.size);
	memcpy(guest_at(&c->r.guest, RING_DEVICE_GPA), c->device, device_len(c));
	assert_null(vstate_interrupted_settle(vq, &c->record, false, &nb_empty));
	nb_used = used_in_order(c, 0, &empty);
	assert_true(nb_used == 0 || nb_used == c->nb);
	c->none += nb_used == 0;
	c->all += nb_used != 0 && !empty;
	c->emptied += empty;
	if (empty)
		assert_int_equal(nb_empty, c->nb);
	/* The new process completes each remaining buffer once. */
	if (c->put) {
		nb_more = vq_put(nq, c->pkts, c->nb);
	} else {
		nb_more = nq->ops->take(nq, c->r.pool, pkts, c->nb);
		nq->ops->give(nq, nb_more);
		rte_pktmbuf_free_bulk(pkts, nb_more);
	}
	assert_int_equal(vq->fault, VSTATE_FAULT_NONE);
	assert_int_equal(nb_more, c->nb - nb_used);
	assert_int_equal(used_in_order(c, nb_used, &empty), c->nb - nb_used);
	assert_false(empty);
	free(nq);
	c->r.next = next;
	c->r.used = used;
}

static void
killed_at_every_step(struct crash *c)
{
	/* the record of a quiesced queue */
	if (c->r.packed)
		vstate_inflight_head_step(c->r.vq->inflight_head, c->r.vq->used, c->r.vq->used);
	step_through(burst_run, ring_recover, c);
}

static void
packed_ring_outlives_a_kill_at_every_instruction(void **state)
{
	static const struct vstate_pos starts[] = {
		{ 0, 1 }, { 9, 1 }, { 12, 0 }, { 15, 1 }, { 6, 0 },
	};
	struct crash c;
	size_t i;
	int put;

	for (put = 0; put < 2; put++) {
		for (i = 0; i < RTE_DIM(starts); i++) {
			crash_open(&c, true, put, starts[i].idx, starts[i].wrap);
			killed_at_every_step(&c);
			/* before, W1, six used descriptors, the one that shows them, W3 */
			assert_true(c.seen >= 10);
			assert_true(c.none >= 2 && c.all >= 2);
			assert_true(c.emptied >= (put ? 6 : 0));
			crash_close(&c);
		}
	}
}

static void
split_ring_outlives_a_kill_at_every_instruction(void **state)
{
	struct crash c;
	int put;

	for (put = 0; put < 2; put++) {
		crash_open(&c, false, put, 65530, 0);
		killed_at_every_step(&c);
		/* before, elements (several by one store), the index */
		assert_true(c.seen >= 3);
		assert_true(c.none >= 2 && c.all >= 1);
		assert_int_equal(c.emptied, 0);
		crash_close(&c);
	}
}

/*
 * Near the end of the second turn no descriptor may have USED set: those before the position are
 * used in that turn, and those behind it are the rest of a chain of the first turn.
 */
static void
ring_near_the_end_of_a_turn_is_not_new(void **state)
{
	const struct vstate_pos at = { SIZE - 3, 0 };
	union vstate_inflight_head rec = { 0 };
	struct ring r;
	uint16_t nb, i;

	ring_open(&r, true, SIZE);
	rec.packed.pos = vstate_inflight_head_word(at, at);
	for (i = 0; i < SIZE; i++)
		ring_desc_write(&r, RING_DESC_GPA + 16ull * i, RING_BUF_GPA, FRAME,
				i < at.idx ? 0 : 1 << VRING_PACKED_DESC_F_AVAIL, i);
	assert_null(vstate_interrupted_settle(r.vq, &rec, true, &nb));
	assert_true(vstate_pos_same(r.vq->used, at));
	/* the guest set up a new ring, with two buffers */
	for (i = 0; i < SIZE; i++)
		ring_desc_write(&r, RING_DESC_GPA + 16ull * i, i < 2 ? RING_BUF_GPA : 0,
				i < 2 ? FRAME : 0, i < 2 ? 1 << VRING_PACKED_DESC_F_AVAIL : 0, i);
	assert_non_null(vstate_interrupted_settle(r.vq, &rec, true, &nb));
	ring_close(&r);
}

int
test_vstate_interrupted(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_near_the_end_of_a_turn_is_not_new),
		cmocka_unit_test(packed_ring_outlives_a_kill_at_every_instruction),
		cmocka_unit_test(split_ring_outlives_a_kill_at_every_instruction),
	};

	return cmocka_run_group_tests_name("vstate_interrupted", tests, NULL, NULL);
}

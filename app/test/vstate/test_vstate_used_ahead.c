/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Buffers of a packed ring that the front end used up while there was no device. */

#include <string.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_mbuf.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ring/vstate_pos.h"
#include "ring/vstate_used_ahead.h"
#include "ring/vstate_vq.h"

/* A header and a byte. */
#define EMPTY_LEN (RING_HDR + 1)
#define SIZE 16
#define FRAME 100
#define F_BOTH (RTE_BIT32(VRING_PACKED_DESC_F_AVAIL) | RTE_BIT32(VRING_PACKED_DESC_F_USED))

static struct vring_packed_desc *
desc_at(const struct ring *r, uint16_t idx)
{
	return (void *)guest_at(&r->guest, RING_DESC_GPA + 16ull * idx);
}

static void
open_at(struct ring *r, uint16_t idx, uint8_t wrap)
{
	ring_open(r, true, SIZE);
	ring_seek(r, idx, wrap);
	r->vq->desc_addr = RING_DESC_GPA;
}

/* Make a frame of @p n descriptors available as Linux does: all of them have its ID. */
static uint16_t
frame_add(struct ring *r, uint16_t n)
{
	struct piece p[3] = { 0 };
	uint16_t at = r->next.idx, id, i;

	for (i = 0; i < n; i++)
		p[i] = (struct piece){ RING_BUF_GPA + 1024ull * at + 300 * i,
			i > 0 ? 10 : RING_HDR + FRAME - 10 * (n - 1) };
	id = ring_add(r, p, n, false);
	for (i = 0; i < n; i++)
		desc_at(r, (at + i) % r->size)->id = id;
	return id;
}

/* What QEMU does to a buffer that it drops: the first descriptor only. */
static void
use_up(struct ring *r, uint16_t idx, uint8_t wrap)
{
	struct vring_packed_desc *d = desc_at(r, idx);

	d->len = 0;
	d->flags = wrap ? F_BOTH : 0;
}

/* Take all, and give it back. @return frames that had content */
static uint16_t
frames_pass(struct ring *r)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t nb = r->nq->ops->take(r->nq, r->pool, pkts, VSTATE_BURST), i;

	for (i = 0; i < nb; i++)
		assert_int_equal(pkts[i]->pkt_len, FRAME);
	r->nq->ops->give(r->nq, nb);
	rte_pktmbuf_free_bulk(pkts, nb);
	assert_int_equal(r->vq->fault, VSTATE_FAULT_NONE);
	return nb;
}

static void
driver_gets(struct ring *r, const uint16_t *ids, uint16_t n)
{
	uint16_t i, id;
	uint32_t len;

	for (i = 0; i < n; i++) {
		assert_true(ring_get_used(r, &id, &len));
		assert_int_equal(id, ids[i]);
	}
}

/*
 * Frames wait up to the end of the ring and beyond it. What lies beyond was used up, all of it or
 * all but the last ones.
 */
static void
used_ahead(const uint16_t *before, uint16_t nb_before, const uint16_t *beyond, uint16_t nb_beyond,
		uint16_t nb_used)
{
	uint16_t ids[SIZE], n = 0, i, descs = 0;
	struct ring r;

	for (i = 0; i < nb_before; i++)
		descs += before[i];
	open_at(&r, SIZE - descs, 0);
	for (i = 0; i < nb_before; i++)
		ids[n++] = frame_add(&r, before[i]);
	for (i = 0; i < nb_beyond; i++) {
		ids[n++] = frame_add(&r, beyond[i]);
		if (i < nb_used)
			use_up(&r, ids[n - 1], 1);
	}
	assert_int_equal(vstate_used_ahead_return(r.vq, EMPTY_LEN), nb_used);
	/* once is enough */
	assert_int_equal(vstate_used_ahead_return(r.vq, EMPTY_LEN), 0);
	assert_int_equal(frames_pass(&r), n - nb_used);
	assert_int_equal(r.nq->counters.runt, nb_used);
	driver_gets(&r, ids, n);
	/* and the ring goes on */
	for (i = 0; i < 3 * SIZE; i++) {
		ids[0] = frame_add(&r, 1 + i % 3);
		assert_int_equal(frames_pass(&r), 1);
		driver_gets(&r, ids, 1);
	}
	ring_close(&r);
}

/* The guest migrates at that time. */
static void
descriptors_made_available_again_are_logged(void **state)
{
	uint8_t log[RING_LOG_SIZE] = { 0 };
	uint16_t i;
	struct ring r;

	RTE_SET_USED(state);
	open_at(&r, SIZE - 1, 0);
	for (i = 0; i < 3; i++)
		frame_add(&r, 1 + i);
	use_up(&r, 0, 1);
	r.vq->dirty.base = log;
	r.vq->dirty.size = sizeof(log);
	guest_snapshot(&r.guest);
	assert_int_equal(vstate_used_ahead_return(r.vq, EMPTY_LEN), 1);
	guest_assert_logged(&r.guest, log, sizeof(log));
	assert_true(log[RING_DESC_GPA / 4096 / 8] & 1 << RING_DESC_GPA / 4096 % 8);
	ring_close(&r);
}

static void
buffers_used_ahead_come_back_in_their_turn(void **state)
{
	static const uint16_t ones[] = { 1, 1, 1, 1 }, mixed[] = { 2, 1, 3, 1 };
	uint16_t nb, nb_used;

	for (nb = 1; nb <= 4; nb++) {
		for (nb_used = 0; nb_used <= nb; nb_used++) {
			used_ahead(ones, 3, ones, nb, nb_used);
			used_ahead(ones, 1, mixed, nb, nb_used);
			used_ahead(mixed, 4, mixed, nb, nb_used);
		}
	}
}

/* Nothing waited for us, so that the driver may have its buffers back already. */
static void
buffers_used_where_we_stand_are_over(void **state)
{
	uint16_t ids[3], id, i;
	uint8_t wrap;
	struct ring r;

	for (wrap = 0; wrap < 2; wrap++) {
		open_at(&r, SIZE - 2, wrap);
		for (i = 0; i < 3; i++) {
			struct vstate_pos at = r.next;

			ids[i] = frame_add(&r, 1);
			use_up(&r, at.idx, at.wrap);
		}
		driver_gets(&r, ids, 2);
		id = frame_add(&r, 1);
		assert_int_equal(vstate_used_ahead_return(r.vq, EMPTY_LEN), 3);
		assert_int_equal(frames_pass(&r), 1);
		driver_gets(&r, &ids[2], 1);
		driver_gets(&r, &id, 1);
		assert_int_equal(r.nq->counters.runt, 0);
		ring_close(&r);
	}
}

static void
ring_that_nobody_else_used_is_left_alone(void **state)
{
	uint8_t before[16 * SIZE];
	uint16_t ids[SIZE], i, n, turn;
	struct vstate_pos pos;
	struct ring r;

	open_at(&r, 0, 1);
	/* all positions of two turns, with any number of descriptors waiting */
	for (turn = 0; turn < 100; turn++) {
		for (n = 0; n <= turn % 5; n++)
			ids[n] = frame_add(&r, 1 + (turn + n) % 3);
		memcpy(before, desc_at(&r, 0), sizeof(before));
		pos = r.vq->avail;
		assert_int_equal(vstate_used_ahead_return(r.vq, EMPTY_LEN), 0);
		assert_memory_equal(before, desc_at(&r, 0), sizeof(before));
		assert_int_equal(r.vq->avail.idx, pos.idx);
		assert_int_equal(frames_pass(&r), n);
		driver_gets(&r, ids, n);
		assert_int_equal(vstate_used_ahead_return(r.vq, EMPTY_LEN), 0);
	}
	/* full of whatever */
	for (i = 0; i < SIZE; i++)
		desc_at(&r, i)->flags = i * 0x1357;
	assert_true(vstate_used_ahead_return(r.vq, EMPTY_LEN) <= SIZE);
	ring_close(&r);
}

int
test_vstate_used_ahead(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_made_available_again_are_logged),
		cmocka_unit_test(buffers_used_ahead_come_back_in_their_turn),
		cmocka_unit_test(buffers_used_where_we_stand_are_over),
		cmocka_unit_test(ring_that_nobody_else_used_is_left_alone),
	};

	return cmocka_run_group_tests_name("vstate_used_ahead", tests, NULL, NULL);
}

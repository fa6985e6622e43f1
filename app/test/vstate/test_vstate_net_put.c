/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file From the device to the driver: put, and what it leaves in the dirty log. */

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ring/vstate_dirty.h"
#include "ring/vstate_ring.h"
#include "ring/vstate_vq.h"

static uint8_t
frame_byte(uint32_t seq, uint32_t at)
{
	return seq * 59 + at * 11 + (at >> 8);
}

/* A frame in as many mbufs as it takes, with an empty one in between if @p hole. */
static struct rte_mbuf *
frame_make(struct ring *r, uint32_t seq, uint32_t len, bool hole)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool), *seg;
	uint32_t at = 0, n, k;

	assert_non_null(m);
	do {
		seg = at == 0 ? m : rte_pktmbuf_alloc(r->pool);
		assert_non_null(seg);
		n = hole && at == 256 && seg != rte_pktmbuf_lastseg(m) && m->nb_segs == 1 ? 0 :
			RTE_MIN(len - at, 256u);
		for (k = 0; k < n; k++)
			*rte_pktmbuf_mtod_offset(seg, uint8_t *, k) = frame_byte(seq, at + k);
		seg->data_len = n;
		seg->pkt_len = n;
		if (seg != m)
			assert_int_equal(rte_pktmbuf_chain(m, seg), 0);
		at += n;
	} while (at < len);
	return m;
}

static uint16_t
frame_put(struct ring *r, uint32_t seq, uint32_t len, bool hole)
{
	struct rte_mbuf *m = frame_make(r, seq, len, hole);
	uint16_t n = vq_put(r->nq, &m, 1);

	rte_pktmbuf_free(m);
	assert_int_equal(ring_mbufs_out(r), 0);
	assert_int_equal(r->vq->avail.idx, r->vq->used.idx);
	return n;
}

/*
 * Take used buffers and check that together they hold frame @p seq. @p pieces are those of
 * all buffers, @p n of each. Then check that nothing else of the guest's buffers changed.
 */
static uint16_t
frame_check(struct ring *r, uint32_t seq, uint32_t len, const struct piece *pieces, uint16_t n,
		const uint16_t *ids)
{
	uint32_t at = 0, total = RING_HDR + len, used_len, k;
	uint16_t num_buffers = 0, nb = 0, id, i;
	uint8_t hdr[RING_HDR];

	while (at < total) {
		assert_true(ring_get_used(r, &id, &used_len));
		assert_int_equal(id, ids[nb]);
		assert_true(used_len > 0);
		for (i = 0; i < n; i++) {
			const struct piece *p = &pieces[nb * n + i];

			for (k = 0; k < p->len && used_len > 0; k++, at++, used_len--) {
				uint8_t b = *guest_at(&r->guest, p->gpa + k);

				guest_allow(&r->guest, p->gpa + k, 1);
				if (at < RING_HDR)
					hdr[at] = b;
				else if (b != frame_byte(seq, at - RING_HDR))
					fail_msg("frame %u differs at %u", seq, at - RING_HDR);
			}
		}
		assert_int_equal(used_len, 0);
		nb++;
	}
	assert_int_equal(at, total);
	for (i = 0; i < 10; i++)
		assert_int_equal(hdr[i], 0);
	num_buffers = hdr[10] | hdr[11] << 8;
	assert_int_equal(num_buffers, nb);
	return nb;
}

/* After frame_check(): allow what the ring itself needs. */
static void
ring_allow(struct ring *r)
{
	if (r->packed)
		guest_allow(&r->guest, RING_DESC_GPA, 16u * r->size);
	else
		guest_allow(&r->guest, RING_DEVICE_GPA, 4 + 8u * r->size);
	guest_assert_unchanged(&r->guest);
}

struct layout {
	const char *name;
	uint16_t n;
	struct piece pieces[6];
};

/* Buffers with room for 12 + 588 bytes and a bit. */
static const struct layout layouts[] = {
	{ "one descriptor", 1, { { RING_BUF_GPA, 600 } } },
	{ "room left", 1, { { RING_BUF_GPA, 1000 } } },
	{ "header alone", 2, { { RING_BUF_GPA, 12 }, { RING_BUF_GPA + 512, 600 } } },
	{ "header split", 4, { { RING_BUF_GPA, 1 }, { RING_BUF_GPA + 64, 9 },
		{ RING_BUF_GPA + 128, 1 }, { RING_BUF_GPA + 192, 700 } } },
	{ "empty descriptors", 6, { { 0, 0 }, { RING_BUF_GPA, 12 }, { 0, 0 },
		{ RING_BUF_GPA + 64, 100 }, { RING_BUF_GPA + 256, 488 }, { 2, 0 } } },
	{ "across regions", 1, { { RING_BUF_BORDER - 300, 600 } } },
	{ "header across regions", 1, { { RING_BUF_BORDER - 11, 600 } } },
	{ "ends at the last byte", 1, { { RING_BUF_END - 600, 600 } } },
	{ "full of small ones", 5, { { RING_BUF_GPA, 200 }, { RING_BUF_GPA + 300, 100 },
		{ RING_BUF_GPA + 500, 100 }, { RING_BUF_GPA + 700, 100 },
		{ RING_BUF_GPA + 900, 100 } } },
};

static void
put_layout(bool packed, bool indirect, bool mergeable, const struct layout *l)
{
	struct ring r;
	uint16_t id;

	ring_open(&r, packed, 16);
	r.nq->mergeable = mergeable;
	id = indirect ? ring_add_indirect(&r, l->pieces, l->n, true) :
		ring_add(&r, l->pieces, l->n, true);
	guest_snapshot(&r.guest);
	assert_int_equal(frame_put(&r, 7, 588, true), 1);
	assert_int_equal(frame_check(&r, 7, 588, l->pieces, l->n, &id), 1);
	ring_allow(&r);
	assert_int_equal(r.nq->counters.packets, 1);
	assert_int_equal(r.nq->counters.bytes, 588);
	ring_close(&r);
}

static void
put_fills_buffers_of_every_layout_and_nothing_else(void **state)
{
	size_t i;
	int k;

	for (i = 0; i < RTE_DIM(layouts); i++) {
		print_message("# %s\n", layouts[i].name);
		for (k = 0; k < 8; k++)
			put_layout(k & 1, k & 2, k & 4, &layouts[i]);
	}
}

static void
frame_over_many_buffers_says_how_many(void **state)
{
	struct piece p[64];
	uint16_t ids[64], nb, i;
	struct ring r;
	uint32_t each;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		for (nb = 1; nb <= 60; nb++) {
			ring_open(&r, packed, 64);
			ring_seek(&r, packed ? 40 : 65500, packed);
			each = (RING_HDR + 1200 + nb - 1) / nb;
			for (i = 0; i < nb; i++) {
				p[i] = (struct piece){ RING_BUF_BORDER - 2000 + 1300ull * i,
						each };
				ids[i] = ring_add(&r, &p[i], 1, true);
			}
			guest_snapshot(&r.guest);
			assert_int_equal(frame_put(&r, nb, 1200, false), 1);
			i = frame_check(&r, nb, 1200, p, 1, ids);
			assert_int_equal(i, (RING_HDR + 1200 + each - 1) / each);
			ring_allow(&r);
			ring_close(&r);
		}
	}
}

static void
num_buffers_is_right_where_the_header_is_scattered(void **state)
{
	/* its two bytes in two descriptors, and in two regions */
	const struct piece a[] = { { RING_BUF_GPA, 11 }, { RING_BUF_GPA + 64, 1 },
		{ RING_BUF_GPA + 512, 300 }, { RING_BUF_GPA + 1024, 400 }, { 0, 0 }, { 0, 0 } },
		b[] = { { RING_BUF_BORDER - 11, 300 }, { RING_BUF_GPA, 400 } };
	uint16_t ids[2];
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 16);
		ids[0] = ring_add(&r, a, 3, true);
		ids[1] = ring_add(&r, a + 3, 3, true);
		guest_snapshot(&r.guest);
		assert_int_equal(frame_put(&r, 1, 588, false), 1);
		assert_int_equal(frame_check(&r, 1, 588, a, 3, ids), 2);
		ring_allow(&r);
		ids[0] = ring_add(&r, b, 1, true);
		ids[1] = ring_add(&r, b + 1, 1, true);
		guest_snapshot(&r.guest);
		assert_int_equal(frame_put(&r, 2, 588, false), 1);
		assert_int_equal(frame_check(&r, 2, 588, b, 1, ids), 2);
		ring_allow(&r);
		ring_close(&r);
	}
}

static void
frame_waits_until_all_its_buffers_are_there(void **state)
{
	const struct piece p[] = { { RING_BUF_GPA, 300 }, { RING_BUF_GPA + 300, 300 } };
	uint16_t ids[2], id;
	struct ring r;
	uint32_t len;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 2);
		assert_int_equal(frame_put(&r, 1, 588, false), 0);
		ids[0] = ring_add(&r, &p[0], 1, true);
		assert_int_equal(frame_put(&r, 1, 588, false), 0);
		assert_false(ring_get_used(&r, &id, &len));
		assert_int_equal(r.nq->counters.packets + r.nq->counters.small_buffer, 0);
		ids[1] = ring_add(&r, &p[1], 1, true);
		guest_snapshot(&r.guest);
		assert_int_equal(frame_put(&r, 1, 588, false), 1);
		assert_int_equal(frame_check(&r, 1, 588, p, 1, ids), 2);
		assert_int_equal(ring_calls(&r), 1);
		ring_close(&r);
	}
}

static void
frame_too_long_for_a_buffer_is_dropped_and_the_buffer_kept(void **state)
{
	const struct piece p = { RING_BUF_GPA, 599 };
	struct ring r;
	uint16_t id;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 16);
		r.nq->mergeable = false;
		id = ring_add(&r, &p, 1, true);
		assert_int_equal(frame_put(&r, 1, 588, false), 1);
		assert_int_equal(r.nq->counters.small_buffer, 1);
		assert_int_equal(r.nq->counters.packets, 0);
		guest_snapshot(&r.guest);
		assert_int_equal(frame_put(&r, 2, 587, false), 1);
		frame_check(&r, 2, 587, &p, 1, &id);
		ring_allow(&r);
		assert_int_equal(r.nq->counters.packets, 1);
		ring_close(&r);
	}
}

static void
frame_too_long_for_the_whole_ring_is_dropped_once_all_is_there(void **state)
{
	/* buffers of one descriptor, of two, and behind tables */
	static const struct {
		uint16_t n;
		bool indirect;
	} kinds[] = { { 1, false }, { 2, false }, { 3, true } };
	struct piece p[8][3];
	uint16_t ids[8], nb, i, k;
	struct ring r;
	int packed;

	for (k = 0; k < 2 * RTE_DIM(kinds); k++) {
		packed = k % 2;
		ring_open(&r, packed, 8);
		ring_seek(&r, packed ? 5 : 65533, packed);
		nb = kinds[k / 2].indirect ? 8 : 8 / kinds[k / 2].n;
		for (i = 0; i < nb; i++) {
			/* all but the last of them may be too few: there is one more to come */
			assert_int_equal(frame_put(&r, 1, 2500, false), 0);
			p[i][0] = (struct piece){ RING_BUF_GPA + 512 * i, 60 };
			p[i][1] = (struct piece){ RING_BUF_GPA + 512 * i + 128, 100 };
			p[i][2] = (struct piece){ RING_BUF_GPA + 512 * i + 256, 0 };
			if (kinds[k / 2].indirect)
				ids[i] = ring_add_indirect(&r, p[i], 3, true);
			else
				ids[i] = ring_add(&r, p[i], kinds[k / 2].n, true);
			r.table += 48;
		}
		assert_int_equal(r.nq->counters.small_buffer, 0);
		assert_int_equal(frame_put(&r, 1, 2500, false), 1);
		assert_int_equal(r.nq->counters.small_buffer, 1);
		assert_int_equal(r.nq->counters.packets, 0);
		/* and its buffers serve the next one */
		guest_snapshot(&r.guest);
		assert_int_equal(frame_put(&r, 2, 40, false), 1);
		frame_check(&r, 2, 40, p[0], kinds[k / 2].n, ids);
		assert_int_equal(r.nq->counters.packets, 1);
		ring_close(&r);
	}
}

static void
legacy_header_has_ten_bytes(void **state)
{
	const struct piece p = { RING_BUF_GPA, 70 };
	struct ring r;
	uint16_t id;
	uint32_t len;

	ring_open(&r, false, 4);
	r.nq->mergeable = false;
	r.nq->hdr_len = 10;
	ring_add(&r, &p, 1, true);
	guest_snapshot(&r.guest);
	assert_int_equal(frame_put(&r, 1, 60, false), 1);
	assert_true(ring_get_used(&r, &id, &len));
	assert_int_equal(len, 70);
	assert_int_equal(*guest_at(&r.guest, RING_BUF_GPA + 10), frame_byte(1, 0));
	guest_allow(&r.guest, p.gpa, p.len);
	ring_allow(&r);
	ring_close(&r);
}

/* A header that is right stays as it is; one that differs anywhere is written. */
static void
header_of_another_turn_is_corrected(void **state)
{
	const struct piece p = { RING_BUF_GPA, RING_HDR + 60 };
	const uint8_t right[RING_HDR] = { [10] = 1 };
	unsigned int packed, at;
	uint16_t id;
	struct ring r;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 4);
		for (at = 0; at <= RING_HDR; at++) {
			guest_write(&r.guest, p.gpa, right, sizeof(right));
			if (at < RING_HDR)
				*guest_at(&r.guest, p.gpa + at) ^= 0x81;
			id = ring_add(&r, &p, 1, true);
			assert_int_equal(frame_put(&r, at, 60, false), 1);
			frame_check(&r, at, 60, &p, 1, &id);
		}
		ring_close(&r);
	}
}

static void
burst_of_frames_arrives_in_order_at_all_places(void **state)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t size, start, i, n, ids[32];
	struct piece p[32];
	struct ring r;
	int packed, wrap;

	for (packed = 0; packed < 2; packed++) {
		for (size = 1; size <= 17; size = packed ? size + 1 : size * 2) {
			ring_open(&r, packed, size);
			for (wrap = 0; wrap <= packed; wrap++) {
				for (start = 0; start < size; start++) {
					ring_seek(&r, packed ? start : 65536 - start, wrap);
					for (i = 0; i < size; i++) {
						p[i] = (struct piece){
							RING_BUF_GPA + 128 * i, 100 };
						ids[i] = ring_add(&r, &p[i], 1, true);
						pkts[i] = frame_make(&r, i, 80 - i, false);
					}
					pkts[size] = frame_make(&r, size, 60, false);
					guest_snapshot(&r.guest);
					/* one more than there are buffers */
					n = vq_put(r.nq, pkts, size + 1);
					assert_int_equal(n, size);
					rte_pktmbuf_free_bulk(pkts, size + 1);
					for (i = 0; i < size; i++)
						frame_check(&r, i, 80 - i, &p[i], 1, &ids[i]);
					ring_allow(&r);
				}
			}
			ring_close(&r);
		}
	}
}

/* ---- dirty log ---- */

static void
everything_written_is_in_the_dirty_log(void **state)
{
	uint8_t *log = calloc(1, RING_LOG_SIZE);
	uint16_t id, i, n, nb;
	struct piece p[3];
	struct ring r;
	unsigned int round;
	uint32_t len;

	assert_non_null(log);
	srandom(7);
	for (round = 0; round < 600; round++) {
		ring_open(&r, round & 1, 512);
		ring_seek(&r, round & 1 ? random() % 512 : random(), round >> 1 & 1 & round);
		nb = 1 + random() % 12;
		for (i = 0; i < nb; i++) {
			for (n = 0; n < 3; n++)
				p[n] = (struct piece){ RING_BUF_GPA + random() %
						(RING_BUF_END - RING_BUF_GPA - 720),
						random() % 5 == 0 ? 0 : 100 + random() % 600 };
			p[0].len += 20; /* the header has its place */
			if (random() % 2)
				ring_add(&r, p, 3, true);
			else
				ring_add_indirect(&r, p, 3, true);
			r.table += 48;
		}
		r.vq->dirty.base = log;
		r.vq->dirty.size = RING_LOG_SIZE;
		r.vq->event_idx = random() % 2;
		memset(log, 0, RING_LOG_SIZE);
		guest_snapshot(&r.guest);
		for (i = 0; i < 6; i++)
			frame_put(&r, random(), 60 + random() % 3000, false);
		if (random() % 2)
			vstate_ring_prime(r.vq);
		vstate_dirty_flush(&r.vq->dirty);
		guest_assert_logged(&r.guest, log, RING_LOG_SIZE);
		assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
		while (ring_get_used(&r, &id, &len))
			;
		ring_close(&r);
	}
	free(log);
}

static void
given_frames_leave_their_used_entries_in_the_dirty_log(void **state)
{
	uint8_t *log = calloc(1, RING_LOG_SIZE);
	const struct piece p = { RING_BUF_GPA, 100 };
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t start, i, n;
	struct ring r;
	int packed;

	assert_non_null(log);
	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 1024);
		r.vq->dirty.base = log;
		r.vq->dirty.size = RING_LOG_SIZE;
		for (start = 0; start < 1024; start += 31) {
			ring_seek(&r, start, packed);
			for (i = 0; i < 40; i++)
				ring_add(&r, &p, 1, false);
			memset(log, 0, RING_LOG_SIZE);
			guest_snapshot(&r.guest);
			n = r.nq->ops->take(r.nq, r.pool, pkts, VSTATE_BURST);
			assert_int_equal(n, 40);
			r.nq->ops->give(r.nq, n);
			rte_pktmbuf_free_bulk(pkts, n);
			/* without a flush of the test's */
			guest_assert_logged(&r.guest, log, RING_LOG_SIZE);
		}
		ring_close(&r);
	}
	free(log);
}

static void
frame_that_found_too_few_buffers_is_in_the_dirty_log(void **state)
{
	uint8_t *log = calloc(1, RING_LOG_SIZE);
	const struct piece p = { RING_BUF_GPA, 300 };
	struct ring r;
	int packed;

	assert_non_null(log);
	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 16);
		r.vq->dirty.base = log;
		r.vq->dirty.size = RING_LOG_SIZE;
		ring_add(&r, &p, 1, true);
		memset(log, 0, RING_LOG_SIZE);
		guest_snapshot(&r.guest);
		assert_int_equal(frame_put(&r, 1, 588, false), 0);
		/* written already, though not used: nothing may stay behind in the cache */
		guest_assert_logged(&r.guest, log, RING_LOG_SIZE);
		assert_int_equal(r.vq->dirty.nb_words, 0);
		ring_close(&r);
	}
	free(log);
}

int
test_vstate_net_put(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_fills_buffers_of_every_layout_and_nothing_else),
		cmocka_unit_test(frame_over_many_buffers_says_how_many),
		cmocka_unit_test(num_buffers_is_right_where_the_header_is_scattered),
		cmocka_unit_test(frame_waits_until_all_its_buffers_are_there),
		cmocka_unit_test(frame_too_long_for_a_buffer_is_dropped_and_the_buffer_kept),
		cmocka_unit_test(frame_too_long_for_the_whole_ring_is_dropped_once_all_is_there),
		cmocka_unit_test(legacy_header_has_ten_bytes),
		cmocka_unit_test(header_of_another_turn_is_corrected),
		cmocka_unit_test(burst_of_frames_arrives_in_order_at_all_places),
		cmocka_unit_test(everything_written_is_in_the_dirty_log),
		cmocka_unit_test(given_frames_leave_their_used_entries_in_the_dirty_log),
		cmocka_unit_test(frame_that_found_too_few_buffers_is_in_the_dirty_log),
	};

	return cmocka_run_group_tests_name("vstate_net_put", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file From the driver to the device: take and give. */

#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_random.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ring/vstate_vq.h"

/* Bytes of frame number @p seq. */
static uint8_t
frame_byte(uint32_t seq, uint32_t at)
{
	return seq * 113 + at * 7 + (at >> 8);
}

/* Write header and frame to the guest, as the pieces lie. */
static void
frame_write(struct ring *r, uint32_t seq, const struct piece *p, uint16_t n)
{
	uint32_t at = 0, i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < p[i].len; k++, at++)
			*guest_at(&r->guest, p[i].gpa + k) = at < r->nq->hdr_len ? 0 :
					frame_byte(seq, at - r->nq->hdr_len);
	}
}

static void
frame_check(const struct rte_mbuf *m, uint32_t seq, uint32_t len)
{
	const struct rte_mbuf *seg;
	uint32_t at = 0, k;
	uint16_t nb = 0;

	assert_int_equal(m->pkt_len, len);
	for (seg = m; seg != NULL; seg = seg->next, nb++) {
		assert_true(seg->data_len != 0 || seg == m);
		for (k = 0; k < seg->data_len; k++, at++) {
			if (*rte_pktmbuf_mtod_offset(seg, uint8_t *, k) != frame_byte(seq, at))
				fail_msg("frame %u differs at %u", seq, at);
		}
	}
	assert_int_equal(at, len);
	assert_int_equal(nb, m->nb_segs);
}

/* Take up to @p n frames, check that they are @p seq and so on, give @p back of them. */
static uint16_t
burst_check_step(struct ring *r, uint16_t n, uint32_t seq, uint32_t step, uint32_t len,
		uint16_t back)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t nb = r->nq->ops->take(r->nq, r->pool, pkts, n), i;

	for (i = 0; i < nb; i++)
		frame_check(pkts[i], seq + i * step, len);
	r->nq->ops->give(r->nq, RTE_MIN(nb, back));
	rte_pktmbuf_free_bulk(pkts, nb);
	assert_int_equal(ring_mbufs_out(r), 0);
	assert_int_equal(r->vq->avail.idx, r->vq->used.idx);
	assert_int_equal(r->vq->avail.wrap, r->vq->used.wrap);
	return nb;
}

static uint16_t
burst_check(struct ring *r, uint16_t n, uint32_t seq, uint32_t len, uint16_t back)
{
	return burst_check_step(r, n, seq, 1, len, back);
}

/* All frames are the same one. */
static uint16_t
burst_check_same(struct ring *r, uint16_t n, uint32_t seq, uint32_t len, uint16_t back)
{
	return burst_check_step(r, n, seq, 0, len, back);
}

static void
expect_used(struct ring *r, uint16_t id)
{
	uint16_t got;
	uint32_t len;

	assert_true(ring_get_used(r, &got, &len));
	assert_int_equal(got, id);
	assert_int_equal(len, 0);
}

static void
expect_no_used(struct ring *r)
{
	uint16_t id;
	uint32_t len;

	assert_false(ring_get_used(r, &id, &len));
}

/* ---- shapes of one buffer ---- */

/* How a frame of 12 + 588 bytes may lie. */
static const struct shape {
	const char *name;
	uint16_t n;
	struct piece pieces[8];
} shapes[] = {
	{ "one descriptor", 1, { { RING_BUF_GPA, 600 } } },
	{ "header alone", 2, { { RING_BUF_GPA, 12 }, { RING_BUF_GPA + 512, 588 } } },
	{ "header split", 4, { { RING_BUF_GPA, 1 }, { RING_BUF_GPA + 64, 9 },
		{ RING_BUF_GPA + 128, 5 }, { RING_BUF_GPA + 192, 585 } } },
	{ "empty descriptors", 7, { { RING_BUF_GPA, 0 }, { RING_BUF_GPA, 12 }, { 0, 0 },
		{ RING_BUF_GPA + 64, 100 }, { 1, 0 }, { RING_BUF_GPA + 256, 488 }, { 2, 0 } } },
	{ "across regions", 1, { { RING_BUF_BORDER - 300, 600 } } },
	{ "header across regions", 1, { { RING_BUF_BORDER - 5, 600 } } },
	{ "begins at a border", 1, { { RING_BUF_BORDER, 600 } } },
	{ "ends at a border", 1, { { RING_BUF_BORDER - 600, 600 } } },
	{ "ends at the last byte", 1, { { RING_BUF_END - 600, 600 } } },
	{ "backwards", 3, { { RING_BUF_END - 100, 100 }, { RING_BUF_BORDER - 50, 100 },
		{ RING_BUF_GPA, 400 } } },
};

static void
take_shape(bool packed, bool indirect, uint64_t table, const struct shape *s)
{
	struct ring r;
	uint16_t id;

	ring_open(&r, packed, 16);
	r.table = table;
	frame_write(&r, 5, s->pieces, s->n);
	id = indirect ? ring_add_indirect(&r, s->pieces, s->n, false) :
		ring_add(&r, s->pieces, s->n, false);
	assert_int_equal(burst_check(&r, 32, 5, 588, 32), 1);
	expect_used(&r, id);
	expect_no_used(&r);
	assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
	ring_close(&r);
}

static void
take_copies_frames_of_every_shape(void **state)
{
	size_t i;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		for (i = 0; i < RTE_DIM(shapes); i++) {
			print_message("# %s\n", shapes[i].name);
			take_shape(packed, false, RING_TABLE_GPA, &shapes[i]);
			take_shape(packed, true, RING_TABLE_GPA, &shapes[i]);
		}
	}
}

static void
take_reads_packed_tables_that_are_called_writable(void **state)
{
	const struct piece pieces[] = { { RING_BUF_GPA, RING_HDR }, { RING_BUF_GPA + 64, 588 } };
	struct ring r;
	uint16_t id;

	/* as DPDK's virtio driver sends frames of several segments */
	ring_open(&r, true, 16);
	frame_write(&r, 5, pieces, 2);
	id = ring_add_indirect(&r, pieces, 2, true);
	assert_int_equal(burst_check(&r, 32, 5, 588, 32), 1);
	expect_used(&r, id);
	assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
	ring_close(&r);
}

static void
take_reads_indirect_tables_that_cross_regions(void **state)
{
	static const struct shape far = { "far", 4, { { RING_BUF_GPA, 1 }, { RING_BUF_GPA + 64, 9 },
		{ RING_BUF_GPA + 128, 5 }, { RING_BUF_GPA + 192, 585 } } };
	uint32_t back;
	int packed;

	/* each place of the border, in and between the entries */
	for (packed = 0; packed < 2; packed++) {
		for (back = 0; back <= 64; back++)
			take_shape(packed, true, RING_BUF_BORDER - back, &far);
	}
}

static void
take_follows_a_chain_into_an_indirect_table(void **state)
{
	/* "zero or more normal chained descriptors followed by a single [indirect] one" */
	const struct piece p[] = { { RING_BUF_GPA, 12 }, { RING_BUF_GPA + 64, 88 },
		{ RING_BUF_GPA + 256, 500 } };
	struct ring r;

	ring_open(&r, false, 16);
	frame_write(&r, 9, p, 3);
	ring_desc_write(&r, RING_TABLE_GPA, p[1].gpa, p[1].len, VRING_DESC_F_NEXT, 1);
	ring_desc_write(&r, RING_TABLE_GPA + 16, p[2].gpa, p[2].len, 0, 0);
	ring_desc_write(&r, RING_DESC_GPA + 16 * 5, RING_TABLE_GPA, 32, VRING_DESC_F_INDIRECT, 0);
	ring_add_raw(&r, p[0].gpa, p[0].len, VRING_DESC_F_NEXT, 5);
	assert_int_equal(burst_check(&r, 32, 9, 588, 32), 1);
	expect_used(&r, 0);
	assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
	ring_close(&r);
}

static void
take_uses_every_length_of_chain_that_a_ring_has(void **state)
{
	struct piece p[64];
	struct ring r;
	uint16_t n, i;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		for (n = 1; n <= 64; n++) {
			ring_open(&r, packed, 64);
			for (i = 0; i < n; i++)
				p[i] = (struct piece){ RING_BUF_GPA + 64ull * i, i + 1 < n ? 3 :
						600 - 3u * i };
			frame_write(&r, n, p, n);
			i = ring_add(&r, p, n, false);
			assert_int_equal(burst_check(&r, 32, n, 588, 32), 1);
			expect_used(&r, i);
			ring_close(&r);
		}
	}
}

/* Cut @p len bytes of guest memory into @p n pieces, some of them empty. */
static void
cut_at_random(struct piece *p, uint16_t n, uint32_t len, uint64_t gpa)
{
	uint32_t left = len;
	uint16_t i;

	for (i = 0; i < n; i++) {
		p[i].gpa = gpa + len - left;
		p[i].len = i + 1 == n ? left : rte_rand_max(2 * left / (n - i) + 1);
		left -= p[i].len;
	}
}

static void
take_copies_frames_however_they_are_cut(void **state)
{
	/* Around as many pieces and mbufs as the fast way has room for, and far from it. */
	const uint32_t most = RING_HDR + 256 * 44;
	struct piece p[40];
	uint32_t len, i;
	struct ring r;
	uint16_t n, id;
	int packed;

	rte_srand(20);
	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 64);
		for (i = 0; i < 4000; i++) {
			n = 1 + rte_rand_max(RTE_DIM(p));
			len = RING_HDR + RTE_ETHER_HDR_LEN +
				rte_rand_max(most - RING_HDR - RTE_ETHER_HDR_LEN);
			/* one of eight crosses into the next region */
			cut_at_random(p, n, len, i % 8 == 0 ? RING_BUF_BORDER - len / 2 :
					RING_BUF_GPA + rte_rand_max(64));
			frame_write(&r, i, p, n);
			id = i % 3 == 0 ? ring_add_indirect(&r, p, n, false) :
				ring_add(&r, p, n, false);
			assert_int_equal(burst_check(&r, 32, i, len - RING_HDR, 32), 1);
			expect_used(&r, id);
		}
		assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
		assert_int_equal(r.nq->counters.packets, 4000);
		ring_close(&r);
	}
}

/* ---- positions ---- */

static const struct piece small = { RING_BUF_GPA, RING_HDR + 60 };

/* Two frames, one of them in a chain if the ring has the place, from where the ring stands. */
static void
pass_two(struct ring *r)
{
	const struct piece pair[] = { { small.gpa, 30 }, { small.gpa + 30, small.len - 30 } };
	bool chain = r->size >= 3;
	uint16_t a, b = 0;

	a = ring_add(r, pair, chain ? 2 : 1, false);
	if (r->size >= 2)
		b = ring_add(r, &small, 1, false);
	if (!chain && r->size >= 2) {
		/* pair[0] alone is another frame than the small one */
		struct rte_mbuf *pkts[4];

		assert_int_equal(r->nq->ops->take(r->nq, r->pool, pkts, 4), 2);
		assert_int_equal(pkts[0]->pkt_len, 30 - RING_HDR);
		frame_check(pkts[1], 3, 60);
		r->nq->ops->give(r->nq, 2);
		rte_pktmbuf_free_bulk(pkts, 2);
	} else if (r->size == 1) {
		assert_int_equal(burst_check(r, 4, 3, 30 - RING_HDR, 4), 1);
	} else {
		assert_int_equal(burst_check_same(r, 4, 3, 60, 4), 2);
	}
	expect_used(r, a);
	if (r->size >= 2)
		expect_used(r, b);
	expect_no_used(r);
}

static void
split_frames_pass_at_all_65536_indices(void **state)
{
	struct ring r;
	uint32_t idx;

	ring_open(&r, false, 8);
	frame_write(&r, 3, &small, 1);
	for (idx = 0; idx < 65536; idx++) {
		ring_seek(&r, idx, 0);
		pass_two(&r);
		assert_int_equal(r.vq->used.idx, (uint16_t)(idx + 2));
	}
	assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
	ring_close(&r);
}

static void
packed_frames_pass_at_all_places_of_small_rings(void **state)
{
	uint16_t size, idx;
	struct ring r;
	int wrap;

	for (size = 1; size <= 17; size++) {
		ring_open(&r, true, size);
		frame_write(&r, 3, &small, 1);
		for (wrap = 0; wrap < 2; wrap++) {
			for (idx = 0; idx < size; idx++) {
				ring_seek(&r, idx, wrap);
				pass_two(&r);
			}
		}
		assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
		ring_close(&r);
	}
}

static void
packed_frames_pass_two_turns_of_the_largest_ring(void **state)
{
	struct ring r;
	uint32_t i;

	ring_open(&r, true, 32768);
	frame_write(&r, 3, &small, 1);
	/* 3 descriptors a time: the second turn meets other places of the wrap */
	for (i = 0; i < 4 * 32768 / 3; i++)
		pass_two(&r);
	assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
	ring_close(&r);
}

static void
full_ring_of_every_size_passes_and_then_is_empty(void **state)
{
	uint16_t ids[64], size, i, got;
	struct ring r;
	int packed, turn;

	for (packed = 0; packed < 2; packed++) {
		for (size = 1; size <= 64; size = packed ? size + 1 : size * 2) {
			ring_open(&r, packed, size);
			frame_write(&r, 3, &small, 1);
			for (turn = 0; turn < 3; turn++) {
				struct rte_mbuf *pkts[VSTATE_BURST];

				for (i = 0; i < size; i++)
					ids[i] = ring_add(&r, &small, 1, false);
				got = r.nq->ops->take(r.nq, r.pool, pkts, VSTATE_BURST);
				assert_int_equal(got, size);
				r.nq->ops->give(r.nq, got);
				rte_pktmbuf_free_bulk(pkts, got);
				for (i = 0; i < size; i++)
					expect_used(&r, ids[i]);
				expect_no_used(&r);
				assert_int_equal(burst_check(&r, 32, 0, 0, 0), 0);
			}
			ring_close(&r);
		}
	}
}

/* ---- take without give ---- */

/* The first frame's length says how many to look at, where all have it, and only there. */
static void
long_frame_before_short_ones_does_not_end_a_burst(void **state)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	struct ring r;
	struct piece p;
	int packed;
	uint16_t i;

	RTE_SET_USED(state);
	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 64);
		for (i = 0; i < 64; i++) {
			p = (struct piece){ RING_BUF_GPA + 512ull * i, i == 0 ? 12 + 256 : 72 };
			frame_write(&r, i, &p, 1);
			ring_add(&r, &p, 1, false);
		}
		assert_int_equal(r.nq->ops->take(r.nq, r.pool, pkts, 64), 64);
		for (i = 0; i < 64; i++)
			frame_check(pkts[i], i, i == 0 ? 256 : 60);
		r.nq->ops->give(r.nq, 64);
		assert_int_equal(r.nq->counters.bytes, 256 + 63 * 60);
		rte_pktmbuf_free_bulk(pkts, 64);
		ring_close(&r);
	}
}

static void
frames_not_given_back_are_taken_again(void **state)
{
	struct piece p[3][2];
	uint16_t ids[24], k, i, nb;
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		/* k of 24 frames, of which every third is a chain, at the end of the ring */
		for (k = 0; k <= 24; k++) {
			ring_open(&r, packed, 64);
			ring_seek(&r, packed ? 50 : 65530, 0);
			for (i = 0; i < 24; i++) {
				nb = i % 3 == 2 ? 2 : 1;
				p[0][0] = (struct piece){ RING_BUF_GPA + 128ull * i,
						nb == 2 ? 20 : 72 };
				p[0][1] = (struct piece){ RING_BUF_GPA + 128ull * i + 20, 52 };
				frame_write(&r, 100 + i, p[0], nb);
				ids[i] = ring_add(&r, p[0], nb, false);
			}
			assert_int_equal(burst_check(&r, 32, 100, 60, k), 24);
			for (i = 0; i < k; i++)
				expect_used(&r, ids[i]);
			expect_no_used(&r);
			assert_int_equal(r.nq->counters.packets, k);
			assert_int_equal(r.nq->counters.bytes, 60 * k);
			/* taken for nothing, more than once */
			assert_int_equal(burst_check(&r, 32, 100 + k, 60, 0), 24 - k);
			assert_int_equal(burst_check(&r, 7, 100 + k, 60, 32), RTE_MIN(7, 24 - k));
			assert_int_equal(burst_check(&r, 32, 100 + RTE_MIN(k + 7, 24), 60, 32),
					24 - RTE_MIN(k + 7, 24));
			for (i = k; i < 24; i++)
				expect_used(&r, ids[i]);
			expect_no_used(&r);
			assert_int_equal(r.nq->counters.packets, 24);
			ring_close(&r);
		}
	}
}

/* ---- frames that are dropped ---- */

enum kind { GOOD, RUNT, EMPTY, OVERSIZE, BAD_OFFLOAD, NB_KINDS };

static uint16_t
add_kind(struct ring *r, enum kind kind, uint32_t seq)
{
	struct piece p[2] = { { RING_BUF_GPA + 128ull * seq, RING_HDR + 60 } };
	uint16_t n = 1;

	if (kind == RUNT)
		p[0].len = RING_HDR + RTE_ETHER_HDR_LEN - 1;
	else if (kind == EMPTY)
		p[0].len = RING_HDR;
	frame_write(r, seq, p, 1);
	if (kind == OVERSIZE) {
		/* the bytes do not matter: no one reads them */
		p[1] = (struct piece){ RING_BUF_BORDER, VSTATE_MAX_FRAME + 1 - 60 };
		n = 2;
	} else if (kind == BAD_OFFLOAD) {
		*guest_at(&r->guest, p[0].gpa) = 1; /* NEEDS_CSUM, not negotiated */
		r->nq->host_offloads = true;
	}
	return ring_add(r, p, n, false);
}

static void
frames_dropped_between_good_ones_are_used_and_counted(void **state)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t ids[6], i, nb, give;
	unsigned int mix;
	struct ring r;
	int packed;

	/* each row of 5 frames of 5 kinds, and of each only as many given as there are */
	for (packed = 0; packed < 2; packed++) {
		for (mix = 0; mix < 5 * 5 * 5 * 5; mix++) {
			unsigned int kinds[4] = { mix % 5, mix / 5 % 5, mix / 25 % 5, mix / 125 };
			uint32_t good[4], nb_good = 0, count[NB_KINDS] = { 0 };

			ring_open(&r, packed, 16);
			for (i = 0; i < 4; i++) {
				ids[i] = add_kind(&r, kinds[i], i);
				count[kinds[i]]++;
				if (kinds[i] == GOOD)
					good[nb_good++] = i;
			}
			for (give = 0; ; give++) {
				nb = r.nq->ops->take(r.nq, r.pool, pkts, VSTATE_BURST);
				assert_int_equal(nb, give == 0 ? nb_good : nb_good - (give - 1));
				for (i = 0; i < nb; i++)
					frame_check(pkts[i], good[nb_good - nb + i], 60);
				/* none the first time, then one after the other */
				r.nq->ops->give(r.nq, nb == 0 ? 0 : give == 0 ? 0 : 1);
				rte_pktmbuf_free_bulk(pkts, nb);
				if (nb == 0 || (give > 0 && nb == 1))
					break;
			}
			for (i = 0; i < 4; i++)
				expect_used(&r, ids[i]);
			expect_no_used(&r);
			assert_int_equal(r.nq->counters.packets, count[GOOD]);
			assert_int_equal(r.nq->counters.runt, count[RUNT] + count[EMPTY]);
			assert_int_equal(r.nq->counters.oversize, count[OVERSIZE]);
			assert_int_equal(r.nq->counters.bad_offload, count[BAD_OFFLOAD]);
			assert_int_equal(ring_mbufs_out(&r), 0);
			ring_close(&r);
		}
	}
}

static void
largest_frame_passes_and_one_byte_more_does_not(void **state)
{
	struct piece p = { RING_BUF_GPA, RING_HDR + VSTATE_MAX_FRAME };
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 16);
		frame_write(&r, 1, &p, 1);
		ring_add(&r, &p, 1, false);
		assert_int_equal(burst_check(&r, 32, 1, VSTATE_MAX_FRAME, 32), 1);
		p.len++;
		ring_add(&r, &p, 1, false);
		p.len--;
		assert_int_equal(burst_check(&r, 32, 1, VSTATE_MAX_FRAME, 32), 0);
		assert_int_equal(r.nq->counters.oversize, 1);
		ring_close(&r);
	}
}

static void
linear_queue_drops_what_needs_two_mbufs(void **state)
{
	const struct piece p = { RING_BUF_GPA, RING_HDR + 256 + 1 },
		fits = { RING_BUF_GPA, RING_HDR + 256 };
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 16);
		r.nq->linear = true;
		frame_write(&r, 1, &p, 1);
		ring_add(&r, &p, 1, false);
		ring_add(&r, &fits, 1, false);
		assert_int_equal(burst_check_same(&r, 32, 1, 256, 32), 1);
		assert_int_equal(r.nq->counters.oversize, 1);
		ring_close(&r);
	}
}

/* ---- mbufs run out ---- */

static void
frame_waits_for_mbufs_and_passes_with_the_last_ones(void **state)
{
	const struct piece p = { RING_BUF_GPA, RING_HDR + 600 };	/* three mbufs */
	struct rte_mbuf *hold[RING_POOL_MBUFS], *pkts[VSTATE_BURST];
	uint16_t i, got, left;
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		for (left = 0; left < 8; left++) {
			ring_open(&r, packed, 64);
			frame_write(&r, 1, &p, 1);
			for (i = 0; i < 32; i++)
				ring_add(&r, &p, 1, false);
			assert_int_equal(rte_pktmbuf_alloc_bulk(r.pool, hold,
					RING_POOL_MBUFS - left), 0);
			i = r.nq->ops->take(r.nq, r.pool, pkts, 32);
			/* at least one frame, if one can pass at all */
			assert_true(left < 3 ? i == 0 : i >= 1 && i <= left / 3);
			r.nq->ops->give(r.nq, i);
			if (i > 0)
				frame_check(pkts[0], 1, 600);
			rte_pktmbuf_free_bulk(pkts, i);
			assert_int_equal(ring_mbufs_out(&r), RING_POOL_MBUFS - left);
			assert_true(r.nq->counters.nombuf > 0);
			rte_pktmbuf_free_bulk(hold, RING_POOL_MBUFS - left);
			/* and all others when there are mbufs again, in several bursts */
			for (; i < 32; i += got) {
				got = burst_check_same(&r, 32, 1, 600, 32);
				assert_true(got > 0);
			}
			assert_int_equal(i, 32);
			ring_close(&r);
		}
	}
}

int
test_vstate_net_take(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(take_copies_frames_of_every_shape),
		cmocka_unit_test(take_reads_packed_tables_that_are_called_writable),
		cmocka_unit_test(take_reads_indirect_tables_that_cross_regions),
		cmocka_unit_test(take_follows_a_chain_into_an_indirect_table),
		cmocka_unit_test(take_uses_every_length_of_chain_that_a_ring_has),
		cmocka_unit_test(take_copies_frames_however_they_are_cut),
		cmocka_unit_test(split_frames_pass_at_all_65536_indices),
		cmocka_unit_test(packed_frames_pass_at_all_places_of_small_rings),
		cmocka_unit_test(packed_frames_pass_two_turns_of_the_largest_ring),
		cmocka_unit_test(full_ring_of_every_size_passes_and_then_is_empty),
		cmocka_unit_test(long_frame_before_short_ones_does_not_end_a_burst),
		cmocka_unit_test(frames_not_given_back_are_taken_again),
		cmocka_unit_test(frames_dropped_between_good_ones_are_used_and_counted),
		cmocka_unit_test(largest_frame_passes_and_one_byte_more_does_not),
		cmocka_unit_test(linear_queue_drops_what_needs_two_mbufs),
		cmocka_unit_test(frame_waits_for_mbufs_and_passes_with_the_last_ones),
	};

	return cmocka_run_group_tests_name("vstate_net_take", tests, NULL, NULL);
}

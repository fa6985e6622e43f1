/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file A hostile driver: every reason for which a queue is marked broken. */

#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_mbuf.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ring/vstate_fault.h"
#include "ring/vstate_vq.h"

#define SPLIT 1u
#define PACKED 2u
/* Packed, and only where the device writes. */
#define PACKED_RX 4u
#define BOTH (SPLIT | PACKED)

#define W VRING_DESC_F_WRITE
#define NEXT VRING_DESC_F_NEXT
#define IND VRING_DESC_F_INDIRECT

/* Each makes one bad buffer; @p w is VRING_DESC_F_WRITE where the device shall write. */

static void
avail_distance(struct ring *r, uint16_t w)
{
	uint16_t idx = r->vq->avail.idx + r->size + 1;

	guest_write(&r->guest, RING_DRIVER_GPA + 2, &idx, 2);
}

static void
head_range(struct ring *r, uint16_t w)
{
	uint16_t idx = r->vq->avail.idx + 1;

	guest_write(&r->guest, RING_DRIVER_GPA + 4 + 2 * (r->vq->avail.idx % r->size), &r->size, 2);
	guest_write(&r->guest, RING_DRIVER_GPA + 2, &idx, 2);
}

static void
next_range(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_BUF_GPA, 4, NEXT | w, r->size);
}

static void
next_range_in_table(struct ring *r, uint16_t w)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_BUF_GPA, 4, NEXT | w, 1);
	ring_add_raw(r, RING_TABLE_GPA, 16, IND, 0);
}

/* A table of two whose first entry names one behind it. */
static void
next_range_behind_table(struct ring *r, uint16_t w)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_BUF_GPA, 4, NEXT | w, 7);
	ring_desc_write(r, RING_TABLE_GPA + 16, RING_BUF_GPA, 4, w, 0);
	ring_add_raw(r, RING_TABLE_GPA, 32, IND, 0);
}

static void
chain_loops(struct ring *r, uint16_t w)
{
	uint16_t i;

	if (!r->packed) {
		ring_add_raw(r, RING_BUF_GPA, 0, NEXT | w, r->free_desc);
		return;
	}
	for (i = 0; i < r->size; i++)
		ring_add_raw(r, RING_BUF_GPA, 0, NEXT | w, 0);
}

static void
chain_loops_in_table(struct ring *r, uint16_t w)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_BUF_GPA, 0, NEXT | w, 1);
	ring_desc_write(r, RING_TABLE_GPA + 16, RING_BUF_GPA, 0, NEXT | w, 0);
	ring_add_raw(r, RING_TABLE_GPA, 32, IND, 0);
}

static void
direction_of_first(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_BUF_GPA, 600, w ^ W, 0);
}

static void
direction_of_second(struct ring *r, uint16_t w)
{
	const struct piece p[] = { { RING_BUF_GPA, 12 }, { RING_BUF_GPA + 16, 600 } };
	uint16_t at = r->packed ? (r->next.idx + 1) % r->size : (r->free_desc + 1) % r->size;
	uint64_t flags = RING_DESC_GPA + 16 * at + (r->packed ? 14 : 12);

	ring_add(r, p, 2, w != 0);
	*guest_at(&r->guest, flags) ^= W;
}

static void
direction_in_table(struct ring *r, uint16_t w)
{
	const struct piece p[] = { { RING_BUF_GPA, 600 } };

	ring_add_indirect(r, p, 1, w == 0);
}

static void
shorter_than_header(struct ring *r, uint16_t w)
{
	const struct piece p[] = { { RING_BUF_GPA, 5 }, { RING_BUF_GPA + 16, 6 } };

	ring_add(r, p, 2, w != 0);
}

static void
descriptor_is_empty(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_BUF_GPA, 0, w, 0);
}

static void
indirect_not_negotiated(struct ring *r, uint16_t w)
{
	const struct piece p[] = { { RING_BUF_GPA, 600 } };

	r->vq->indirect = false;
	ring_add_indirect(r, p, 1, w != 0);
}

static void
table_in_table(struct ring *r, uint16_t w)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_TABLE_GPA, 16, IND | w, 0);
	ring_add_raw(r, RING_TABLE_GPA, 16, IND, 0);
}

static void
indirect_and_next(struct ring *r, uint16_t w)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_BUF_GPA, 600, w, 0);
	ring_add_raw(r, RING_TABLE_GPA, 16, IND | NEXT, 0);
}

static void
indirect_behind_packed_chain(struct ring *r, uint16_t w)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_BUF_GPA, 600, w, 0);
	ring_add_raw(r, RING_BUF_GPA, 4, NEXT | w, 0);
	ring_add_raw(r, RING_TABLE_GPA, 16, IND, 0);
}

static void
table_empty(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_TABLE_GPA, 0, IND, 0);
}

static void
table_of_odd_length(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_TABLE_GPA, 17, IND, 0);
}

static void
table_too_long(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_TABLE_GPA, 16 * 32769, IND, 0);
}

static void
table_of_length_that_wraps_to_one(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_TABLE_GPA, 16 * 65537, IND, 0);
}

static void
buffer_nowhere(struct ring *r, uint16_t w)
{
	ring_add_raw(r, 0xdead0000, 600, w, 0);
}

static void
buffer_past_the_end(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_BUF_END - 599, 600, w, 0);
}

static void
header_past_the_end(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_BUF_END - 11, 600, w, 0);
}

static void
buffer_that_wraps(struct ring *r, uint16_t w)
{
	ring_add_raw(r, UINT64_MAX - 100, 600, w, 0);
}

static void
table_nowhere(struct ring *r, uint16_t w)
{
	ring_add_raw(r, 0xdead0000, 32, IND, 0);
}

static void
table_past_the_end(struct ring *r, uint16_t w)
{
	ring_add_raw(r, RING_BUF_END - 15, 16, IND, 0);
}

static void
table_that_wraps(struct ring *r, uint16_t w)
{
	ring_add_raw(r, UINT64_MAX - 15, 32, IND, 0);
}

static const struct attack {
	const char *name;
	enum vstate_fault fault;
	unsigned int layouts;
	void (*make)(struct ring *r, uint16_t w);
} attacks[] = {
#define ATTACK(fault, layouts, make) { #make, VSTATE_FAULT_##fault, layouts, make }
	ATTACK(AVAIL_DISTANCE, SPLIT, avail_distance),
	ATTACK(HEAD_RANGE, SPLIT, head_range),
	ATTACK(NEXT_RANGE, SPLIT, next_range),
	ATTACK(NEXT_RANGE, SPLIT, next_range_behind_table),
	ATTACK(CHAIN_LENGTH, SPLIT, next_range_in_table),
	ATTACK(CHAIN_LENGTH, BOTH, chain_loops),
	ATTACK(CHAIN_LENGTH, SPLIT, chain_loops_in_table),
	ATTACK(CHAIN_DIRECTION, BOTH, direction_of_first),
	ATTACK(CHAIN_DIRECTION, BOTH, direction_of_second),
	ATTACK(CHAIN_DIRECTION, SPLIT | PACKED_RX, direction_in_table),
	ATTACK(CHAIN_SHORT, BOTH, shorter_than_header),
	ATTACK(CHAIN_SHORT, BOTH, descriptor_is_empty),
	ATTACK(INDIRECT_FEATURE, BOTH, indirect_not_negotiated),
	ATTACK(INDIRECT_NESTED, BOTH, table_in_table),
	ATTACK(INDIRECT_NEXT, BOTH, indirect_and_next),
	ATTACK(INDIRECT_NEXT, PACKED, indirect_behind_packed_chain),
	ATTACK(INDIRECT_LENGTH, BOTH, table_empty),
	ATTACK(INDIRECT_LENGTH, BOTH, table_of_odd_length),
	ATTACK(INDIRECT_LENGTH, BOTH, table_too_long),
	ATTACK(INDIRECT_LENGTH, BOTH, table_of_length_that_wraps_to_one),
	ATTACK(ADDRESS, BOTH, buffer_nowhere),
	ATTACK(ADDRESS, BOTH, buffer_past_the_end),
	ATTACK(ADDRESS, BOTH, header_past_the_end),
	ATTACK(ADDRESS, BOTH, buffer_that_wraps),
	ATTACK(ADDRESS, BOTH, table_nowhere),
	ATTACK(ADDRESS, BOTH, table_past_the_end),
	ATTACK(ADDRESS, BOTH, table_that_wraps),
#undef ATTACK
};

static void
expect_broken(struct ring *r, const struct attack *a)
{
	if (r->vq->fault != a->fault)
		fail_msg("%s, %s: %s instead of %s", a->name, r->packed ? "packed" : "split",
				vstate_fault_name(r->vq->fault), vstate_fault_name(a->fault));
	assert_int_equal(ring_mbufs_out(r), 0);
	assert_int_equal(r->vq->avail.idx, r->vq->used.idx);
	assert_int_equal(r->vq->avail.wrap, r->vq->used.wrap);
	assert_int_equal(r->vq->nb_shadow, 0);
}

/* A good frame, then the attack: the good one passes, and then nothing more. */
static void
attack_take(bool packed, const struct attack *a)
{
	const struct piece good = { RING_BUF_GPA + 4096, RING_HDR + 60 };
	struct rte_mbuf *pkts[VSTATE_BURST];
	struct ring r;
	uint16_t id, n;
	uint32_t len;
	int again;

	ring_open(&r, packed, 16);
	memset(guest_at(&r.guest, good.gpa), 0, good.len);
	id = ring_add(&r, &good, 1, false);
	/* the bad buffer comes once the good one is through, but for the test of a burst */
	n = r.nq->ops->take(r.nq, r.pool, pkts, VSTATE_BURST);
	assert_int_equal(n, 1);
	r.nq->ops->give(r.nq, n);
	rte_pktmbuf_free_bulk(pkts, n);
	assert_true(ring_get_used(&r, &id, &len));

	a->make(&r, 0);
	guest_snapshot(&r.guest);
	for (again = 0; again < 2; again++) {
		n = r.nq->ops->take(r.nq, r.pool, pkts, VSTATE_BURST);
		assert_int_equal(n, 0);
		r.nq->ops->give(r.nq, 0);
		expect_broken(&r, a);
	}
	guest_assert_unchanged(&r.guest);
	assert_false(ring_get_used(&r, &id, &len));
	ring_close(&r);
}

static void
every_fault_breaks_a_queue_that_sends(void **state)
{
	size_t i;

	for (i = 0; i < RTE_DIM(attacks); i++) {
		if (attacks[i].layouts & SPLIT)
			attack_take(false, &attacks[i]);
		if (attacks[i].layouts & PACKED)
			attack_take(true, &attacks[i]);
	}
}

static struct rte_mbuf *
frame_make(struct ring *r, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool), *seg;

	assert_non_null(m);
	m->data_len = m->pkt_len = RTE_MIN(len, 256u);
	while (m->pkt_len < len) {
		seg = rte_pktmbuf_alloc(r->pool);
		assert_non_null(seg);
		seg->data_len = seg->pkt_len = RTE_MIN(len - m->pkt_len, 256u);
		assert_int_equal(rte_pktmbuf_chain(m, seg), 0);
	}
	return m;
}

static void
attack_put(bool packed, const struct attack *a)
{
	const struct piece good = { RING_BUF_GPA + 4096, 100 };
	uint16_t id, nb = 0, i;
	struct rte_mbuf *m;
	struct ring r;
	uint32_t len;

	ring_open(&r, packed, 16);
	m = frame_make(&r, 60);
	id = ring_add(&r, &good, 1, true);
	assert_int_equal(vq_put(r.nq, &m, 1), 1);
	rte_pktmbuf_free(m);
	assert_true(ring_get_used(&r, &id, &len));

	a->make(&r, W);
	guest_snapshot(&r.guest);
	m = frame_make(&r, 588);
	for (i = 0; i < 2; i++)
		nb += vq_put(r.nq, &m, 1);
	rte_pktmbuf_free(m);
	assert_int_equal(nb, 0);
	expect_broken(&r, a);
	assert_false(ring_get_used(&r, &id, &len));
	/* buffers may hold a part of the frame, and nothing else may have changed */
	guest_allow(&r.guest, RING_BUF_GPA, 600);
	guest_allow(&r.guest, RING_BUF_END - 600, 600);
	guest_assert_unchanged(&r.guest);
	ring_close(&r);
}

static void
every_fault_breaks_a_queue_that_receives(void **state)
{
	size_t i;

	for (i = 0; i < RTE_DIM(attacks); i++) {
		if (attacks[i].layouts & SPLIT)
			attack_put(false, &attacks[i]);
		if (attacks[i].layouts & (PACKED | PACKED_RX))
			attack_put(true, &attacks[i]);
	}
}

static void
no_fault_is_without_an_attack(void **state)
{
	int fault;
	size_t i;

	for (fault = VSTATE_FAULT_NONE + 1; fault < VSTATE_FAULT_MAX; fault++) {
		/* see the tests mem_guard, notify, request_hostile, blk, blk_stop */
		if (fault == VSTATE_FAULT_MEMORY_LOST || fault == VSTATE_FAULT_CALL_BLOCKS ||
				fault == VSTATE_FAULT_CHAIN_PIECES ||
				fault == VSTATE_FAULT_IN_FLIGHT ||
				fault == VSTATE_FAULT_REQUESTS_UNKNOWN)
			continue;
		for (i = 0; i < RTE_DIM(attacks) && (int)attacks[i].fault != fault; i++)
			;
		if (i == RTE_DIM(attacks))
			fail_msg("nothing provokes %s", vstate_fault_name(fault));
	}
}

static void
good_frames_before_a_bad_buffer_pass(void **state)
{
	const struct piece good = { RING_BUF_GPA + 4096, RING_HDR + 60 };
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t ids[3], i, id;
	struct ring r;
	uint32_t len;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 16);
		memset(guest_at(&r.guest, good.gpa), 0, good.len);
		for (i = 0; i < 3; i++)
			ids[i] = ring_add(&r, &good, 1, false);
		buffer_nowhere(&r, 0);
		assert_int_equal(r.nq->ops->take(r.nq, r.pool, pkts, VSTATE_BURST), 3);
		r.nq->ops->give(r.nq, 3);
		rte_pktmbuf_free_bulk(pkts, 3);
		for (i = 0; i < 3; i++) {
			assert_true(ring_get_used(&r, &id, &len));
			assert_int_equal(id, ids[i]);
		}
		assert_false(ring_get_used(&r, &id, &len));
		assert_int_equal(r.vq->fault, VSTATE_FAULT_ADDRESS);
		assert_int_equal(ring_mbufs_out(&r), 0);
		ring_close(&r);
	}
}

/* Noise for whole rings: nothing but that it ends, inside the guest's memory. */
static void
random_rings_end_without_harm(void **state)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	unsigned int round, i;
	struct ring r;
	uint16_t n;

	srandom(3);
	for (round = 0; round < 20000; round++) {
		if (round % 100 == 0)
			ring_open(&r, round / 100 % 2, 32);
		ring_seek(&r, random() % 32, round & 1 & r.packed);
		for (i = 0; i < 16u * r.size; i++)
			*guest_at(&r.guest, RING_DESC_GPA + i) = random();
		for (i = 0; i < r.size; i++) {
			/* addresses and lengths that often are good, small tables too */
			static const uint64_t at[] = { RING_BUF_GPA, RING_BUF_BORDER - 40,
				RING_BUF_END - 40, RING_TABLE_GPA, RING_DESC_GPA, UINT64_MAX - 40 };
			uint16_t flags = random() % 8 == 0 ? random() : random() % 8;

			if (r.packed)
				flags = (flags & 7) | (1 << 7);
			ring_desc_write(&r, RING_DESC_GPA + 16 * i, at[random() % 6] +
					random() % 80, random() % 4 == 0 ? random() :
					random() % 8 * 16, flags, random() % 36);
			if (!r.packed)
				*guest_at(&r.guest, RING_DRIVER_GPA + 4 + 2 * i) = random() % 33;
		}
		if (!r.packed) {
			for (i = 0; i < r.size; i++)
				*guest_at(&r.guest, RING_DRIVER_GPA + 5 + 2 * i) = 0;
			n = r.vq->avail.idx + random() % 32;
			guest_write(&r.guest, RING_DRIVER_GPA + 2, &n, 2);
		}
		if (random() % 2) {
			n = r.nq->ops->take(r.nq, r.pool, pkts, 1 + random() % VSTATE_BURST);
			r.nq->ops->give(r.nq, n > 0 ? random() % (n + 1) : 0);
			rte_pktmbuf_free_bulk(pkts, n);
		} else {
			pkts[0] = frame_make(&r, 60 + random() % 500);
			pkts[1] = frame_make(&r, 60 + random() % 100);
			vq_put(r.nq, pkts, 2);
			rte_pktmbuf_free_bulk(pkts, 2);
		}
		assert_int_equal(ring_mbufs_out(&r), 0);
		assert_int_equal(r.vq->avail.idx, r.vq->used.idx);
		if (round % 100 == 99)
			ring_close(&r);
	}
}

int
test_vstate_fault(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_breaks_a_queue_that_sends),
		cmocka_unit_test(every_fault_breaks_a_queue_that_receives),
		cmocka_unit_test(no_fault_is_without_an_attack),
		cmocka_unit_test(good_frames_before_a_bad_buffer_pass),
		cmocka_unit_test(random_rings_end_without_harm),
	};

	return cmocka_run_group_tests_name("vstate_fault", tests, NULL, NULL);
}

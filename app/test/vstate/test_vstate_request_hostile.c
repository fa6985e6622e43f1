/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Requests of a hostile driver: a fault breaks the queue, and popped requests complete. */

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>

#include "ut_groups.h"
#include "ut_request.h"
#include "ut_ring.h"
#include "ring/vstate_fault.h"
#include "ring/vstate_request.h"

#define SIZE 32
#define PIECES 16
#define W VRING_DESC_F_WRITE
#define NEXT VRING_DESC_F_NEXT
#define IND VRING_DESC_F_INDIRECT

static void
bad_turned(struct ring *r)
{
	if (r->packed) {
		ring_add_raw(r, RING_BUF_GPA, 4, W | NEXT, 0);
		ring_add_raw(r, RING_BUF_GPA, 4, 0, 0);
		return;
	}
	ring_desc_write(r, RING_DESC_GPA + 16 * (r->free_desc + 1), RING_BUF_GPA, 4, 0, 0);
	ring_add_raw(r, RING_BUF_GPA, 4, W | NEXT, r->free_desc + 1);
}

static void
bad_turned_in_table(struct ring *r)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_BUF_GPA, 4, W | NEXT, 1);
	ring_desc_write(r, RING_TABLE_GPA + 16, RING_BUF_GPA, 4, 0, 0);
	ring_add_raw(r, RING_TABLE_GPA, 32, IND, 0);
}

static void
bad_readable_address(struct ring *r)
{
	ring_add_raw(r, RING_BUF_END - 4, 5, 0, 0);
}

static void
bad_writable_address(struct ring *r)
{
	const struct piece p[] = { { RING_BUF_GPA, 5 }, { UINT64_MAX - 3, 8 } };

	ring_add_mixed(r, p, 1, 2);
}

static void
bad_pieces(struct ring *r)
{
	struct piece p[PIECES + 1];
	unsigned int i;

	for (i = 0; i <= PIECES; i++)
		p[i] = (struct piece){ RING_BUF_GPA + i, 1 };
	ring_add_mixed_indirect(r, p, i / 2, i);
}

/* As many descriptors as pieces are allowed, and one of them in two regions. */
static void
bad_pieces_by_regions(struct ring *r)
{
	struct piece p[PIECES];
	unsigned int i;

	for (i = 0; i < PIECES; i++)
		p[i] = (struct piece){ RING_BUF_BORDER - 2, i == 0 ? 4 : 1 };
	ring_add_mixed_indirect(r, p, 0, i);
}

static void
bad_loop(struct ring *r)
{
	unsigned int i;

	if (!r->packed)
		ring_add_raw(r, RING_BUF_GPA, 0, NEXT, r->free_desc);
	for (i = 0; r->packed && i < r->size; i++)
		ring_add_raw(r, RING_BUF_GPA, 0, NEXT, 0);
}

static void
bad_table_in_table(struct ring *r)
{
	ring_desc_write(r, RING_TABLE_GPA, RING_TABLE_GPA, 16, IND, 0);
	ring_add_raw(r, RING_TABLE_GPA, 16, IND, 0);
}

static void
bad_table_length(struct ring *r)
{
	ring_add_raw(r, RING_TABLE_GPA, 17, IND, 0);
}

static void
bad_distance(struct ring *r)
{
	uint16_t idx = r->vq->used.idx + r->size + 1;

	guest_write(&r->guest, RING_DRIVER_GPA + 2, &idx, 2);
}

static void
bad_head(struct ring *r)
{
	uint16_t idx = r->next.idx + 1;

	guest_write(&r->guest, RING_DRIVER_GPA + 4 + 2 * (r->next.idx % r->size), &r->size, 2);
	guest_write(&r->guest, RING_DRIVER_GPA + 2, &idx, 2);
}

static const struct {
	const char *name;
	void (*add)(struct ring *r);
	enum vstate_fault fault;
	bool split_only;
} attacks[] = {
#define ATTACK(fault, add, ...) { #add, add, VSTATE_FAULT_##fault, ##__VA_ARGS__ }
	ATTACK(CHAIN_DIRECTION, bad_turned),
	ATTACK(CHAIN_DIRECTION, bad_turned_in_table),
	ATTACK(ADDRESS, bad_readable_address),
	ATTACK(ADDRESS, bad_writable_address),
	ATTACK(CHAIN_PIECES, bad_pieces),
	ATTACK(CHAIN_PIECES, bad_pieces_by_regions),
	ATTACK(CHAIN_LENGTH, bad_loop),
	ATTACK(INDIRECT_NESTED, bad_table_in_table),
	ATTACK(INDIRECT_LENGTH, bad_table_length),
	ATTACK(AVAIL_DISTANCE, bad_distance, true),
	ATTACK(HEAD_RANGE, bad_head, true),
#undef ATTACK
};

/* One good request is submitted; the attack is the next. */
static void
attack_run(struct ring *r, unsigned int i)
{
	const struct piece good[] = { { RING_BUF_GPA, 8 }, { RING_BUF_GPA + 8, 8 } };
	struct vstate_request *req = request_new(PIECES), *bad = request_new(PIECES);
	uint32_t len, before;
	uint16_t id;

	ring_add_mixed(r, good, 1, 2);
	assert_int_equal(vstate_request_pop(r->vq, req), 0);
	before = request_submitted_count(r);
	attacks[i].add(r);
	assert_int_equal(vstate_request_pop(r->vq, bad), -EIO);
	assert_string_equal(vstate_fault_name(r->vq->fault), vstate_fault_name(attacks[i].fault));
	assert_int_equal(vstate_request_pop(r->vq, bad), -EIO);
	assert_int_equal(request_submitted_count(r), before);
	/* what was submitted before can be finished */
	vstate_request_push(r->vq, req, 8);
	vstate_request_publish(r->vq);
	assert_true(ring_get_used(r, &id, &len));
	assert_int_equal(id, req->id);
	assert_false(ring_get_used(r, &id, &len));
	assert_int_equal(request_submitted_count(r), 0);
	free(req);
	free(bad);
}

static void
hostile_chains_break_the_queue_by_name(void **state)
{
	unsigned int i, packed;
	struct ring r;

	for (i = 0; i < RTE_DIM(attacks); i++) {
		for (packed = 0; packed < (attacks[i].split_only ? 1u : 2u); packed++) {
			print_message("# %s, %s\n", attacks[i].name, packed ? "packed" : "split");
			request_ring_open(&r, packed, SIZE);
			attack_run(&r, i);
			request_ring_close(&r);
		}
	}
}

#define EMPTY_DESCS 20000

static void
empty_chains(struct ring *r)
{
	struct vstate_request *req = request_new(PIECES);
	static struct piece p[EMPTY_DESCS];
	unsigned int i;

	for (i = 0; i < EMPTY_DESCS; i++)
		p[i].gpa = RING_BUF_GPA;
	ring_add_mixed_indirect(r, p, 1, EMPTY_DESCS);
	ring_add_mixed(r, p, 1, 1);
	assert_int_equal(vstate_request_pop(r->vq, req), 0);
	assert_int_equal(req->nb_readable + req->nb_writable, 0);
	assert_int_equal(vstate_request_pop(r->vq, req), -EAGAIN);
	vstate_request_publish(r->vq);
	assert_int_equal(vstate_request_pop(r->vq, req), 0);
	free(req);
}

static void
long_chains_end_the_burst(void **state)
{
	request_each_layout(empty_chains, SIZE);
}

int
test_vstate_request_hostile(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_chains_break_the_queue_by_name),
		cmocka_unit_test(long_chains_end_the_burst),
	};

	return cmocka_run_group_tests_name("vstate_request_hostile", tests, NULL, NULL);
}

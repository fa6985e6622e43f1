/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Requests: popped as pieces, pushed in any order, published. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "ut_groups.h"
#include "ut_request.h"
#include "ut_ring.h"
#include "ring/vstate_request.h"

#define SIZE 32
#define PIECES 16

/* ---- one request ---- */

static void
pieces_are_those_of_the_parts(struct ring *r)
{
	const struct piece p[] = {
		{ RING_BUF_GPA, 16 }, { RING_BUF_GPA + 100, 0 }, { RING_BUF_BORDER - 6, 10 },
		{ RING_BUF_GPA + 200, 512 }, { RING_BUF_GPA + 900, 1 },
	};
	struct vstate_request *req = request_new(PIECES);
	unsigned int form;
	uint16_t id;

	for (form = 0; form < 2; form++) {
		id = form == 0 ? ring_add_mixed(r, p, 3, 5) : ring_add_mixed_indirect(r, p, 3, 5);
		assert_int_equal(vstate_request_pop(r->vq, req), 0);
		assert_int_equal(req->id, id);
		assert_int_equal(req->num, r->packed && form == 0 ? 5 : 1);
		/* the empty one is left out, and the one over a border is two */
		assert_int_equal(req->nb_readable, 3);
		assert_int_equal(req->readable_bytes, 26);
		assert_ptr_equal(req->pieces[0].iov_base, guest_at(&r->guest, RING_BUF_GPA));
		assert_int_equal(req->pieces[0].iov_len, 16);
		assert_ptr_equal(req->pieces[1].iov_base, guest_at(&r->guest, RING_BUF_BORDER - 6));
		assert_int_equal(req->pieces[1].iov_len, 6);
		assert_ptr_equal(req->pieces[2].iov_base, guest_at(&r->guest, RING_BUF_BORDER));
		assert_int_equal(req->pieces[2].iov_len, 4);
		assert_int_equal(req->nb_writable, 2);
		assert_int_equal(req->writable_bytes, 513);
		assert_ptr_equal(req->pieces[4].iov_base, guest_at(&r->guest, RING_BUF_GPA + 900));
		assert_int_equal(vstate_request_pop(r->vq, req), -EAGAIN);
	}
	free(req);
}

static void
pop_gives_the_pieces_of_both_parts(void **state)
{
	request_each_layout(pieces_are_those_of_the_parts, SIZE);
}

static void
pushes_show_at_publish(struct ring *r)
{
	const struct piece p[] = { { RING_BUF_GPA, 16 }, { RING_BUF_GPA + 100, 8 } };
	struct vstate_request *req = request_new(PIECES);
	uint32_t len;
	uint16_t id;

	ring_add_mixed(r, p, 1, 2);
	assert_int_equal(vstate_request_pop(r->vq, req), 0);
	vstate_request_publish(r->vq);
	assert_int_equal(ring_calls(r), 0);
	vstate_request_push(r->vq, req, 8);
	assert_false(ring_get_used(r, &id, &len));
	vstate_request_publish(r->vq);
	assert_true(ring_get_used(r, &id, &len));
	assert_int_equal(id, req->id);
	assert_int_equal(len, 8);
	assert_int_equal(ring_calls(r), 1);
	assert_int_equal(request_submitted_count(r), 0);
	assert_true(vstate_vq_is_empty(r->vq));
	ring_add_mixed(r, p, 1, 2);
	assert_false(vstate_vq_is_empty(r->vq));
	free(req);
}

static void
driver_sees_nothing_before_publish(void **state)
{
	request_each_layout(pushes_show_at_publish, SIZE);
}

static void
written_is_logged(struct ring *r)
{
	/* two pages, and one behind the border of two regions */
	const struct piece p[] = { { RING_BUF_BORDER - 2 * 4096, 3 * 4096 } };
	struct vstate_request *req = request_new(PIECES);
	static uint8_t log[RING_LOG_SIZE];
	const uint64_t page = (RING_BUF_BORDER >> 12) - 2;
	static const struct {
		uint32_t written;
		unsigned int pages;
	} cases[] = { { 0, 0 }, { 1, 1 }, { 4096, 1 }, { 4097, 2 }, { 8193, 3 }, { 12288, 3 } };
	unsigned int i, k;

	r->vq->dirty.base = log;
	r->vq->dirty.size = sizeof(log);
	for (i = 0; i < RTE_DIM(cases); i++) {
		memset(log, 0, sizeof(log));
		ring_add_mixed(r, p, 0, 1);
		assert_int_equal(vstate_request_pop(r->vq, req), 0);
		vstate_request_push(r->vq, req, cases[i].written);
		vstate_request_publish(r->vq);
		for (k = 0; k < 3; k++)
			assert_int_equal(!!(log[(page + k) / 8] & 1 << (page + k) % 8),
					k < cases[i].pages);
	}
	free(req);
}

static void
push_logs_what_was_written_and_no_more(void **state)
{
	request_each_layout(written_is_logged, SIZE);
}

/* ---- many requests ---- */

enum order { IN_ORDER, REVERSE, RANDOM, NB_ORDERS };

/* Of which of @p n requests is next. */
static unsigned int
order_pick(enum order order, unsigned int n)
{
	return order == IN_ORDER ? 0 : order == REVERSE ? n - 1 : (unsigned int)random() % n;
}

/* Bytes of guest memory of one request: a readable and a writable half. */
#define SLOT 1024
/* One slot lies over the border of two regions. */
#define SLOTS_GPA (RING_BUF_BORDER - 8 * SLOT - SLOT / 2)

/* A driver and a device, and what each expects of the other. */
struct world {
	struct ring *r;
	enum order order;
	/** Of a slot, while the driver has it in the ring. */
	struct {
		bool busy;
		uint16_t id;
		uint32_t in, out, written;
		uint8_t fill;
	} slots[SIZE];
	/** Popped and not pushed, in the order of the ring. */
	struct {
		struct vstate_request *req;
		unsigned int slot;
	} held[SIZE];
	unsigned int nb_held;
	/** Slots in the order in which they were made available, and in which they were pushed. */
	unsigned int added[2 * SIZE], nb_added, pushed[2 * SIZE], nb_pushed;
	/** Descriptors in the ring that the driver has not got back. */
	unsigned int nb_descs;
	uint16_t num[SIZE];
	uint8_t log[RING_LOG_SIZE];
};

static uint16_t
slot_pieces(struct piece *p, uint64_t gpa, uint32_t len)
{
	uint16_t n = 0;

	/* of up to three descriptors, as far as there are bytes */
	while (len > 0) {
		uint32_t part = n == 2 ? len : 1 + (uint32_t)random() % len;

		p[n++] = (struct piece){ gpa, part };
		gpa += part;
		len -= part;
	}
	return n;
}

/* Make requests available as long as there is room, or at random not. */
static void
driver_adds(struct world *w)
{
	struct ring *r = w->r;
	struct piece p[6];
	unsigned int s;

	for (s = 0; s < SIZE && random() % 16 != 0; s++) {
		uint64_t gpa = SLOTS_GPA + s * SLOT;
		uint16_t nb_in, n, i;
		bool indirect = random() % 3 == 0;

		if (w->slots[s].busy)
			continue;
		w->slots[s].in = random() % (SLOT / 2);
		w->slots[s].out = random() % (SLOT / 2);
		w->slots[s].fill = random();
		nb_in = slot_pieces(p, gpa, w->slots[s].in);
		n = nb_in + slot_pieces(p + nb_in, gpa + SLOT / 2, w->slots[s].out);
		if (n == 0)
			continue;
		w->num[s] = indirect ? 1 : n;
		if (w->nb_descs + w->num[s] > r->size)
			return;
		for (i = 0; i < w->slots[s].in; i++)
			*guest_at(&r->guest, gpa + i) = w->slots[s].fill + i;
		r->table = RING_TABLE_GPA + s * 128;
		w->slots[s].id = indirect ? ring_add_mixed_indirect(r, p, nb_in, n) :
			ring_add_mixed(r, p, nb_in, n);
		w->slots[s].busy = true;
		w->nb_descs += w->num[s];
		w->added[w->nb_added++] = s;
	}
}

static void
device_reads(struct world *w, const struct vstate_request *req, unsigned int s)
{
	uint32_t at = 0;
	uint16_t i, k;

	for (i = 0; i < req->nb_readable; i++) {
		const uint8_t *p = req->pieces[i].iov_base;

		for (k = 0; k < req->pieces[i].iov_len; k++)
			assert_int_equal(p[k], (uint8_t)(w->slots[s].fill + at++));
	}
	assert_int_equal(at, w->slots[s].in);
	assert_int_equal(req->readable_bytes, at);
	assert_int_equal(req->writable_bytes, w->slots[s].out);
}

static void
device_writes(struct world *w, const struct vstate_request *req, unsigned int s)
{
	uint32_t left = w->slots[s].written, at = 0, k;
	uint16_t i;

	for (i = 0; left > 0; i++) {
		const struct iovec *piece = &req->pieces[req->nb_readable + i];
		uint8_t *p = piece->iov_base;

		for (k = 0; k < piece->iov_len && left > 0; k++, left--)
			p[k] = ~(w->slots[s].fill + at++);
	}
}

static void
device_pops(struct world *w)
{
	struct vstate_request *req;
	unsigned int n = random() % SIZE;

	while (w->nb_added > 0 && n-- > 0) {
		unsigned int s = w->added[0];

		req = request_new(PIECES);
		assert_int_equal(vstate_request_pop(w->r->vq, req), 0);
		memmove(w->added, w->added + 1, --w->nb_added * sizeof(w->added[0]));
		assert_int_equal(req->id, w->slots[s].id);
		assert_int_equal(req->num, w->r->packed ? w->num[s] : 1);
		device_reads(w, req, s);
		w->held[w->nb_held].req = req;
		w->held[w->nb_held++].slot = s;
	}
}

static void
device_pushes(struct world *w)
{
	unsigned int n = random() % SIZE;

	while (w->nb_held > 0 && n-- > 0) {
		unsigned int i = order_pick(w->order, w->nb_held), s = w->held[i].slot;

		w->slots[s].written = random() % 4 == 0 ? 0 :
			random() % (w->slots[s].out + 1);
		device_writes(w, w->held[i].req, s);
		vstate_request_push(w->r->vq, w->held[i].req, w->slots[s].written);
		free(w->held[i].req);
		memmove(&w->held[i], &w->held[i + 1], (--w->nb_held - i) * sizeof(w->held[0]));
		w->pushed[w->nb_pushed++] = s;
	}
}

/* The driver gets what was pushed, in that order, each once. */
static void
driver_collects(struct world *w)
{
	struct ring *r = w->r;
	unsigned int i;
	uint32_t len, k;
	uint16_t id;

	for (i = 0; ring_get_used(r, &id, &len); i++) {
		unsigned int s;

		assert_true(i < w->nb_pushed);
		s = w->pushed[i];
		assert_int_equal(id, w->slots[s].id);
		assert_int_equal(len, w->slots[s].written);
		for (k = 0; k < len; k++)
			assert_int_equal(*guest_at(&r->guest, SLOTS_GPA + s * SLOT + SLOT / 2 + k),
					(uint8_t)~(w->slots[s].fill + k));
		w->slots[s].busy = false;
		w->nb_descs -= w->num[s];
	}
	assert_int_equal(i, w->nb_pushed);
	w->nb_pushed = 0;
}

/* What a stop would find: positions as far apart as what is submitted. */
static void
positions_check(const struct world *w)
{
	uint32_t descs = 0;
	unsigned int i;

	for (i = 0; i < w->nb_held; i++)
		descs += w->r->packed ? w->num[w->held[i].slot] : 1;
	assert_int_equal(request_submitted_count(w->r), descs);
	assert_int_equal(w->r->vq->nb_shadow, 0);
	assert_int_equal(w->r->vq->fault, VSTATE_FAULT_NONE);
}

static void
world_run(struct ring *r, enum order order)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned int i;

	assert_non_null(w);
	w->r = r;
	w->order = order;
	r->vq->dirty.base = w->log;
	r->vq->dirty.size = sizeof(w->log);
	/* split indices wrap on the way */
	ring_seek(r, r->packed ? 0 : UINT16_MAX - 200, r->packed);
	for (i = 0; i < 400; i++) {
		driver_adds(w);
		guest_snapshot(&r->guest);
		memset(w->log, 0, sizeof(w->log));
		device_pops(w);
		device_pushes(w);
		vstate_request_publish(r->vq);
		guest_assert_logged(&r->guest, w->log, sizeof(w->log));
		positions_check(w);
		driver_collects(w);
	}
	for (i = 0; i < w->nb_held; i++)
		free(w->held[i].req);
	free(w);
}

static void
requests_in_order(struct ring *r)
{
	world_run(r, IN_ORDER);
}

static void
requests_in_reverse(struct ring *r)
{
	world_run(r, REVERSE);
}

static void
requests_at_random(struct ring *r)
{
	world_run(r, RANDOM);
}

static void
requests_pushed_in_order_return_once(void **state)
{
	srandom(1);
	request_each_layout(requests_in_order, SIZE);
}

static void
requests_pushed_in_reverse_return_once(void **state)
{
	srandom(2);
	request_each_layout(requests_in_reverse, SIZE);
}

static void
requests_pushed_at_random_return_once(void **state)
{
	srandom(3);
	request_each_layout(requests_at_random, SIZE);
	/* any size is allowed to a packed ring */
	srandom(4);
	struct ring r;

	request_ring_open(&r, true, 23);
	world_run(&r, RANDOM);
	request_ring_close(&r);
}

static void
full_ring(struct ring *r)
{
	const struct piece p[] = { { RING_BUF_GPA, 16 } };
	struct vstate_request *reqs[SIZE], *more = request_new(PIECES);
	unsigned int i, turn;
	uint32_t len;
	uint16_t id;

	for (i = 0; i < SIZE; i++) {
		ring_add_mixed(r, p, 1, 1);
		reqs[i] = request_new(PIECES);
		assert_int_equal(vstate_request_pop(r->vq, reqs[i]), 0);
	}
	for (turn = 0; turn < 3 * SIZE; turn++) {
		assert_int_equal(vstate_request_pop(r->vq, more), -EAGAIN);
		assert_int_equal(request_submitted_count(r), SIZE);
		i = 7 * turn % SIZE;
		vstate_request_push(r->vq, reqs[i], 0);
		vstate_request_publish(r->vq);
		assert_true(ring_get_used(r, &id, &len));
		assert_int_equal(id, reqs[i]->id);
		assert_int_equal(ring_add_mixed(r, p, 1, 1), id);
		assert_int_equal(vstate_request_pop(r->vq, reqs[i]), 0);
		assert_int_equal(reqs[i]->id, id);
	}
	for (i = 0; i < SIZE; i++)
		free(reqs[i]);
	free(more);
}

static void
full_ring_gives_one_for_each_returned(void **state)
{
	request_each_layout(full_ring, SIZE);
}

#define MANY 2048

static void
full_shadow(struct ring *r)
{
	const struct piece p[] = { { RING_BUF_GPA, 16 } };
	struct vstate_request *reqs[MANY];
	unsigned int i;
	uint32_t len;
	uint16_t id;

	for (i = 0; i < MANY; i++) {
		ring_add_mixed(r, p, 0, 1);
		reqs[i] = request_new(1);
		assert_int_equal(vstate_request_pop(r->vq, reqs[i]), 0);
	}
	for (i = 0; i < MANY; i++)
		vstate_request_push(r->vq, reqs[MANY - 1 - i], i % 3);
	vstate_request_publish(r->vq);
	for (i = 0; i < MANY; i++) {
		assert_true(ring_get_used(r, &id, &len));
		assert_int_equal(id, reqs[MANY - 1 - i]->id);
		assert_int_equal(len, i % 3);
		free(reqs[MANY - 1 - i]);
	}
	assert_false(ring_get_used(r, &id, &len));
	assert_int_equal(request_submitted_count(r), 0);
}

static void
more_pushes_than_the_shadow_holds_are_published_in_order(void **state)
{
	request_each_layout(full_shadow, MANY);
}

int
test_vstate_request(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pop_gives_the_pieces_of_both_parts),
		cmocka_unit_test(driver_sees_nothing_before_publish),
		cmocka_unit_test(push_logs_what_was_written_and_no_more),
		cmocka_unit_test(requests_pushed_in_order_return_once),
		cmocka_unit_test(requests_pushed_in_reverse_return_once),
		cmocka_unit_test(requests_pushed_at_random_return_once),
		cmocka_unit_test(full_ring_gives_one_for_each_returned),
		cmocka_unit_test(more_pushes_than_the_shadow_holds_are_published_in_order),
	};

	return cmocka_run_group_tests_name("vstate_request", tests, NULL, NULL);
}

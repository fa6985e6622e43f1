/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* The guest with a back end that makes errors on request: the guest must detect each kind. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest.h"
#include "guest_hold.h"
#include "guest_link.h"
#include "guest_track.h"
#include "guest_traffic.h"
#include "soft_backend.h"

#define WAIT_MS 10000
/* Wait for the last frames, if some will never come back. */
#define DRAIN_MS 1500
#define ROUNDS 20

static char dir[] = "/tmp/test-guest-XXXXXX";
static char path_a[64], path_b[64];

static void
sleep_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

static int
make_dir(void **state)
{
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path_a, sizeof(path_a), "%s/a", dir);
	snprintf(path_b, sizeof(path_b), "%s/b", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	unlink(path_a);
	unlink(path_b);
	return rmdir(dir);
}

static struct guest *
new_guest(bool packed)
{
	struct guest_conf conf = {
		.pairs = 2, .ring_size = 64, .packed = packed, .frame_min = 60, .frame_max = 1514,
		.seed = 7,
	};
	struct guest *g = guest_create(&conf);

	assert_non_null(g);
	return g;
}

static struct guest_link *
connect_to(struct guest *g, const char *path)
{
	struct guest_link *l = guest_connect(g, path, false, WAIT_MS);

	assert_non_null(l);
	return l;
}

static void
guest_start(struct guest_link *l)
{
	assert_int_equal(guest_link_prepare(l), 0);
	assert_int_equal(guest_link_driver_ok(l), 0);
}

/* True if some frames never come back, so that the test must wait for a time. */
static bool
may_lose(enum soft_fault fault)
{
	switch (fault) {
	case SOFT_HONEST:
	case SOFT_DUPLICATE:
	case SOFT_REORDER:
		return false;
	default:
		return true;
	}
}

/* Run traffic through one back end for a while. @return the counts of the guest */
static struct guest_counts
traffic_run(bool packed, enum soft_fault fault, bool calls, struct guest_notify *notify)
{
	struct soft_backend *b = soft_backend_start(path_a, fault);
	struct guest *g = new_guest(packed);
	struct guest_counts c;
	struct guest_notify n;
	struct guest_link *l;
	int i;

	assert_non_null(b);
	l = connect_to(g, path_a);
	guest_use_calls(g, calls);
	guest_start(l);
	assert_int_equal(guest_traffic_start(g), 0);
	/*
	 * Long enough for each fault, also on a slow machine. The guest must also find its rings
	 * empty once, because only then does it wait for a call.
	 */
	for (i = 0; i < WAIT_MS; i += 10) {
		sleep_ms(10);
		guest_counts_get(g, &c);
		guest_notify_get(g, &n);
		if (c.received > 4000 && i >= 100 && (!calls || n.calls > 0))
			break;
	}
	assert_int_equal(guest_traffic_stop(g, may_lose(fault) ? DRAIN_MS : WAIT_MS), 0);
	assert_int_equal(guest_link_stop(l), 0);
	guest_link_close(l);
	guest_counts_get(g, &c);
	if (notify != NULL)
		guest_notify_get(g, notify);
	guest_destroy(g);
	soft_backend_stop(b);
	assert_true(c.received > 1000);
	return c;
}

static uint64_t
wrong_count(const struct guest_counts *c)
{
	return c->lost + c->duplicated + c->reordered + c->corrupted;
}

/*
 * After a move: wait until frames have come that only the new back end can have returned, or until
 * an error is counted. With a dead ring neither happens.
 */
static void
wait_after_move(struct guest *g)
{
	struct guest_counts before, c;
	int i;

	guest_counts_get(g, &before);
	for (i = 0; i < 100; i++) {
		sleep_ms(10);
		guest_counts_get(g, &c);
		if (c.received > before.received + 1000 || wrong_count(&c) > 0)
			break;
	}
}

/* Move back and forth between two back ends. */
static struct guest_counts
link_move(bool packed, enum soft_fault fault, int rounds)
{
	struct soft_backend *a = soft_backend_start(path_a, fault);
	struct soft_backend *b = soft_backend_start(path_b, fault);
	struct guest *g = new_guest(packed);
	struct guest_link *from, *to;
	struct guest_counts c;
	uint16_t vq;
	int i;

	from = connect_to(g, path_a);
	guest_start(from);
	assert_int_equal(guest_traffic_start(g), 0);
	for (i = 0; i < rounds; i++) {
		assert_int_equal(guest_wait_flow(g, WAIT_MS), 0);
		to = connect_to(g, i % 2 == 0 ? path_b : path_a);
		assert_int_equal(guest_link_stop(from), 0);
		for (vq = 0; vq < 4; vq++)
			guest_link_set_base(to, vq, guest_link_base(from, vq));
		guest_link_close(from);
		guest_start(to);
		from = to;
	}
	wait_after_move(g);
	guest_traffic_stop(g, may_lose(fault) ? DRAIN_MS : WAIT_MS);
	guest_link_close(from);
	guest_counts_get(g, &c);
	guest_destroy(g);
	soft_backend_stop(a);
	soft_backend_stop(b);
	return c;
}

static bool
is_packed(void **state)
{
	return *(const bool *)*state;
}

static void
honest_back_end_is_clean(void **state)
{
	struct guest_notify n;
	struct guest_counts c = traffic_run(is_packed(state), SOFT_HONEST, false, &n);

	assert_int_equal(wrong_count(&c), 0);
	assert_int_equal(c.sent, c.received);
	/* Polling: the guest asks for no call, and none may come. */
	assert_int_equal(n.calls, 0);
}

static void
calls_are_used(void **state)
{
	struct guest_notify n;
	struct guest_counts c = traffic_run(is_packed(state), SOFT_HONEST, true, &n);

	assert_int_equal(wrong_count(&c), 0);
	assert_true(n.calls > 0);
	assert_int_equal(n.calls_missed, 0);
}

static void
missing_calls_are_seen(void **state)
{
	struct soft_backend *b = soft_backend_start(path_a, SOFT_NO_CALLS);
	struct guest *g = new_guest(is_packed(state));
	struct guest_link *l = connect_to(g, path_a);
	struct guest_notify n = { 0 };
	int i;

	guest_use_calls(g, true);
	guest_start(l);
	assert_int_equal(guest_traffic_start(g), 0);
	for (i = 0; i < WAIT_MS && n.calls_missed == 0; i += 10) {
		sleep_ms(10);
		guest_notify_get(g, &n);
	}
	guest_traffic_stop(g, 200);
	guest_link_close(l);
	guest_destroy(g);
	soft_backend_stop(b);
	assert_true(n.calls_missed > 0);
}

static void
drop_counts_as_lost(void **state)
{
	struct guest_counts c = traffic_run(is_packed(state), SOFT_DROP, false, NULL);

	assert_true(c.lost > 0);
	assert_int_equal(c.sent - c.received, c.lost);
	assert_int_equal(wrong_count(&c), c.lost);
}

static void
second_copy_counts_as_duplicated(void **state)
{
	struct guest_counts c = traffic_run(is_packed(state), SOFT_DUPLICATE, false, NULL);

	assert_true(c.duplicated > 0);
	assert_int_equal(c.received - c.sent, c.duplicated);
	assert_int_equal(wrong_count(&c), c.duplicated);
}

static void
late_frame_counts_as_reordered(void **state)
{
	struct guest_counts c = traffic_run(is_packed(state), SOFT_REORDER, false, NULL);

	assert_true(c.reordered > 0);
	assert_int_equal(c.corrupted + c.duplicated, 0);
}

static void
one_flipped_bit_counts_as_corrupted(void **state)
{
	struct guest_counts c = traffic_run(is_packed(state), SOFT_FLIP_BIT, false, NULL);

	assert_true(c.corrupted > 0);
	assert_int_equal(wrong_count(&c), c.corrupted);
}

static void
one_missing_byte_counts_as_corrupted(void **state)
{
	struct guest_counts c = traffic_run(is_packed(state), SOFT_CUT_SHORT, false, NULL);

	assert_true(c.corrupted > 0);
	assert_int_equal(wrong_count(&c), c.corrupted);
}

static void
frame_of_another_pair_counts_as_corrupted_and_lost(void **state)
{
	struct guest_counts c = traffic_run(is_packed(state), SOFT_CROSS, false, NULL);

	assert_true(c.corrupted > 0);
	assert_int_equal(c.corrupted, c.lost);
}

static void
move_with_bases_is_clean(void **state)
{
	struct guest_counts c = link_move(is_packed(state), SOFT_HONEST, ROUNDS);

	assert_true(c.received > 0);
	assert_int_equal(wrong_count(&c), 0);
	assert_int_equal(c.sent, c.received);
}

static void
index_one_ahead_is_seen(void **state)
{
	struct guest_counts c = link_move(is_packed(state), SOFT_BASE_AHEAD, 1);

	assert_true(wrong_count(&c) > 0);
}

static void
index_one_behind_is_seen(void **state)
{
	struct guest_counts c = link_move(is_packed(state), SOFT_BASE_BEHIND, 1);

	assert_true(wrong_count(&c) > 0);
}

static void
flipped_wrap_counter_is_seen(void **state)
{
	struct guest_counts c = link_move(true, SOFT_BASE_WRAP, 1);

	assert_true(wrong_count(&c) > 0);
}

static void
frame_dropped_at_stop_is_seen(void **state)
{
	struct guest_counts c = link_move(is_packed(state), SOFT_DROP_AT_STOP, 3);

	assert_true(c.lost > 0);
	assert_int_equal(wrong_count(&c), c.lost);
}

/* ---- buffers that a stopped device leaves in flight ---- */

#define HELD 3

/** Position of a stopped device that answered base @p num. */
static struct guest_pos
pos_of(bool packed, uint32_t num)
{
	return (struct guest_pos){ .idx = packed ? num & 0x7fff : num,
		.wrap = packed && (num & 0x8000) != 0 };
}

static void
base_set(struct guest_link *l, uint16_t vq, bool packed, struct guest_pos pos)
{
	uint32_t half = pos.idx | (uint32_t)pos.wrap << 15;

	guest_link_set_base(l, vq, packed ? half | half << 16 : pos.idx);
}

/** Dequeue @p nb buffers of a ring, in place of the device. */
static void
buffers_hold(struct guest *g, uint16_t vq, struct guest_pos *avail, struct guest_held *held,
		uint16_t nb)
{
	uint16_t i;

	for (i = 0; i < nb; i++)
		assert_true(guest_hold_take(g, vq, avail, &held[i]));
}

static void
await_left(struct guest *g, uint16_t vq)
{
	int i;

	for (i = 0; i < WAIT_MS && guest_hold_left(g, vq) > 0; i++)
		sleep_ms(1);
	assert_int_equal(guest_hold_left(g, vq), 0);
}

/*
 * Three receive buffers and two sent frames of pair 0 are in flight at a stop. They are used in the
 * order of dequeue, or not. The second frame comes back first.
 */
static struct guest_counts
hold_and_use(bool packed, bool in_order)
{
	struct soft_backend *a = soft_backend_start(path_a, SOFT_HONEST);
	struct soft_backend *b = soft_backend_start(path_b, SOFT_HONEST);
	struct guest_held rx[HELD], tx[2], done[HELD];
	struct guest_pos avail, used, sent, sent_used;
	struct guest *g = new_guest(packed);
	struct guest_link *from, *to;
	struct guest_counts c;
	uint32_t len;
	uint16_t vq, i;

	from = connect_to(g, path_a);
	to = connect_to(g, path_b);
	guest_start(from);
	assert_int_equal(guest_traffic_start(g), 0);
	assert_int_equal(guest_wait_flow(g, WAIT_MS), 0);
	/* Frames that are sent from now on stay available. */
	soft_backend_freeze(a, true);
	do {
		sleep_ms(1);
		guest_pair_counts_get(g, 0, &c);
	} while (c.sent < c.received + 2);
	sleep_ms(50);
	assert_int_equal(guest_link_stop(from), 0);
	for (vq = 1; vq < 4; vq++)
		guest_link_set_base(to, vq, guest_link_base(from, vq));
	avail = used = pos_of(packed, guest_link_base(from, 0));
	sent = sent_used = pos_of(packed, guest_link_base(from, 1));
	guest_link_close(from);

	buffers_hold(g, 0, &avail, rx, HELD);
	buffers_hold(g, 1, &sent, tx, 2);
	done[0] = rx[1];
	done[1] = rx[0];
	done[2] = rx[2];
	assert_int_equal(guest_hold_expect(g, 0, &used, done, HELD, WAIT_MS), 0);
	assert_int_equal(guest_hold_expect(g, 1, &sent_used, tx, 2, WAIT_MS), 0);
	assert_int_equal(guest_hold_left(g, 0), HELD);
	if (!in_order) {
		done[0] = rx[0];
		done[1] = rx[1];
	}
	for (i = 0; i < HELD; i++) {
		len = i == 2 ? guest_hold_fill_foreign(g, 0, &done[i]) :
			guest_hold_fill_frame(g, 0, &done[i], &tx[1 - i]);
		assert_true(len > 0);
		guest_hold_use(g, 0, &used, &done[i], len);
	}
	for (i = 0; i < 2; i++)
		guest_hold_use(g, 1, &sent_used, &tx[i], 0);
	await_left(g, 0);
	await_left(g, 1);

	base_set(to, 0, packed, used);
	base_set(to, 1, packed, sent_used);
	guest_start(to);
	assert_int_equal(guest_wait_flow(g, WAIT_MS), 0);
	guest_traffic_stop(g, 300);
	guest_link_close(to);
	guest_counts_get(g, &c);
	guest_destroy(g);
	soft_backend_stop(a);
	soft_backend_stop(b);
	assert_int_equal(c.lost + c.duplicated, 0);
	assert_int_equal(c.reordered, 1);
	return c;
}

static void
buffers_in_flight_that_are_used_in_order_are_clean(void **state)
{
	struct guest_counts c = hold_and_use(is_packed(state), true);

	assert_int_equal(c.corrupted, 0);
}

static void
buffers_in_flight_that_are_used_in_another_order_are_seen(void **state)
{
	struct guest_counts c = hold_and_use(is_packed(state), false);

	assert_int_equal(c.corrupted, 1);
}

static void
gap_is_measured(void **state)
{
	struct soft_backend *b = soft_backend_start(path_a, SOFT_HONEST);
	struct guest *g = new_guest(is_packed(state));
	struct guest_link *l = connect_to(g, path_a);
	struct guest_counts now;
	uint64_t gap, before;

	guest_start(l);
	assert_int_equal(guest_traffic_start(g), 0);
	assert_int_equal(guest_wait_flow(g, WAIT_MS), 0);
	guest_gap_start(g);
	soft_backend_freeze(b, true);
	/* First the frames on their way arrive. Then nothing arrives for 50 ms. */
	guest_counts_get(g, &now);
	do {
		before = now.received;
		sleep_ms(50);
		guest_counts_get(g, &now);
	} while (now.received != before);
	assert_int_equal(guest_wait_flow(g, 20), -ETIMEDOUT);
	soft_backend_freeze(b, false);
	assert_int_equal(guest_wait_flow(g, WAIT_MS), 0);
	gap = guest_gap_stop(g);
	guest_traffic_stop(g, 500);
	guest_link_close(l);
	guest_destroy(g);
	soft_backend_stop(b);
	assert_in_range(gap, 50000000, 50000000000);
}

static void
track_knows_lost_duplicated_and_reordered(void **state)
{
	static const uint64_t seqs[] = { 0, 1, 3, 2, 2, 6, 70000, 4, 70001 };
	struct guest_track *t = malloc(sizeof(*t));
	size_t i;

	assert_non_null(t);
	guest_track_init(t);
	for (i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++)
		guest_track_receive(t, seqs[i]);
	assert_int_equal(t->unique, 7);
	assert_int_equal(t->reordered, 1);
	/* 2 came twice; 4 came too late to be distinguished from a duplicate. */
	assert_int_equal(t->duplicated, 2);
	assert_int_equal(guest_track_missing(t, 70002), 70002 - 7);
	free(t);
}

static void
bad_conf_is_refused(void **state)
{
	struct guest_conf good = { .pairs = 1, .ring_size = 64, .frame_min = 60, .frame_max = 60 };
	struct guest_conf c;

	c = good;
	c.ring_size = 63;
	assert_null(guest_create(&c));
	c = good;
	c.pairs = GUEST_MAX_PAIRS + 1;
	assert_null(guest_create(&c));
	c = good;
	c.frame_min = 59;
	assert_null(guest_create(&c));
	c = good;
	c.frame_min = 61;
	assert_null(guest_create(&c));
}

static bool split_ring = false, packed_ring = true;

#define BOTH(name) \
	{ #name " split", name, NULL, NULL, &split_ring }, \
	{ #name " packed", name, NULL, NULL, &packed_ring }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(track_knows_lost_duplicated_and_reordered),
		cmocka_unit_test(bad_conf_is_refused),
		BOTH(honest_back_end_is_clean),
		BOTH(calls_are_used),
		BOTH(missing_calls_are_seen),
		BOTH(drop_counts_as_lost),
		BOTH(second_copy_counts_as_duplicated),
		BOTH(late_frame_counts_as_reordered),
		BOTH(one_flipped_bit_counts_as_corrupted),
		BOTH(one_missing_byte_counts_as_corrupted),
		BOTH(frame_of_another_pair_counts_as_corrupted_and_lost),
		BOTH(move_with_bases_is_clean),
		BOTH(index_one_ahead_is_seen),
		BOTH(index_one_behind_is_seen),
		cmocka_unit_test(flipped_wrap_counter_is_seen),
		BOTH(frame_dropped_at_stop_is_seen),
		BOTH(buffers_in_flight_that_are_used_in_order_are_clean),
		BOTH(buffers_in_flight_that_are_used_in_another_order_are_seen),
		BOTH(gap_is_measured),
	};

	return cmocka_run_group_tests_name("guest", tests, make_dir, remove_dir);
}

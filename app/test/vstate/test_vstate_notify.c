/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Notifications: when the driver is called, and what it is told about kicks. */

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include <rte_mbuf.h>
#include <rte_thread.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ring/vstate_call.h"
#include "ring/vstate_pos.h"
#include "ring/vstate_ring.h"
#include "ring/vstate_vq.h"

static const struct piece small = { RING_BUF_GPA, RING_HDR + 60 };

/* Let @p n one-descriptor frames pass in one burst. @return whether a call came */
static bool
frames_pass(struct ring *r, uint16_t n)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint64_t calls = r->vq->counters.calls, suppressed = r->vq->counters.calls_suppressed;
	uint16_t i, id;
	uint32_t len;
	bool called;

	for (i = 0; i < n; i++)
		ring_add(r, &small, 1, false);
	assert_int_equal(r->nq->ops->take(r->nq, r->pool, pkts, n), n);
	r->nq->ops->give(r->nq, n);
	rte_pktmbuf_free_bulk(pkts, n);
	for (i = 0; i < n; i++)
		assert_true(ring_get_used(r, &id, &len));
	called = r->vq->counters.calls != calls;
	/* one or the other, once */
	assert_int_equal(r->vq->counters.calls - calls +
			r->vq->counters.calls_suppressed - suppressed, 1);
	return called;
}

static void
u16_write(struct ring *r, uint64_t gpa, uint16_t value)
{
	guest_write(&r->guest, gpa, &value, 2); /* tests run on little-endian hosts only */
}

static void
split_flag_says_whether_to_call(void **state)
{
	struct ring r;

	ring_open(&r, false, 8);
	assert_true(frames_pass(&r, 1));
	assert_int_equal(ring_calls(&r), 1);
	u16_write(&r, RING_DRIVER_GPA, VRING_AVAIL_F_NO_INTERRUPT);
	assert_false(frames_pass(&r, 3));
	assert_int_equal(ring_calls(&r), 0);
	u16_write(&r, RING_DRIVER_GPA, 0);
	assert_true(frames_pass(&r, 3));
	assert_int_equal(ring_calls(&r), 1);
	ring_close(&r);
}

static void
full_call_eventfd_is_no_call_and_no_wait(void **state)
{
	/* as full as an eventfd can be, and one short of it */
	const uint64_t full = UINT64_MAX - 1, nearly = UINT64_MAX - 2;
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 8);
		assert_int_equal(write(r.callfd, &full, sizeof(full)), sizeof(full));
		/* alarm(2)'s signal ends a test that waits */
		alarm(60);
		vstate_call_send(r.vq);
		vstate_call_send(r.vq);
		alarm(0);
		assert_int_equal(r.vq->counters.calls, 0);
		assert_true(ring_calls(&r) == full);
		assert_int_equal(write(r.callfd, &nearly, sizeof(nearly)), sizeof(nearly));
		assert_true(frames_pass(&r, 1));
		assert_true(ring_calls(&r) == full);
		ring_close(&r);
	}
}

static uint32_t
call_main(void *arg)
{
	vstate_call_send(arg);
	return 0;
}

static void
call_eventfd_that_blocks_is_freed(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	struct ring r;
	rte_thread_t thread;
	unsigned int looks = 0;

	ring_open(&r, false, 8);
	/* what a front end can do to the open file that it shares with the device */
	fcntl(r.callfd, F_SETFL, fcntl(r.callfd, F_GETFL) & ~O_NONBLOCK);
	assert_int_equal(write(r.callfd, &full, sizeof(full)), sizeof(full));
	assert_false(vstate_call_unblock(r.vq));
	assert_int_equal(rte_thread_create(&thread, NULL, call_main, r.vq), 0);
	alarm(60);
	while (!vstate_call_unblock(r.vq)) {
		looks++;
		usleep(1000);
	}
	rte_thread_join(thread, NULL);
	alarm(0);
	assert_true(looks > 0);
	/* the freed call is in the counter; it is full again, and blocks no more */
	assert_int_equal(ring_calls(&r), 1);
	assert_int_equal(r.vq->fault, VSTATE_FAULT_CALL_BLOCKS);
	assert_int_equal(write(r.callfd, &full, sizeof(full)), sizeof(full));
	alarm(60);
	vstate_call_send(r.vq);
	alarm(0);
	assert_true(ring_calls(&r) == full);
	/* a reset of the driver does not help, another front end does */
	vstate_vq_restart(r.vq);
	assert_int_equal(r.vq->fault, VSTATE_FAULT_CALL_BLOCKS);
	vstate_call_allow(r.vq);
	vstate_vq_restart(r.vq);
	assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
	vstate_call_send(r.vq);
	assert_int_equal(ring_calls(&r), 1);
	ring_close(&r);
}

/* A thread that is slow, and not blocked, keeps its calls. */
static void
call_under_way_is_left_alone(void **state)
{
	struct ring r;
	int i;

	ring_open(&r, false, 8);
	r.vq->call_turn = 1;
	for (i = 0; i < 3; i++)
		assert_false(vstate_call_unblock(r.vq));
	vstate_call_send(r.vq);
	assert_int_equal(ring_calls(&r), 1);
	ring_close(&r);
}

/* Whether one of the entries from, from + 1, ... (n of them) is the one asked for. */
static bool
split_model(uint16_t from, uint16_t n, uint16_t event)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		if ((uint16_t)(from + i) == event)
			return true;
	}
	return false;
}

static void
split_event_index_agrees_with_a_model_near_the_wrap(void **state)
{
	static const uint16_t counts[] = { 1, 2, 3, 8, 31, 64 };
	int32_t from, off;
	struct ring r;
	size_t c;

	ring_open(&r, false, 64);
	memset(guest_at(&r.guest, small.gpa), 0, small.len);
	r.vq->event_idx = true;
	for (from = -80; from <= 20; from++) {
		for (c = 0; c < RTE_DIM(counts); c++) {
			for (off = -70; off <= 140; off++) {
				uint16_t event = from + off;

				ring_seek(&r, from, 0);
				r.vq->signalled_used = from;
				r.vq->signalled_valid = true;
				u16_write(&r, RING_DRIVER_GPA + 4 + 2 * 64, event);
				if (frames_pass(&r, counts[c]) !=
						split_model(from, counts[c], event))
					fail_msg("from %u, %u used, event %u", (uint16_t)from,
							counts[c], event);
				assert_int_equal(r.vq->signalled_used,
						(uint16_t)(from + counts[c]));
			}
		}
	}
	ring_close(&r);
}

static void
split_event_far_away_is_not_met(void **state)
{
	struct ring r;
	uint32_t event;

	ring_open(&r, false, 8);
	r.vq->event_idx = true;
	for (event = 0; event < 65536; event++) {
		ring_seek(&r, 65530, 0);
		r.vq->signalled_used = 65530;
		r.vq->signalled_valid = true;
		u16_write(&r, RING_DRIVER_GPA + 4 + 2 * 8, event);
		assert_int_equal(frames_pass(&r, 8), split_model(65530, 8, event));
	}
	ring_close(&r);
}

static void
first_event_after_a_start_always_calls(void **state)
{
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 8);
		r.vq->event_idx = true;
		if (packed) {
			u16_write(&r, RING_DRIVER_GPA + 2, VRING_PACKED_EVENT_FLAG_DESC);
			u16_write(&r, RING_DRIVER_GPA, 6 | 1 << 15);
		} else {
			u16_write(&r, RING_DRIVER_GPA + 4 + 2 * 8, 77);
		}
		assert_true(frames_pass(&r, 1));
		assert_false(frames_pass(&r, 1));
		ring_close(&r);
	}
}

static void
packed_flags_say_whether_to_call(void **state)
{
	struct ring r;
	int event_idx;

	for (event_idx = 0; event_idx < 2; event_idx++) {
		ring_open(&r, true, 8);
		r.vq->event_idx = event_idx;
		assert_true(frames_pass(&r, 1));
		u16_write(&r, RING_DRIVER_GPA + 2, VRING_PACKED_EVENT_FLAG_DISABLE);
		assert_false(frames_pass(&r, 1));
		u16_write(&r, RING_DRIVER_GPA + 2, VRING_PACKED_EVENT_FLAG_ENABLE);
		assert_true(frames_pass(&r, 1));
		/* not negotiated: better a call too much */
		u16_write(&r, RING_DRIVER_GPA + 2, VRING_PACKED_EVENT_FLAG_DESC);
		r.vq->event_idx = false;
		assert_true(frames_pass(&r, 1));
		ring_close(&r);
	}
}

/* Whether the place asked for is one of the n from @p from on. */
static bool
packed_model(uint16_t size, struct vstate_pos from, uint16_t n, struct vstate_pos event)
{
	for (; n > 0; n--) {
		if (from.idx == event.idx && from.wrap == event.wrap)
			return true;
		if (++from.idx == size)
			from = (struct vstate_pos){ 0, !from.wrap };
	}
	return false;
}

static void
packed_event_agrees_with_a_model_at_all_places(void **state)
{
	struct vstate_pos from, event;
	uint16_t size, n;
	struct ring r;

	for (size = 1; size <= 9; size++) {
		ring_open(&r, true, size);
		memset(guest_at(&r.guest, small.gpa), 0, small.len);
		r.vq->event_idx = true;
		for (from.wrap = 0; from.wrap < 2; from.wrap++)
		for (from.idx = 0; from.idx < size; from.idx++)
		for (n = 1; n <= size; n++)
		for (event.wrap = 0; event.wrap < 2; event.wrap++)
		for (event.idx = 0; event.idx < size; event.idx++) {
			ring_seek(&r, from.idx, from.wrap);
			r.vq->signalled_valid = true;
			u16_write(&r, RING_DRIVER_GPA, event.idx | event.wrap << 15);
			u16_write(&r, RING_DRIVER_GPA + 2, VRING_PACKED_EVENT_FLAG_DESC);
			if (frames_pass(&r, n) != packed_model(size, from, n, event))
				fail_msg("size %u, from %u/%u, %u used, event %u/%u", size,
						from.idx, from.wrap, n, event.idx, event.wrap);
		}
		ring_close(&r);
	}
}

static void
packed_event_agrees_with_a_model_in_the_largest_ring(void **state)
{
	static const uint16_t starts[] = { 0, 1, 32700, 32766, 32767 };
	struct vstate_pos from, event;
	uint16_t wraps, n;
	struct ring r;
	int32_t off;
	size_t i;

	ring_open(&r, true, 32768);
	memset(guest_at(&r.guest, small.gpa), 0, small.len);
	r.vq->event_idx = true;
	for (i = 0; i < RTE_DIM(starts); i++)
	for (wraps = 0; wraps < 4; wraps++) {
		from = (struct vstate_pos){ starts[i], wraps & 1 };
		for (n = 1; n <= 64; n += 21)
		for (off = -66; off <= 66; off += 3) {
			event.idx = (starts[i] + off) & 32767;
			event.wrap = wraps >> 1;
			ring_seek(&r, from.idx, from.wrap);
			r.vq->signalled_valid = true;
			u16_write(&r, RING_DRIVER_GPA, event.idx | event.wrap << 15);
			u16_write(&r, RING_DRIVER_GPA + 2, VRING_PACKED_EVENT_FLAG_DESC);
			if (frames_pass(&r, n) != packed_model(32768, from, n, event))
				fail_msg("from %u/%u, %u used, event %u/%u", from.idx, from.wrap,
						n, event.idx, event.wrap);
		}
	}
	ring_close(&r);
}

static void
queue_without_call_descriptor_goes_on(void **state)
{
	struct ring r;

	ring_open(&r, false, 8);
	r.vq->callfd = -1;
	ring_add(&r, &small, 1, false);
	{
		struct rte_mbuf *m;

		assert_int_equal(r.nq->ops->take(r.nq, r.pool, &m, 1), 1);
		r.nq->ops->give(r.nq, 1);
		rte_pktmbuf_free(m);
	}
	assert_int_equal(r.vq->counters.calls, 0);
	ring_close(&r);
}

/* As a driver decides whether to kick for buffers (old, now]. */
static bool
driver_kicks(uint16_t event, uint16_t old, uint16_t now)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

static void
driver_does_not_kick_a_device_that_polls(void **state)
{
	uint16_t event, flags;
	struct ring r;
	uint32_t at, n;

	ring_open(&r, false, 8);
	vstate_ring_prime(r.vq);
	guest_read(&r.guest, RING_DEVICE_GPA, &flags, 2);
	assert_int_equal(flags, VRING_USED_F_NO_NOTIFY);

	r.vq->event_idx = true;
	for (at = 0; at < 65536; at += 13) {
		ring_seek(&r, at, 0);
		vstate_ring_prime(r.vq);
		guest_read(&r.guest, RING_DEVICE_GPA + 4 + 8 * 8, &event, 2);
		/* from where the device stands, one buffer a time, nearly once around */
		for (n = 0; n < 60000; n += 97)
			assert_false(driver_kicks(event, at + n, at + n + 8));
	}
	ring_close(&r);

	ring_open(&r, true, 8);
	vstate_ring_prime(r.vq);
	guest_read(&r.guest, RING_DEVICE_GPA + 2, &flags, 2);
	assert_int_equal(flags, VRING_PACKED_EVENT_FLAG_DISABLE);
	ring_close(&r);
}

static void
count_tells_what_waits(void **state)
{
	struct ring r;
	uint16_t i;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 8);
		ring_seek(&r, packed ? 5 : 65533, 0);
		for (i = 0; i <= 8; i++) {
			assert_int_equal(r.nq->ops->count(r.nq, 8), i);
			assert_int_equal(r.nq->ops->count(r.nq, 3), RTE_MIN(i, 3));
			if (i < 8)
				ring_add(&r, &small, 1, false);
		}
		ring_close(&r);
	}
}

int
test_vstate_notify(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_flag_says_whether_to_call),
		cmocka_unit_test(full_call_eventfd_is_no_call_and_no_wait),
		cmocka_unit_test(call_eventfd_that_blocks_is_freed),
		cmocka_unit_test(call_under_way_is_left_alone),
		cmocka_unit_test(split_event_index_agrees_with_a_model_near_the_wrap),
		cmocka_unit_test(split_event_far_away_is_not_met),
		cmocka_unit_test(first_event_after_a_start_always_calls),
		cmocka_unit_test(packed_flags_say_whether_to_call),
		cmocka_unit_test(packed_event_agrees_with_a_model_at_all_places),
		cmocka_unit_test(packed_event_agrees_with_a_model_in_the_largest_ring),
		cmocka_unit_test(queue_without_call_descriptor_goes_on),
		cmocka_unit_test(driver_does_not_kick_a_device_that_polls),
		cmocka_unit_test(count_tells_what_waits),
	};

	return cmocka_run_group_tests_name("vstate_notify", tests, NULL, NULL);
}

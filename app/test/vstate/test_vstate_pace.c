/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file When a receive queue rests after a full burst, and what ends the rest. */

#include <unistd.h>

#include <rte_common.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "net/vstate_pace.h"

#define SIZE 128
#define BURST 32
/* As good as never on any machine. */
#define LONG_CYCLES (UINT64_MAX / 4)

static const struct piece small = { RING_BUF_GPA, RING_HDR + 60 };

/* A queue that rests after each full burst until the ring has enough. */
static void
pace_open(struct vstate_pace *pace, struct ring *r, bool packed)
{
	ring_open(r, packed, SIZE);
	vstate_pace_init(pace);
	assert_true(pace->cycles > 0);
	pace->cycles = LONG_CYCLES;
}

static void
buffers_add(struct ring *r, unsigned int n)
{
	while (n-- > 0)
		ring_add(r, &small, 1, false);
}

/* End the rest as time does. */
static void
time_passes(struct vstate_pace *pace)
{
	assert_true(pace->rests);
	pace->until = 0;
}

static void
rest_ends_when_two_bursts_are_there(void **state)
{
	struct vstate_pace pace;
	unsigned int packed, i;
	struct ring r;

	for (packed = 0; packed < 2; packed++) {
		pace_open(&pace, &r, packed);
		/* the turn of the ring lies in the middle */
		ring_seek(&r, SIZE - BURST, packed);
		vstate_pace_note(&pace, BURST, BURST, SIZE);
		for (i = 0; i < 2 * BURST; i++) {
			assert_true(vstate_pace_rests(&pace, r.vq, BURST));
			buffers_add(&r, 1);
		}
		assert_false(vstate_pace_rests(&pace, r.vq, BURST));
		assert_false(pace.rests);
		ring_close(&r);
	}
}

static void
burst_that_is_not_full_is_followed_by_no_rest(void **state)
{
	struct vstate_pace pace;
	struct ring r;

	pace_open(&pace, &r, false);
	vstate_pace_note(&pace, BURST, BURST - 1, SIZE);
	assert_false(vstate_pace_rests(&pace, r.vq, BURST));
	/* a caller of few frames at a time finds each burst full */
	vstate_pace_note(&pace, VSTATE_PACE_BURST - 1, VSTATE_PACE_BURST - 1, SIZE);
	assert_false(vstate_pace_rests(&pace, r.vq, VSTATE_PACE_BURST - 1));
	/* a ring that two more bursts would fill */
	vstate_pace_note(&pace, BURST, BURST, 4 * BURST - 1);
	assert_false(vstate_pace_rests(&pace, r.vq, BURST));
	vstate_pace_note(&pace, BURST, BURST, 4 * BURST);
	assert_true(vstate_pace_rests(&pace, r.vq, BURST));
	ring_close(&r);
}

/* Full bursts that pass until the next rest. */
static unsigned int
bursts_until_rest(struct vstate_pace *pace, const struct ring *r)
{
	unsigned int n = 0;

	do {
		n++;
		vstate_pace_note(pace, BURST, BURST, SIZE);
	} while (!vstate_pace_rests(pace, r->vq, BURST));
	return n;
}

static void
rests_in_vain_become_rare(void **state)
{
	unsigned int expected = 1, i;
	struct vstate_pace pace;
	struct ring r;

	pace_open(&pace, &r, true);
	for (i = 0; i < 20; i++) {
		assert_int_equal(bursts_until_rest(&pace, &r), expected);
		time_passes(&pace);
		assert_false(vstate_pace_rests(&pace, r.vq, BURST));
		expected = RTE_MIN(2 * expected, VSTATE_PACE_SKIP_MAX + 1u);
	}
	/* buffers that are there before the first look do not show that a rest helps */
	vstate_pace_note(&pace, BURST, BURST, SIZE);
	expected--;
	buffers_add(&r, 2 * BURST);
	for (i = 0; i < expected; i++) {
		vstate_pace_note(&pace, BURST, BURST, SIZE);
		assert_false(vstate_pace_rests(&pace, r.vq, BURST));
	}
	ring_seek(&r, 0, 1);
	vstate_pace_note(&pace, BURST, BURST, SIZE);
	assert_true(vstate_pace_rests(&pace, r.vq, BURST));
	time_passes(&pace);
	assert_false(vstate_pace_rests(&pace, r.vq, BURST));
	assert_int_equal(bursts_until_rest(&pace, &r), VSTATE_PACE_SKIP_MAX + 1);
	/* one rest that was not in vain, and all bursts are followed by one again */
	buffers_add(&r, 2 * BURST);
	assert_false(vstate_pace_rests(&pace, r.vq, BURST));
	ring_seek(&r, 0, 1);
	assert_int_equal(bursts_until_rest(&pace, &r), 1);
	ring_close(&r);
}

static void
rest_has_a_bound(void **state)
{
	struct vstate_pace pace;
	struct ring r;

	ring_open(&r, false, SIZE);
	vstate_pace_init(&pace);
	assert_true(pace.cycles <= rte_get_tsc_hz() / 10000);
	vstate_pace_note(&pace, BURST, BURST, SIZE);
	/* alarm(2)'s signal ends a test that waits */
	alarm(60);
	while (vstate_pace_rests(&pace, r.vq, BURST))
		;
	alarm(0);
	ring_close(&r);
}

int
test_vstate_pace(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_ends_when_two_bursts_are_there),
		cmocka_unit_test(burst_that_is_not_full_is_followed_by_no_rest),
		cmocka_unit_test(rests_in_vain_become_rare),
		cmocka_unit_test(rest_has_a_bound),
	};

	return cmocka_run_group_tests_name("vstate_pace", tests, NULL, NULL);
}

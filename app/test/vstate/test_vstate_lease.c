/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The lease, hammered by two poll threads and a stop, in both of its modes. */

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_thread.h>

#include "ut_groups.h"
#include "ring/vstate_lease.h"
#include "vstate_compat.h"

#define ROUNDS 100000
/* On a machine with more work than processors a round takes as long as a time slice. */
#define SECONDS 2
#define ROUNDS_MIN 100

struct hammer {
	struct vstate_lease lease;
	/* Plain, on purpose: only who is inside may touch them. */
	uint64_t a, b;
	uint64_t entries;
	uint32_t overlaps;
	/* What a stop saw; told once the threads have ended, which use this. */
	uint32_t intrusions;
	uint32_t done;
	bool shared;
};

static void
overlap_check(struct hammer *h)
{
	volatile uint64_t *a = &h->a, *b = &h->b;
	uint64_t seen = *a;

	*a = seen + 1;
	if (*b != seen)
		h->overlaps++;
	*b = seen + 1;
	if (*a != seen + 1)
		h->overlaps++;
	h->entries++;
}

static uint32_t
poll_main(void *arg)
{
	struct hammer *h = arg;

	while (rte_atomic_load_explicit(&h->done, rte_memory_order_relaxed) == 0) {
		if (h->shared ? !vstate_lease_take_shared(&h->lease) :
				!vstate_lease_take(&h->lease)) {
			sched_yield();
			continue;
		}
		overlap_check(h);
		vstate_lease_give(&h->lease);
	}
	return 0;
}

static void
stop_once(struct hammer *h, uint32_t round)
{
	volatile uint64_t *a = &h->a, *b = &h->b;
	uint64_t before;
	int i;

	vstate_lease_revoke(&h->lease);
	vstate_lease_barrier();
	while (vstate_lease_is_inside(&h->lease))
		sched_yield();
	before = *a;
	for (i = 0; i < 20; i++)
		h->intrusions += *a != before || *b != before;
	/* as a control thread does: change what they work on, then let them in again */
	*a = *b = before + 1000;
	vstate_lease_grant(&h->lease);
	if (round % 8 == 0)
		sched_yield();
}

static void
hammer_run(unsigned int threads)
{
	struct hammer h = { .shared = threads > 1 };
	rte_thread_t t[2];
	uint64_t deadline;
	unsigned int i;
	uint32_t round;

	vstate_lease_grant(&h.lease);
	for (i = 0; i < threads; i++)
		assert_int_equal(rte_thread_create(&t[i], NULL, poll_main, &h), 0);
	deadline = rte_get_timer_cycles() + SECONDS * rte_get_timer_hz();
	for (round = 0; round < ROUNDS; round++) {
		if (round >= ROUNDS_MIN && rte_get_timer_cycles() > deadline)
			break;
		stop_once(&h, round);
	}
	rte_atomic_store_explicit(&h.done, 1, rte_memory_order_relaxed);
	for (i = 0; i < threads; i++)
		assert_int_equal(rte_thread_join(t[i], NULL), 0);
	assert_int_equal(h.overlaps, 0);
	assert_int_equal(h.intrusions, 0);
	assert_true(h.entries > 0);
	assert_true(h.a == h.b);
	assert_true(h.a == h.entries + 1000ull * round);
	assert_false(vstate_lease_is_inside(&h.lease));
}

/* First in this group, as others register. Later the kernel would wait for its readers. */
static void
process_is_registered_before_it_has_a_device(void **state)
{
	const long has = syscall(__NR_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	RTE_SET_USED(state);
	if ((has & MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
		skip();
	assert_int_equal(syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
}

static void
nobody_is_inside_once_a_stop_has_waited(void **state)
{
	vstate_lease_init();
	if (vstate_lease_fence)
		skip();
	hammer_run(1);
}

static void
nobody_is_inside_once_a_stop_has_waited_without_membarrier(void **state)
{
	vstate_lease_fence = true;
	hammer_run(1);
	vstate_lease_init();
}

static void
two_threads_that_share_a_queue_never_meet_inside(void **state)
{
	vstate_lease_init();
	if (vstate_lease_fence)
		skip();
	hammer_run(2);
}

static void
two_threads_on_one_queue_never_meet_inside_without_membarrier(void **state)
{
	vstate_lease_fence = true;
	hammer_run(2);
	vstate_lease_init();
}

static void
revoked_lease_is_not_given_and_leaves_no_trace(void **state)
{
	struct vstate_lease l = { 0 };

	assert_false(vstate_lease_take(&l));
	assert_false(vstate_lease_is_inside(&l));
	assert_false(vstate_lease_take_shared(&l));
	assert_false(vstate_lease_is_inside(&l));
	vstate_lease_grant(&l);
	assert_true(vstate_lease_is_granted(&l));
	assert_true(vstate_lease_take(&l));
	assert_true(vstate_lease_is_inside(&l));
	/* another thread's turn does not come, and does not harm the one inside */
	assert_false(vstate_lease_take_shared(&l));
	assert_true(vstate_lease_is_inside(&l));
	vstate_lease_revoke(&l);
	assert_true(vstate_lease_is_inside(&l));
	vstate_lease_give(&l);
	assert_false(vstate_lease_is_inside(&l));
	assert_false(vstate_lease_take(&l));
}

/* A takeover waits for a thread that polls. */
static void
who_is_refused_has_asked(void **state)
{
	struct vstate_lease l = { 0 };

	assert_false(vstate_lease_is_asked(&l));
	assert_false(vstate_lease_take(&l));
	assert_true(vstate_lease_is_asked(&l));
}

/* The hammer does not meet a missing fence on every machine. */
static void
grant_without_membarrier_is_not_taken_without_a_fence(void **state)
{
	struct vstate_lease l = { 0 };

	vstate_lease_init();
	if (!vstate_lease_fence) {
		vstate_lease_grant(&l);
		assert_true(vstate_lease_is_plain(&l));
	}
	vstate_lease_fence = true;
	vstate_lease_grant(&l);
	assert_false(vstate_lease_is_plain(&l));
	assert_true(vstate_lease_take(&l));
	assert_true(vstate_lease_is_inside(&l));
	vstate_lease_give(&l);
	vstate_lease_revoke(&l);
	assert_false(vstate_lease_take(&l));
	vstate_lease_init();
}

int
test_vstate_lease(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_is_registered_before_it_has_a_device),
		cmocka_unit_test(revoked_lease_is_not_given_and_leaves_no_trace),
		cmocka_unit_test(who_is_refused_has_asked),
		cmocka_unit_test(grant_without_membarrier_is_not_taken_without_a_fence),
		cmocka_unit_test(nobody_is_inside_once_a_stop_has_waited),
		cmocka_unit_test(nobody_is_inside_once_a_stop_has_waited_without_membarrier),
		cmocka_unit_test(two_threads_that_share_a_queue_never_meet_inside),
		cmocka_unit_test(two_threads_on_one_queue_never_meet_inside_without_membarrier),
	};

	return cmocka_run_group_tests_name("vstate_lease", tests, NULL, NULL);
}

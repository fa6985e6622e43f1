/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Queues that broke: reported, counted and repaired; and what the watch thread does. */

#include <string.h>

#include <rte_cycles.h>

#include <vstate_compat.h>

#include "rte_vhost_state.h"
#include "ut_device.h"
#include "ut_groups.h"
#include "dev/vstate_broken.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_resume_point.h"
#include "dev/vstate_run.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"

#define NB_VQS 4
/* Upper bound of all that the watch thread does within tenths of a second. */
#define WAIT_MS 20000

static int
device_open(void **state)
{
	struct vstate_conf conf = ut_conf(NB_VQS / 2, 1500);

	vstate_lease_init();
	*state = ut_device_make("test_broken", &conf);
	assert_non_null(*state);
	return 0;
}

static int
device_close(void **state)
{
	ut_device_unmake(*state);
	return 0;
}

static uint64_t
address_faults(const struct vstate_dev *dev)
{
	return vstate_broken_count(dev, VSTATE_FAULT_ADDRESS);
}

static void
fault_is_reported_once_and_takes_the_lease(void **state)
{
	struct vstate_dev *dev = *state;
	uint16_t i;

	for (i = 0; i < NB_VQS; i++)
		vstate_lease_grant(&dev->vqs[i]->lease);
	vstate_broken_report(dev);
	assert_int_equal(vstate_run_status(dev), 0);
	for (i = 0; i < NB_VQS; i++) {
		vstate_vq_break(dev->vqs[i], VSTATE_FAULT_ADDRESS);
		assert_false(vstate_broken_is_reported(dev));
		vstate_broken_report(dev);
		vstate_broken_report(dev);
		assert_int_equal(address_faults(dev), i + 1);
		assert_int_equal(vstate_run_status(dev), RTE_VHOST_STATE_S_NEEDS_RESET);
		assert_true(dev->vqs[i]->block & VSTATE_BLOCK_BROKEN);
		assert_false(vstate_lease_is_granted(&dev->vqs[i]->lease));
		if (i + 1 < NB_VQS) {
			assert_true(vstate_lease_is_granted(&dev->vqs[i + 1]->lease));
			assert_false(vstate_broken_is_reported(dev));
		}
	}
	assert_true(vstate_broken_is_reported(dev));
	vstate_broken_clear(dev);
	assert_false(vstate_broken_is_reported(dev));
	for (i = 0; i < NB_VQS; i++) {
		assert_int_equal(dev->vqs[i]->fault, VSTATE_FAULT_NONE);
		assert_false(dev->vqs[i]->block & VSTATE_BLOCK_BROKEN);
	}
}

static void
counts_are_since_the_last_reset(void **state)
{
	struct vstate_dev *dev = *state;

	/* two queues broke for reasons of their own before all others did */
	vstate_vq_break(dev->vqs[0], VSTATE_FAULT_HEAD_RANGE);
	vstate_vq_break(dev->vqs[3], VSTATE_FAULT_REQUESTS_UNKNOWN);
	vstate_broken_all(dev, VSTATE_FAULT_ADDRESS);
	assert_int_equal(address_faults(dev), 2);
	assert_int_equal(vstate_broken_count(dev, VSTATE_FAULT_HEAD_RANGE), 1);
	assert_int_equal(vstate_broken_count(dev, VSTATE_FAULT_REQUESTS_UNKNOWN), 1);
	assert_int_equal(vstate_broken_count(dev, VSTATE_FAULT_MEMORY_LOST), 0);
	vstate_broken_counts_reset(dev);
	assert_int_equal(address_faults(dev), 0);
	assert_int_equal(vstate_broken_count(dev, VSTATE_FAULT_REQUESTS_UNKNOWN), 0);
	vstate_broken_clear(dev);
	vstate_vq_break(dev->vqs[1], VSTATE_FAULT_ADDRESS);
	/* a reset for the next guest reports faults that were not reported yet */
	vstate_broken_clear(dev);
	assert_int_equal(address_faults(dev), 1);
}

/* ---- the watch thread ---- */

static unsigned int nb_watches;
static bool memory_is_lost;

static bool
front_watch(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	rte_atomic_fetch_add_explicit(&nb_watches, 1, rte_memory_order_seq_cst);
	return false;
}

static bool
keeper_is_lost(const struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	return rte_atomic_load_explicit(&memory_is_lost, rte_memory_order_seq_cst);
}

static const struct vstate_keeper lost_keeper = { .name = "test", .is_lost = keeper_is_lost };
static const struct vstate_front_end_ops watched = { .watch = front_watch };

static unsigned int
watches_get(void)
{
	return rte_atomic_load_explicit(&nb_watches, rte_memory_order_seq_cst);
}

/* Wait until the watch thread was here @p n more times. */
static void
watches_wait(unsigned int n)
{
	const unsigned int before = watches_get();
	unsigned int ms;

	for (ms = 0; watches_get() - before < n; ms++) {
		assert_true(ms < WAIT_MS);
		rte_delay_us_sleep(1000);
	}
}

static int
front_set(struct vstate_dev *dev, void *arg)
{
	dev->front_ops = arg;
	return 0;
}

/* A fault of one queue, and then memory in which positions are kept. No message comes. */
static void
watch_thread_reports_what_no_message_does(void **state)
{
	const struct vstate_front_end_ops *before;
	struct vstate_dev *dev = *state;
	const struct vstate_keeper **last = &dev->resume_point.keepers[VSTATE_KEEPER_MAX - 1];
	const struct vstate_keeper *kept = *last;

	before = dev->front_ops;
	*last = &lost_keeper;
	memory_is_lost = false;
	vstate_control_run(front_set, dev, (void *)(uintptr_t)&watched);
	assert_int_equal(vstate_watch_get(), 0);
	/* a second user does not stop it */
	assert_int_equal(vstate_watch_get(), 0);
	vstate_watch_put();
	watches_wait(1);
	assert_int_equal(vstate_run_status(dev), 0);
	vstate_vq_break(dev->vqs[2], VSTATE_FAULT_ADDRESS);
	watches_wait(2);
	assert_int_equal(address_faults(dev), 1);
	assert_int_equal(vstate_run_status(dev), RTE_VHOST_STATE_S_NEEDS_RESET);
	assert_false(dev->vqs[1]->block & VSTATE_BLOCK_BROKEN);
	rte_atomic_store_explicit(&memory_is_lost, true, rte_memory_order_seq_cst);
	watches_wait(3);
	assert_int_equal(vstate_broken_count(dev, VSTATE_FAULT_MEMORY_LOST), NB_VQS - 1);
	assert_true(vstate_broken_is_reported(dev));
	vstate_watch_put();
	*last = kept;
	vstate_control_run(front_set, dev, (void *)(uintptr_t)before);
}

int
test_vstate_broken(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fault_is_reported_once_and_takes_the_lease,
				device_open, device_close),
		cmocka_unit_test_setup_teardown(counts_are_since_the_last_reset, device_open,
				device_close),
		cmocka_unit_test_setup_teardown(watch_thread_reports_what_no_message_does,
				device_open, device_close),
	};

	return cmocka_run_group_tests_name("vstate_broken", tests, NULL, NULL);
}

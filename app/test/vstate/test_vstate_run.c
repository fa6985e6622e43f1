/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Why a device does not run: reasons, their names, their events, and the poller. */

#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_device.h"
#include "ut_events.h"
#include "ut_groups.h"
#include "dev/vstate_broken.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"

#define NAME "test_run"
#define V1 RTE_BIT64(VIRTIO_F_VERSION_1)
#define DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define SUSPEND RTE_VHOST_STATE_S_SUSPEND

/* What a front end sets up: no ring. */
static struct vstate_setup setup;

static int
device_open(void **state)
{
	struct vstate_conf conf = ut_conf(2, 1500);

	vstate_lease_init();
	*state = ut_device_make(NAME, &conf);
	assert_non_null(*state);
	setup.features = V1;
	return 0;
}

static int
device_close(void **state)
{
	ut_device_unmake(*state);
	return 0;
}

static void
events_check(const char *expected)
{
	char text[1024];

	events_read(text, sizeof(text));
	assert_string_equal(text, expected);
	events_record();
}

static void
each_step_of_a_device_is_one_event(void **state)
{
	struct vstate_dev *dev = *state;

	events_record();
	vstate_start_connect(dev);
	events_check("connected");
	vstate_start_negotiate(dev, V1, false);
	events_check("");
	assert_int_equal(vstate_start(dev, &setup), 0);
	events_check("started");
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	events_check("suspended:request");
	assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
	events_check("resumed");
	vstate_vq_break(dev->vqs[3], VSTATE_FAULT_ADDRESS);
	vstate_broken_report(dev);
	vstate_broken_report(dev);
	events_check("fault:3:address");
	/* the front end takes the rings back, and starts them again */
	vstate_start_end(dev, false);
	events_check("suspended:rings_taken stopped");
	assert_int_equal(vstate_start(dev, &setup), 0);
	events_check("started resumed");
	vstate_run_block(dev, VSTATE_BLOCK_NOT_OWNER);
	vstate_run_block(dev, VSTATE_BLOCK_NOT_OWNER);
	events_check("released");
	vstate_run_unblock(dev, VSTATE_BLOCK_NOT_OWNER);
	events_check("");
	/* what is no event */
	vstate_run_block(dev, VSTATE_BLOCK_MESSAGE);
	vstate_run_unblock(dev, VSTATE_BLOCK_MESSAGE);
	events_check("");
	vstate_start_disconnect(dev, false);
	events_check("suspended:rings_taken stopped disconnected");
}

/* A resume without DRIVER_OK is none: the guest reset its device. */
static void
status_decides_why_a_device_does_not_run(void **state)
{
	static const struct {
		uint8_t status;
		uint32_t blocks;
		const char *events;
	} steps[] = {
		{ DRIVER_OK, 0, "" },
		{ SUSPEND, VSTATE_BLOCK_SUSPENDED, "suspended:request" },
		{ DRIVER_OK, 0, "resumed" },
		{ DRIVER_OK | SUSPEND, VSTATE_BLOCK_SUSPENDED, "suspended:request" },
		{ 0, VSTATE_BLOCK_NO_DRIVER_OK, "" },
		{ SUSPEND, VSTATE_BLOCK_SUSPENDED, "suspended:request" },
		{ SUSPEND | RTE_VHOST_STATE_S_NEEDS_RESET, VSTATE_BLOCK_SUSPENDED, "" },
		{ RTE_VHOST_STATE_S_FEATURES_OK, VSTATE_BLOCK_NO_DRIVER_OK, "" },
	};
	struct vstate_dev *dev = *state;
	size_t i;

	events_record();
	for (i = 0; i < RTE_DIM(steps); i++) {
		vstate_run_status_set(dev, steps[i].status);
		assert_int_equal(vstate_run_status(dev), steps[i].status);
		assert_int_equal(dev->run.blocks & (VSTATE_BLOCK_NO_DRIVER_OK |
				VSTATE_BLOCK_SUSPENDED | VSTATE_BLOCK_RINGS_TAKEN),
				steps[i].blocks);
		events_check(steps[i].events);
	}
	/* rings that were taken back stay so, and are not suspended on request too */
	vstate_run_block(dev, VSTATE_BLOCK_RINGS_TAKEN);
	events_check("suspended:rings_taken");
	vstate_run_status_set(dev, SUSPEND);
	assert_true(dev->run.blocks & VSTATE_BLOCK_RINGS_TAKEN);
	assert_false(dev->run.blocks & VSTATE_BLOCK_SUSPENDED);
	vstate_run_status_set(dev, DRIVER_OK);
	assert_false(dev->run.blocks & VSTATE_BLOCK_RINGS_TAKEN);
	events_check("resumed");
}

/* All reasons together need no more than the buffers of the callers; a short one is not left. */
static void
reasons_are_listed_by_name(void **state)
{
	char text[512], want[512] = "", small[12];
	unsigned int bit;

	RTE_SET_USED(state);
	vstate_blocks_format(0, text, sizeof(text));
	assert_string_equal(text, "");
	for (bit = 0; bit < VSTATE_BLOCK_BIT_MAX; bit++) {
		vstate_blocks_format(RTE_BIT32(bit), text, sizeof(text));
		assert_string_equal(text, vstate_block_name(bit));
		assert_string_not_equal(text, "unknown");
		assert_string_not_equal(vstate_block_text(bit), "unknown reason");
		if (bit > 0)
			strcat(want, ",");
		strcat(want, text);
	}
	vstate_blocks_format(RTE_BIT32(VSTATE_BLOCK_BIT_MAX) - 1, text, sizeof(text));
	assert_string_equal(text, want);
	memset(small, 'x', sizeof(small));
	vstate_blocks_format(RTE_BIT32(VSTATE_BLOCK_BIT_MAX) - 1, small, sizeof(small) - 1);
	assert_int_equal(strlen(small), sizeof(small) - 2);
	assert_memory_equal(small, want, sizeof(small) - 2);
	assert_int_equal(small[sizeof(small) - 1], 'x');
	assert_string_equal(vstate_block_name(VSTATE_BLOCK_BIT_MAX), "unknown");
	assert_string_equal(vstate_block_text(VSTATE_BLOCK_BIT_MAX), "unknown reason");
}

/* The service must not take a queue that is granted to a port. */
static void
only_a_service_enters_a_device_that_it_polls(void **state)
{
	struct vstate_dev *dev = *state;

	vstate_poller_set(dev, VSTATE_POLLER_SERVICE, NULL, NULL);
	assert_false(vstate_run_is_blocked(dev, VSTATE_BLOCK_NO_POLLER));
	assert_true(vstate_lease_is_granted(&dev->poller_lease));
	vstate_poller_set(dev, VSTATE_POLLER_PORT, NULL, NULL);
	assert_false(vstate_run_is_blocked(dev, VSTATE_BLOCK_NO_POLLER));
	assert_false(vstate_lease_is_granted(&dev->poller_lease));
	vstate_poller_fall_back(dev);
	assert_true(vstate_run_is_blocked(dev, VSTATE_BLOCK_NO_POLLER));
	assert_false(vstate_lease_is_granted(&dev->poller_lease));
}

int
test_vstate_run(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_step_of_a_device_is_one_event, device_open,
				device_close),
		cmocka_unit_test_setup_teardown(status_decides_why_a_device_does_not_run,
				device_open, device_close),
		cmocka_unit_test(reasons_are_listed_by_name),
		cmocka_unit_test_setup_teardown(only_a_service_enters_a_device_that_it_polls,
				device_open, device_close),
	};

	return cmocka_run_group_tests_name("vstate_run", tests, NULL, NULL);
}

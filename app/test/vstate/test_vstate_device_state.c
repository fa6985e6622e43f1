/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The device state through a file descriptor: how far one step goes.
 */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_groups.h"
#include "dev/vstate_dev.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_device_state.h"

/* A test that hangs must fail. */
#define HANG_S 20

static int
alarm_set(void **state)
{
	RTE_SET_USED(state);
	alarm(HANG_S);
	return 0;
}

static int
alarm_clear(void **state)
{
	RTE_SET_USED(state);
	alarm(0);
	return 0;
}

/* A device that only loads a state. */
static void
load_begin(struct vstate_dev *dev, int fd)
{
	memset(dev, 0, sizeof(*dev));
	snprintf(dev->name, sizeof(dev->name), "test_state");
	assert_int_equal(vstate_connection_create(dev), 0);
	assert_int_equal(vstate_device_state_start(dev, true, fd), 0);
}

/* A peer that sends single bytes does not hold the watch thread. */
static void
step_of_a_load_is_bounded(void **state)
{
	static struct vstate_dev dev;
	int ends[2], kept, left = 0, i;
	uint8_t byte = 0;

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	kept = dup(ends[0]);
	load_begin(&dev, ends[0]);
	for (i = 0; i < 150; i++)
		assert_int_equal(send(ends[1], &byte, 1, MSG_DONTWAIT), 1);
	assert_true(vstate_device_state_watch(&dev));
	assert_true(vstate_device_state_watch(&dev));
	while (recv(kept, &byte, 1, MSG_DONTWAIT) == 1)
		left++;
	assert_int_equal(left, 150 - 2 * 64);
	/* without new bytes there is no reason to come back soon */
	assert_false(vstate_device_state_watch(&dev));
	vstate_device_state_abort(&dev);
	assert_false(vstate_device_state_watch(&dev));
	vstate_connection_destroy(&dev);
	close(kept);
	close(ends[1]);
}

/* The front end may write to the file until it sends CHECK_DEVICE_STATE. */
static void
file_is_not_read_before_its_check(void **state)
{
	int fd = memfd_create("state", MFD_CLOEXEC), kept = dup(fd);
	const uint8_t bytes[100] = { 0 };
	static struct vstate_dev dev;

	RTE_SET_USED(state);
	load_begin(&dev, fd);
	assert_false(vstate_device_state_watch(&dev));
	assert_int_equal(write(kept, bytes, sizeof(bytes)), 100);
	assert_int_equal(lseek(kept, 0, SEEK_SET), 0);
	assert_false(vstate_device_state_watch(&dev));
	assert_int_equal(lseek(kept, 0, SEEK_CUR), 0);
	/* the bytes are no state */
	assert_true(vstate_device_state_check(&dev) < 0);
	assert_int_equal(lseek(kept, 0, SEEK_CUR), 100);
	assert_int_equal(dev.connection->moved.refused, 1);
	vstate_connection_destroy(&dev);
	close(kept);
}

int
test_vstate_device_state(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(step_of_a_load_is_bounded, alarm_set,
				alarm_clear),
		cmocka_unit_test_setup_teardown(file_is_not_read_before_its_check, alarm_set,
				alarm_clear),
	};

	return cmocka_run_group_tests_name("vstate_device_state", tests, NULL, NULL);
}

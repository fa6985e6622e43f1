/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Bytes through descriptors of a front end's, none of which is set not to block. Where a call
 * waits, an alarm ends the test.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
#include "vhost/vstate_fd_io.h"
#include "vhost/vstate_vhost_user.h"

#define PATIENCE_S 20
#define MOST (1 << 20)

static uint8_t bytes[MOST], got[MOST];

static int
setup(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < MOST; i++)
		bytes[i] = i * 7 + i / 251;
	alarm(PATIENCE_S);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	alarm(0);
	return 0;
}

/* As much as goes in, and out again, until either has to wait. */
static size_t
fill(int fd)
{
	size_t done = 0;
	ssize_t n;

	while ((n = vstate_fd_io_write(fd, bytes + done, MOST - done)) > 0)
		done += n;
	assert_int_equal(n, -EAGAIN);
	return done;
}

static size_t
drain(int fd, ssize_t end)
{
	size_t done = 0;
	ssize_t n;

	while ((n = vstate_fd_io_read(fd, got + done, MOST - done)) > 0)
		done += n;
	assert_int_equal(n, end);
	assert_memory_equal(got, bytes, done);
	return done;
}

/* What @p ends[1] takes comes out of @p ends[0]; no call waits, and no signal comes. */
static void
both_ends(int ends[2])
{
	size_t n;

	assert_int_equal(vstate_fd_io_check(ends[0], true), VSTATE_FD_IO_PEER);
	assert_int_equal(vstate_fd_io_check(ends[1], false), VSTATE_FD_IO_PEER);
	assert_int_equal(vstate_fd_io_read(ends[0], got, sizeof(got)), -EAGAIN);
	n = fill(ends[1]);
	assert_true(n >= 4096);
	assert_int_equal(drain(ends[0], -EAGAIN), n);
	assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), 10);
	close(ends[1]);
	assert_int_equal(drain(ends[0], 0), 10);
	close(ends[0]);
}

static void
pipe_never_waits(void **state)
{
	int ends[2];

	RTE_SET_USED(state);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	both_ends(ends);
	/* one page of it */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
	both_ends(ends);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), -EPIPE);
	close(ends[1]);
}

static void
socket_never_waits(void **state)
{
	int ends[2];

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	both_ends(ends);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[0]);
	assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), -EPIPE);
	close(ends[1]);
}

static void
file_has_an_end(void **state)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	RTE_SET_USED(state);
	assert_true(fd >= 0);
	assert_int_equal(vstate_fd_io_check(fd, false), VSTATE_FD_IO_FILE);
	assert_int_equal(vstate_fd_io_write(fd, bytes, MOST), MOST);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(vstate_fd_io_check(fd, true), VSTATE_FD_IO_FILE);
	assert_int_equal(drain(fd, 0), MOST);
	close(fd);
}

static void
other_descriptors_are_refused(void **state)
{
	int ends[2], fd;

	RTE_SET_USED(state);
	assert_int_equal(vstate_fd_io_check(-1, true), -EBADF);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(vstate_fd_io_check(fd, true), -EINVAL);
	close(fd);
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(vstate_fd_io_check(fd, true), -EINVAL);
	close(fd);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(vstate_fd_io_check(ends[0], false), -EINVAL);
	assert_int_equal(vstate_fd_io_check(ends[1], true), -EINVAL);
	close(ends[0]);
	close(ends[1]);
}

/* ---- the state of a device ---- */

/* A device of which only the transfer is looked at. */
static void
load_begin(struct vstate_dev *dev, int fd)
{
	memset(dev, 0, sizeof(*dev));
	snprintf(dev->name, sizeof(dev->name), "stream");
	assert_int_equal(vstate_connection_create(dev, NULL), 0);
	assert_int_equal(vstate_device_state_start(dev, true, fd), 0);
}

/* A peer that sends byte by byte does not keep who moves them. */
static void
step_of_a_transfer_is_bounded(void **state)
{
	static struct vstate_dev dev;
	int ends[2], kept, left = 0, i;

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	kept = dup(ends[0]);
	load_begin(&dev, ends[0]);
	for (i = 0; i < 150; i++)
		assert_int_equal(send(ends[1], bytes, 1, MSG_DONTWAIT), 1);
	assert_true(vstate_device_state_watch(&dev));
	assert_true(vstate_device_state_watch(&dev));
	while (recv(kept, got, 1, MSG_DONTWAIT) == 1)
		left++;
	assert_int_equal(left, 150 - 2 * 64);
	/* and nobody is in a hurry where nothing comes */
	assert_false(vstate_device_state_watch(&dev));
	vstate_device_state_abort(&dev);
	assert_false(vstate_device_state_watch(&dev));
	vstate_connection_destroy(&dev);
	close(kept);
	close(ends[1]);
}

/* What the front end writes to it later is part of the state, too. */
static void
file_is_not_read_before_its_check(void **state)
{
	int fd = memfd_create("stream", MFD_CLOEXEC), kept = dup(fd);
	static struct vstate_dev dev;

	RTE_SET_USED(state);
	load_begin(&dev, fd);
	assert_false(vstate_device_state_watch(&dev));
	assert_int_equal(write(kept, bytes, 100), 100);
	assert_int_equal(lseek(kept, 0, SEEK_SET), 0);
	assert_false(vstate_device_state_watch(&dev));
	assert_int_equal(lseek(kept, 0, SEEK_CUR), 0);
	/* which is no state */
	assert_true(vstate_device_state_check(&dev) < 0);
	assert_int_equal(lseek(kept, 0, SEEK_CUR), 100);
	assert_int_equal(dev.connection->moved.refused, 1);
	vstate_connection_destroy(&dev);
	close(kept);
}

int
test_vstate_stream(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pipe_never_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(socket_never_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(file_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(other_descriptors_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(step_of_a_transfer_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(file_is_not_read_before_its_check, setup, teardown),
	};

	return cmocka_run_group_tests_name("vstate_fd_io", tests, NULL, NULL);
}

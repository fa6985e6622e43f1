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
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vstate_stream.h"

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

	while ((n = vstate_stream_write(fd, bytes + done, MOST - done)) > 0)
		done += n;
	assert_int_equal(n, -EAGAIN);
	return done;
}

static size_t
drain(int fd, ssize_t end)
{
	size_t done = 0;
	ssize_t n;

	while ((n = vstate_stream_read(fd, got + done, MOST - done)) > 0)
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

	assert_int_equal(vstate_stream_check(ends[0], true), VSTATE_STREAM_PEER);
	assert_int_equal(vstate_stream_check(ends[1], false), VSTATE_STREAM_PEER);
	assert_int_equal(vstate_stream_read(ends[0], got, sizeof(got)), -EAGAIN);
	n = fill(ends[1]);
	assert_true(n >= 4096);
	assert_int_equal(drain(ends[0], -EAGAIN), n);
	assert_int_equal(vstate_stream_write(ends[1], bytes, 10), 10);
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
	assert_int_equal(vstate_stream_write(ends[1], bytes, 10), -EPIPE);
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
	assert_int_equal(vstate_stream_write(ends[1], bytes, 10), -EPIPE);
	close(ends[1]);
}

static void
file_has_an_end(void **state)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	RTE_SET_USED(state);
	assert_true(fd >= 0);
	assert_int_equal(vstate_stream_check(fd, false), VSTATE_STREAM_FILE);
	assert_int_equal(vstate_stream_write(fd, bytes, MOST), MOST);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(vstate_stream_check(fd, true), VSTATE_STREAM_FILE);
	assert_int_equal(drain(fd, 0), MOST);
	close(fd);
}

static void
other_descriptors_are_refused(void **state)
{
	int ends[2], fd;

	RTE_SET_USED(state);
	assert_int_equal(vstate_stream_check(-1, true), -EBADF);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(vstate_stream_check(fd, true), -EINVAL);
	close(fd);
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(vstate_stream_check(fd, true), -EINVAL);
	close(fd);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(vstate_stream_check(ends[0], false), -EINVAL);
	assert_int_equal(vstate_stream_check(ends[1], true), -EINVAL);
	close(ends[0]);
	close(ends[1]);
}

int
test_vstate_stream(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pipe_never_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(socket_never_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(file_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(other_descriptors_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("vstate_stream", tests, NULL, NULL);
}

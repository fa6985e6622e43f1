/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Reads and writes of descriptors that do not have O_NONBLOCK. If a call waits, an alarm ends the
 * test.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_fds.h"
#include "ut_groups.h"
#include "vhost/vstate_fd_io.h"

#define PATIENCE_S 20
#define BYTES_MAX (1 << 20)

static uint8_t bytes[BYTES_MAX], got[BYTES_MAX];

static int
alarm_set(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < BYTES_MAX; i++)
		bytes[i] = i * 7 + i / 251;
	alarm(PATIENCE_S);
	return 0;
}

static int
alarm_clear(void **state)
{
	RTE_SET_USED(state);
	alarm(0);
	return 0;
}

/* Write until the descriptor has no room. @return bytes written */
static size_t
fd_fill(int fd)
{
	size_t done = 0;
	ssize_t n;

	while ((n = vstate_fd_io_write(fd, bytes + done, BYTES_MAX - done)) > 0)
		done += n;
	assert_int_equal(n, -EAGAIN);
	return done;
}

/* Read until vstate_fd_io_read() returns @p end. @return bytes read */
static size_t
fd_drain(int fd, ssize_t end)
{
	size_t done = 0;
	ssize_t n;

	while ((n = vstate_fd_io_read(fd, got + done, BYTES_MAX - done)) > 0)
		done += n;
	assert_int_equal(n, end);
	assert_memory_equal(got, bytes, done);
	return done;
}

/* Bytes written to @p ends[1] are read from @p ends[0]. No call waits or raises a signal. */
static void
ends_check(int ends[2])
{
	size_t n;

	assert_int_equal(vstate_fd_io_check(ends[0], true), VSTATE_FD_IO_PEER);
	assert_int_equal(vstate_fd_io_check(ends[1], false), VSTATE_FD_IO_PEER);
	assert_int_equal(vstate_fd_io_read(ends[0], got, sizeof(got)), -EAGAIN);
	n = fd_fill(ends[1]);
	assert_true(n >= 4096);
	assert_int_equal(fd_drain(ends[0], -EAGAIN), n);
	assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), 10);
	close(ends[1]);
	assert_int_equal(fd_drain(ends[0], 0), 10);
	close(ends[0]);
}

static void
pipe_never_waits(void **state)
{
	const unsigned int before = fds_count();
	int ends[2];

	RTE_SET_USED(state);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	ends_check(ends);
	/* a pipe of one page */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
	ends_check(ends);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), -EPIPE);
	close(ends[1]);
	assert_int_equal(fds_count(), before);
}

/* A signal that the application waits for is not taken from it, and stays blocked or not. */
static void
signal_of_the_application_stays(void **state)
{
	const struct timespec none = { 0 };
	sigset_t broken, before, now;
	int ends[2], again;

	RTE_SET_USED(state);
	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &broken, &before), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	for (again = 0; again < 2; again++) {
		/* with and without a signal that is pending before */
		if (again == 1)
			assert_int_equal(raise(SIGPIPE), 0);
		assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), -EPIPE);
		assert_int_equal(sigpending(&now), 0);
		assert_int_equal(sigismember(&now, SIGPIPE), again);
		assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
		assert_int_equal(sigismember(&now, SIGPIPE), 1);
	}
	assert_int_equal(sigtimedwait(&broken, NULL, &none), SIGPIPE);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), -EPIPE);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	close(ends[1]);
}

static void
socket_never_waits(void **state)
{
	int ends[2];

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ends_check(ends);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[0]);
	assert_int_equal(vstate_fd_io_write(ends[1], bytes, 10), -EPIPE);
	close(ends[1]);
}

static void
file_has_an_end(void **state)
{
	int fd = memfd_create("fd_io", MFD_CLOEXEC);

	RTE_SET_USED(state);
	assert_true(fd >= 0);
	assert_int_equal(vstate_fd_io_check(fd, false), VSTATE_FD_IO_FILE);
	assert_int_equal(vstate_fd_io_write(fd, bytes, BYTES_MAX), BYTES_MAX);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(vstate_fd_io_check(fd, true), VSTATE_FD_IO_FILE);
	assert_int_equal(fd_drain(fd, 0), BYTES_MAX);
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

int
test_vstate_fd_io(void)
{
	static const struct CMUnitTest tests[] = {
#define WITH_ALARM(test) cmocka_unit_test_setup_teardown(test, alarm_set, alarm_clear)
		WITH_ALARM(pipe_never_waits),
		WITH_ALARM(signal_of_the_application_stays),
		WITH_ALARM(socket_never_waits),
		WITH_ALARM(file_has_an_end),
		WITH_ALARM(other_descriptors_are_refused),
#undef WITH_ALARM
	};

	return cmocka_run_group_tests_name("vstate_fd_io", tests, NULL, NULL);
}

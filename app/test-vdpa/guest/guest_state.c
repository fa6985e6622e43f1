/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest_core.h"
#include "guest_state.h"
#include "vhost_user_fe.h"

#define STEP 65536u
/* Longest time without progress of the back end during a transfer. */
#define SILENCE_MS 5000

static int
await_fd(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&pfd, 1, SILENCE_MS);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

/* Read until the other end is closed. */
static int
read_all(int fd, uint8_t **bytes, size_t *len)
{
	size_t size = 0;
	uint8_t *more;
	ssize_t n;
	int ret;

	for (;;) {
		if (*len == size) {
			more = realloc(*bytes, size + STEP);
			if (more == NULL)
				return -ENOMEM;
			*bytes = more;
			size += STEP;
		}
		ret = await_fd(fd, POLLIN);
		if (ret < 0)
			return ret;
		n = read(fd, *bytes + *len, size - *len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		*len += n > 0 ? n : 0;
	}
}

/* Write without SIGPIPE: if the back end is gone, the result is EPIPE and the tool continues. */
static ssize_t
write_quietly(int fd, const void *bytes, size_t len)
{
	const struct timespec now = { 0 };
	sigset_t broken, old;
	ssize_t n;
	int err;

	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &broken, &old);
	n = write(fd, bytes, len);
	err = errno;
	if (n < 0 && err == EPIPE)
		sigtimedwait(&broken, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return n;
}

static int
write_all(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t n;
	int ret;

	while (len > 0) {
		ret = await_fd(fd, POLLOUT);
		if (ret < 0)
			return ret;
		n = write_quietly(fd, bytes, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= n;
		}
	}
	return 0;
}

/*
 * Send one end of a pipe to the back end. @p fd gets the other end, or the descriptor that the back
 * end returned instead.
 */
static int
transfer_begin(struct guest_link *l, bool load, int *fd)
{
	int ends[2], other = -1, ret;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ret = vu_fe_set_device_state_fd(&l->fe, load, ends[load ? 0 : 1], &other);
	close(ends[load ? 0 : 1]);
	*fd = ends[load ? 1 : 0];
	if (ret < 0 || other >= 0)
		close(*fd);
	if (other >= 0)
		*fd = other;
	if (ret == 0 && load && fcntl(*fd, F_SETFL, O_NONBLOCK) < 0) {
		ret = -errno;
		close(*fd);
	}
	return ret;
}

int
guest_link_state_save(struct guest_link *l, void **bytes, size_t *len)
{
	uint8_t *buf = NULL;
	int fd, ret, check;

	*bytes = NULL;
	*len = 0;
	ret = transfer_begin(l, false, &fd);
	if (ret < 0)
		return ret;
	ret = read_all(fd, &buf, len);
	close(fd);
	check = vu_fe_check_device_state(&l->fe);
	if (ret == 0)
		ret = check;
	if (ret == 0 && *len > 0)
		*bytes = buf;
	else
		free(buf);
	return ret;
}

int
guest_link_state_load(struct guest_link *l, const void *bytes, size_t len)
{
	int fd, ret, check;

	ret = transfer_begin(l, true, &fd);
	if (ret < 0)
		return ret;
	ret = write_all(fd, bytes, len);
	close(fd);
	check = vu_fe_check_device_state(&l->fe);
	return ret == 0 ? check : ret;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backend_msg.h"
#include "clock.h"

#define BACKEND_MSG_MAGIC 0x65726977	/* "wire" */
#define NO_DEADLINE UINT64_MAX

static uint64_t
deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? NO_DEADLINE : clock_ns() + timeout_ms * UINT64_C(1000000);
}

/* Wait for @p events until the deadline. */
static int
wait_for(int fd, short events, uint64_t until)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	uint64_t now;
	int ret;

	do {
		now = clock_ns();
		if (now >= until)
			return -ETIMEDOUT;
		/* Rounded up: with 0 ms the last wait would be a busy loop. */
		ret = poll(&pfd, 1, until == NO_DEADLINE ? -1 : (int)((until - now) / 1000000 + 1));
	} while (ret == 0 || (ret < 0 && errno == EINTR));
	return ret < 0 ? -errno : 0;
}

static bool
may_try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static int
send_all(int fd, const void *bytes, size_t len, uint64_t until)
{
	const char *p = bytes;
	ssize_t n;
	int ret;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			p += n;
			len -= n;
			continue;
		}
		if (errno == ECONNRESET)
			return -EPIPE;
		if (!may_try_again())
			return -errno;
		ret = wait_for(fd, POLLOUT, until);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int
recv_all(int fd, void *bytes, size_t len, uint64_t until)
{
	char *p = bytes;
	ssize_t n;
	int ret;

	while (len > 0) {
		n = recv(fd, p, len, MSG_DONTWAIT);
		if (n > 0) {
			p += n;
			len -= n;
			continue;
		}
		if (n == 0 || errno == ECONNRESET)
			return -EPIPE;
		if (!may_try_again())
			return -errno;
		ret = wait_for(fd, POLLIN, until);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int
backend_msg_send(int fd, struct backend_msg_head *head, const void *bytes, int timeout_ms)
{
	uint64_t until = deadline_after(timeout_ms);
	int ret;

	head->magic = BACKEND_MSG_MAGIC;
	ret = send_all(fd, head, sizeof(*head), until);
	if (ret == 0 && head->len > 0)
		ret = send_all(fd, bytes, head->len, until);
	return ret;
}

int
backend_msg_recv(int fd, struct backend_msg_head *head, void **bytes, int timeout_ms)
{
	uint64_t until = deadline_after(timeout_ms);
	int ret;

	*bytes = NULL;
	ret = recv_all(fd, head, sizeof(*head), until);
	if (ret < 0)
		return ret;
	if (head->magic != BACKEND_MSG_MAGIC || head->len > BACKEND_MSG_MAX_LEN)
		return -EBADMSG;
	if (head->len == 0)
		return 0;
	*bytes = malloc(head->len);
	if (*bytes == NULL)
		return -ENOMEM;
	ret = recv_all(fd, *bytes, head->len, until);
	if (ret < 0) {
		free(*bytes);
		*bytes = NULL;
	}
	return ret;
}

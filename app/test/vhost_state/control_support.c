/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "control_support.h"
#include "rte_vhost_state_backend.h"
#include "rte_vhost_state_control.h"
#include "vhost_state_sample.h"
#include "vstate_compat.h"

struct control_fake control_fakes[2];
char control_dir[64], control_path[96];

/* ---- a back end ---- */

static int
fake_info_get(void *ctx, struct rte_vhost_state_info *info)
{
	struct control_fake *dev = ctx;

	info->status = dev->status;
	info->connected = true;
	info->limits = sample_limits();
	info->suspend.last_ns = 7;
	return 0;
}

static int
fake_suspend(void *ctx, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	struct control_fake *dev = ctx;
	int ret;

	if (dev->gated) {
		sem_post(&dev->entered);
		while (sem_wait(&dev->leave) != 0)
			;
	}
	if (timeout_us == 12345)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_TIMEOUT, 3, timeout_us, 99);
	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_SUSPEND, err);
	if (ret == 0) {
		dev->changes++;
		dev->status = SAMPLE_SUSPENDED;
	}
	return ret;
}

static int
fake_resume(void *ctx, struct rte_vhost_state_error *err)
{
	struct control_fake *dev = ctx;
	int ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_RESUME, err);

	if (ret == 0) {
		dev->changes++;
		dev->status = 0x0f;
	}
	return ret;
}

static struct rte_vhost_state *
fake_capture(void *ctx, struct rte_vhost_state_error *err)
{
	struct control_fake *dev = ctx;

	if (rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_CAPTURE, err) != 0)
		return NULL;
	return rte_vhost_state_copy(dev->st);
}

static int
fake_restore(void *ctx, const struct rte_vhost_state *st, struct rte_vhost_state_error *err)
{
	struct control_fake *dev = ctx;
	int ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_RESTORE, err);

	if (ret == 0) {
		dev->changes++;
		rte_vhost_state_free(dev->st);
		dev->st = rte_vhost_state_copy(st);
	}
	return ret;
}

static int
fake_release(void *ctx, struct rte_vhost_state_error *err)
{
	struct control_fake *dev = ctx;

	if (dev->changes > 0)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_UNDER_WAY, -1, 0, 0);
	dev->changes++;
	return 0;
}

static int
fake_stats_get(void *ctx, rte_vhost_state_stat_cb cb, void *arg)
{
	int vq;

	cb(arg, -1, "starts", 2);
	/* much: the reply of a device with all its queues */
	for (vq = 0; vq < RTE_VHOST_STATE_MAX_VQ; vq++) {
		cb(arg, vq, "good_packets", 1000 + vq);
		cb(arg, vq, "good_bytes_of_a_counter_with_a_long_name", UINT64_C(1) << 52);
		cb(arg, vq, "another_counter_with_a_name_that_is_long", UINT64_C(1) << 52);
		cb(arg, vq, "a_third_counter_with_a_name_that_is_long", UINT64_C(1) << 52);
	}
	return 0;
}

static const struct rte_vhost_state_ops fake_ops = {
	.info_get = fake_info_get,
	.suspend = fake_suspend,
	.resume = fake_resume,
	.capture = fake_capture,
	.restore = fake_restore,
	.release = fake_release,
	.stats_get = fake_stats_get,
};

/* What a back end must have, and no more. */
const struct rte_vhost_state_ops control_small_ops = {
	.info_get = fake_info_get,
	.suspend = fake_suspend,
	.resume = fake_resume,
	.capture = fake_capture,
	.restore = fake_restore,
};

int
control_setup(void **state)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(control_fakes); i++) {
		memset(&control_fakes[i], 0, sizeof(control_fakes[i]));
		control_fakes[i].status = 0x0f;
		control_fakes[i].st = i == 0 ? sample_split() : sample_packed_descs();
		sem_init(&control_fakes[i].entered, 0, 0);
		sem_init(&control_fakes[i].leave, 0, 0);
	}
	assert_int_equal(rte_vhost_state_register("one", &fake_ops, &control_fakes[0]), 0);
	assert_int_equal(rte_vhost_state_register("tw\xffo", &control_small_ops, &control_fakes[1]), 0);
	assert_int_equal(rte_vhost_state_control_open(control_path, 0), 0);
	return 0;
}

int
control_teardown(void **state)
{
	unsigned int i;

	assert_int_equal(rte_vhost_state_control_close(control_path), 0);
	assert_int_not_equal(access(control_path, F_OK), 0);
	assert_int_equal(rte_vhost_state_unregister("one"), 0);
	assert_int_equal(rte_vhost_state_unregister("tw\xffo"), 0);
	for (i = 0; i < RTE_DIM(control_fakes); i++)
		rte_vhost_state_free(control_fakes[i].st);
	return 0;
}

/* ---- a client ---- */

int
control_dial_path(const char *to)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memccpy(un.sun_path, to, 0, sizeof(un.sun_path) - 1);
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

int
control_dial(void)
{
	int fd = control_dial_path(control_path);

	assert_true(fd >= 0);
	return fd;
}

void
control_put(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

void
control_say(int fd, const char *line)
{
	control_put(fd, line, strlen(line));
	control_put(fd, "\n", 1);
}

void
control_say_with_fd(int fd, const char *line, int passed)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { RTE_PTR_UNQUAL(line), strlen(line) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
	assert_int_equal(sendmsg(fd, &msg, MSG_NOSIGNAL), (ssize_t)strlen(line));
	control_put(fd, "\n", 1);
}

/* Read what is there, up to the end of a line. @return its length; 0: the connection was closed */
static size_t
line_part_read(int fd, char *to, size_t room)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const char *end;
	ssize_t n;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	n = recv(fd, to, room, MSG_PEEK);
	if (n <= 0)
		return 0;
	end = memchr(to, '\n', (size_t)n);
	n = recv(fd, to, end != NULL ? (size_t)(end - to) + 1 : (size_t)n, 0);
	return n > 0 ? (size_t)n : 0;
}

json_t *
control_hear(int fd)
{
	static char line[1 << 20];
	json_error_t why;
	json_t *object;
	size_t len = 0, n;

	do {
		assert_true(len < sizeof(line));
		n = line_part_read(fd, line + len, sizeof(line) - len);
		if (n == 0)
			return NULL;
		len += n;
	} while (line[len - 1] != '\n');
	object = json_loadb(line, len, 0, &why);
	if (object == NULL)
		fail_msg("not JSON: %.*s", (int)len, line);
	return object;
}

json_t *
control_ask(int fd, const char *line)
{
	json_t *reply;

	control_say(fd, line);
	reply = control_hear(fd);
	assert_non_null(reply);
	return reply;
}

bool
control_is_ok(const json_t *reply)
{
	return json_is_true(json_object_get(reply, "ok"));
}

/* The reply is a refusal with this reason and a text, and is freed. */
void
control_refused(json_t *reply, const char *reason)
{
	assert_non_null(reply);
	assert_false(control_is_ok(reply));
	assert_string_equal(json_string_value(json_object_get(reply, "reason")), reason);
	assert_true(strlen(json_string_value(json_object_get(reply, "text"))) > 5);
	json_decref(reply);
}

void
control_done(json_t *reply)
{
	if (!control_is_ok(reply))
		fail_msg("refused: %s", json_dumps(reply, 0));
	json_decref(reply);
}

json_int_t
control_number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

/* Wait until the peer closed the connection, and read what it sent before. */
void
control_closed_by_peer(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[4096];

	do
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0);
	close(fd);
}

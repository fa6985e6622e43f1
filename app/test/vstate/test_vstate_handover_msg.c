/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Messages between the owner of a device and the process that takes it over: whole, broken, and of
 * another user.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_fds.h"
#include "ut_groups.h"
#include "dev/vstate_clock.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"

#define MAGIC 0x766f646e61687376ull
#define SOON (vstate_clock_ms() + 5000)

struct bench {
	char dir[64], path[80];
	/** Descriptors open before. */
	unsigned int fds;
	int listener;
	/** The two ends of a connection. */
	int pair[2];
};

#define NOBODY 65534

static int
bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	snprintf(b->dir, sizeof(b->dir), "/tmp/vstate-handover.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/socket", b->dir);
	b->fds = fds_count();
	b->listener = vstate_handover_msg_listen(b->path);
	assert_true(b->listener >= 0);
	b->pair[0] = vstate_handover_msg_connect(b->path);
	assert_true(b->pair[0] >= 0);
	b->pair[1] = vstate_handover_msg_accept(b->listener);
	assert_true(b->pair[1] >= 0);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	close(b->pair[0]);
	close(b->pair[1]);
	close(b->listener);
	unlink(b->path);
	assert_int_equal(fds_count(), b->fds);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	return 0;
}

/* A message of @p n items: each has as many bytes and descriptors as its number modulo 9. */
static struct vstate_handover_msg
message_make(unsigned int n)
{
	struct vstate_handover_msg msg = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, n);
	uint8_t bytes[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	unsigned int i, j;
	int fds[9] = { 0 };

	for (i = 0; i < n; i++) {
		for (j = 0; j < i % 9; j++)
			fds[j] = eventfd(100 * i + j + 1, 0);
		assert_int_equal(vstate_handover_msg_add(&msg, i, bytes, i % 9, fds, i % 9), 0);
		/* the message has copies */
		for (j = 0; j < i % 9; j++)
			close(fds[j]);
	}
	return msg;
}

static void
message_expect(const struct vstate_handover_msg *msg, unsigned int n)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;
	unsigned int i, j;

	assert_int_equal(msg->kind, VSTATE_HANDOVER_OFFER);
	assert_int_equal(msg->value, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(vstate_handover_msg_next(msg, &cursor, &item), 1);
		assert_int_equal(item.type, i);
		assert_int_equal(item.size, i % 9);
		assert_int_equal(item.nb_fds, i % 9);
		for (j = 0; j < i % 9; j++) {
			assert_int_equal(item.bytes[j], j + 1);
			assert_int_equal(eventfd_counter(item.fds[j]), 100 * i + j + 1);
		}
	}
	assert_int_equal(vstate_handover_msg_next(msg, &cursor, &item), 0);
}

/* Up to the messages of 64 pairs. */
static void
message_arrives_whole(void **state)
{
	static const unsigned int counts[] = { 0, 1, 2, 9, 40, 200 };
	struct vstate_handover_msg msg, got;
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(counts); i++) {
		msg = message_make(counts[i]);
		assert_int_equal(vstate_handover_msg_send(b->pair[0], &msg, SOON), 0);
		vstate_handover_msg_drop(&msg);
		assert_int_equal(vstate_handover_msg_receive(b->pair[1], &got, SOON, -1), 0);
		message_expect(&got, counts[i]);
		vstate_handover_msg_drop(&got);
	}
}

static void
taken_descriptor_outlives_the_message(void **state)
{
	struct vstate_handover_msg msg = message_make(2);
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;
	int fd;

	RTE_SET_USED(state);
	assert_int_equal(vstate_handover_msg_next(&msg, &cursor, &item), 1);
	assert_int_equal(vstate_handover_item_take(&item), -1);
	assert_int_equal(vstate_handover_msg_next(&msg, &cursor, &item), 1);
	fd = vstate_handover_item_take(&item);
	vstate_handover_msg_drop(&msg);
	assert_int_equal(eventfd_counter(fd), 101);
	close(fd);
}

static void
item_that_cannot_be_added_changes_nothing(void **state)
{
	struct vstate_handover_msg msg = message_make(3);
	const int fds[] = { STDERR_FILENO, -1 };
	static const uint8_t bytes[VSTATE_HANDOVER_ITEM_MAX + 1];
	const unsigned int before = fds_count();

	RTE_SET_USED(state);
	assert_int_equal(vstate_handover_msg_add(&msg, 3, NULL, 0, fds, 2), -EBADF);
	assert_int_equal(vstate_handover_msg_add(&msg, 3, bytes, sizeof(bytes), NULL, 0),
			-EMSGSIZE);
	assert_int_equal(fds_count(), before);
	msg.value = 3;
	message_expect(&msg, 3);
	vstate_handover_msg_drop(&msg);
}

static void
waits_end(void **state)
{
	const int wake = eventfd(1, 0);
	struct vstate_handover_msg got;
	struct bench *b = *state;

	assert_int_equal(vstate_handover_msg_receive(b->pair[1], &got, vstate_clock_ms() + 5, -1),
			-ETIMEDOUT);
	assert_int_equal(vstate_handover_msg_receive(b->pair[1], &got, SOON, wake), -ECANCELED);
	close(wake);
	shutdown(b->pair[0], SHUT_RDWR);
	assert_int_equal(vstate_handover_msg_receive(b->pair[1], &got, SOON, -1), -EPIPE);
	assert_null(got.bytes);
	assert_int_equal(vstate_handover_msg_connect("/nonexistent/socket"), -ENOENT);
}

/* A reader that never reads does not hold the sender. */
static void
send_ends_without_a_reader(void **state)
{
	struct vstate_handover_msg msg = message_make(1);
	struct bench *b = *state;
	int ret = 0, i;

	for (i = 0; i < 1000000 && ret == 0; i++)
		ret = vstate_handover_msg_send(b->pair[0], &msg, vstate_clock_ms() + 20);
	assert_int_equal(ret, -ETIMEDOUT);
	vstate_handover_msg_drop(&msg);
}

static void
cut_message_is_refused(void **state)
{
	struct vstate_handover_msg msg = message_make(12), cut;
	struct vstate_handover_cursor cursor;
	struct vstate_handover_item item;
	size_t len;
	int ret;

	RTE_SET_USED(state);
	for (len = 1; len < msg.len; len++) {
		cut = msg;
		cut.len = len;
		cursor = (struct vstate_handover_cursor){ 0 };
		while ((ret = vstate_handover_msg_next(&cut, &cursor, &item)) == 1)
			assert_true(item.bytes + item.size <= cut.bytes + len);
		/* a cut between two items is not seen */
		assert_true(ret == -EBADMSG || (ret == 0 && cursor.at == len));
	}
	cut = msg;
	cut.nb_fds = 1;
	cursor = (struct vstate_handover_cursor){ 0 };
	while ((ret = vstate_handover_msg_next(&cut, &cursor, &item)) == 1)
		assert_true(item.nb_fds <= 1);
	assert_int_equal(ret, -EBADMSG);
	vstate_handover_msg_drop(&msg);
}

/* From another version, another program, or a process that died. */
static void
broken_message_is_refused(void **state)
{
	static const struct {
		uint64_t magic;
		uint32_t version, kind, value, nb_fds;
		uint64_t len;
	} headers[] = {
		{ 0, 2, 1, 0, 0, 0 },
		{ MAGIC, 1, 1, 0, 0, 0 },
		{ MAGIC, 3, 1, 0, 0, 0 },
		{ MAGIC, 2, 1, 0, 5000, 0 },
		{ MAGIC, 2, 1, 0, 0, UINT64_MAX },
		/* bytes or descriptors that are announced and do not come */
		{ MAGIC, 2, 1, 0, 0, 1 },
		{ MAGIC, 2, 1, 0, 1, 0 },
	};
	struct vstate_handover_msg got;
	unsigned int i;
	int ends[2];

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(headers); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		assert_int_equal(send(ends[0], &headers[i], sizeof(headers[i]), 0),
				sizeof(headers[i]));
		/* in place of a byte with a descriptor */
		if (headers[i].nb_fds == 1)
			assert_int_equal(send(ends[0], "", 1, 0), 1);
		close(ends[0]);
		assert_true(vstate_handover_msg_receive(ends[1], &got, SOON, -1) < 0);
		assert_null(got.bytes);
		assert_int_equal(got.nb_fds, 0);
		close(ends[1]);
	}
}

/* A byte without its descriptor is refused at once, whatever follows. */
static void
byte_without_a_descriptor_is_refused(void **state)
{
	static const struct {
		uint64_t magic;
		uint32_t version, kind, value, nb_fds;
		uint64_t len;
	} header = { MAGIC, 2, 1, 0, 2, 0 };
	const uint64_t until = vstate_clock_ms() + 30000;
	struct vstate_handover_msg got;
	int ends[2];

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(send(ends[0], &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(send(ends[0], "bytes", 5, 0), 5);
	assert_int_equal(vstate_handover_msg_receive(ends[1], &got, until, -1), -EBADMSG);
	assert_true(vstate_clock_ms() < until);
	close(ends[0]);
	close(ends[1]);
}

/* As many descriptors as one call takes, one more, and less room than came. */
static void
descriptors_of_one_call_are_bounded(void **state)
{
	int fds[VSTATE_SCM_MAX_FDS + 1], got[VSTATE_SCM_MAX_FDS], ends[2];
	unsigned int before, nb, i, room;
	char byte = 'a';

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (i = 0; i < RTE_DIM(fds); i++)
		fds[i] = ends[0];
	before = fds_count();
	assert_int_equal(vstate_scm_send(ends[0], &byte, 1, fds, VSTATE_SCM_MAX_FDS + 1),
			-EMSGSIZE);
	for (room = VSTATE_SCM_MAX_FDS; room + 1 >= VSTATE_SCM_MAX_FDS; room--) {
		nb = 0;
		assert_int_equal(vstate_scm_send(ends[0], &byte, 1, fds, VSTATE_SCM_MAX_FDS), 1);
		assert_int_equal(vstate_scm_recv(ends[1], &byte, 1, got, room, &nb),
				room < VSTATE_SCM_MAX_FDS ? -EMSGSIZE : 1);
		assert_int_equal(nb, room);
		for (i = 0; i < nb; i++)
			close(got[i]);
		/* those without room are closed */
		assert_int_equal(fds_count(), before);
	}
	close(ends[0]);
	close(ends[1]);
}

/* ---- another user ---- */

/* Run @p fn as an unprivileged user, in a process of its own. @return its exit status */
static int
nobody_run(int (*fn)(struct bench *b), struct bench *b)
{
	int status = -1;
	pid_t child;

	/* a directory that all users can write to, by an administrator's mistake */
	assert_int_equal(chmod(b->dir, 01777), 0);
	assert_int_equal(chmod(b->path, 0777), 0);
	child = fork();
	if (child == 0)
		_exit(setgid(NOBODY) == 0 && setuid(NOBODY) == 0 ? fn(b) : 99);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

/* The listener is of another user for this process, which goes away without a message. */
static int
owner_connect(struct bench *b)
{
	return vstate_handover_msg_connect(b->path) == -EPERM ? 0 : 1;
}

static void
request_of_another_user_is_refused(void **state)
{
	struct bench *b = *state;
	int fd;

	if (geteuid() != 0)
		skip();
	assert_int_equal(nobody_run(owner_connect, b), 0);
	assert_int_equal(vstate_handover_msg_accept(b->listener), -EPERM);
	assert_int_equal(vstate_handover_msg_accept(b->listener), -EAGAIN);
	/* another user does not keep the successor out */
	assert_int_equal(nobody_run(owner_connect, b), 0);
	fd = vstate_handover_msg_connect(b->path);
	assert_true(fd >= 0);
	assert_int_equal(vstate_handover_msg_accept(b->listener), -EPERM);
	close(fd);
	fd = vstate_handover_msg_accept(b->listener);
	assert_true(fd >= 0);
	close(fd);
}

/* Listen in place of the owner, and leave the listening socket to the test. */
static int
trap_set(struct bench *b)
{
	int trap;

	snprintf(b->path, sizeof(b->path), "%s/trap", b->dir);
	trap = vstate_handover_msg_listen(b->path);
	if (trap < 0 || chmod(b->path, 0777) != 0)
		return 1;
	/* the creator of the socket counts, not the process that holds it */
	return vstate_scm_send(b->pair[1], "", 1, &trap, 1) == 1 ? 0 : 2;
}

static void
owner_of_another_user_is_not_asked(void **state)
{
	struct bench *b = *state;
	unsigned int nb_fds = 0;
	int trap = -1;
	char path[sizeof(b->path)], byte;

	if (geteuid() != 0)
		skip();
	assert_int_equal(nobody_run(trap_set, b), 0);
	assert_int_equal(vstate_scm_recv(b->pair[0], &byte, 1, &trap, 1, &nb_fds), 1);
	assert_true(trap >= 0);
	snprintf(path, sizeof(path), "%s/trap", b->dir);
	assert_int_equal(vstate_handover_msg_connect(path), -EPERM);
	close(trap);
	unlink(path);
}

int
test_vstate_handover_msg(void)
{
	static const struct CMUnitTest tests[] = {
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)
		WITH_BENCH(message_arrives_whole),
		WITH_BENCH(taken_descriptor_outlives_the_message),
		WITH_BENCH(item_that_cannot_be_added_changes_nothing),
		WITH_BENCH(waits_end),
		WITH_BENCH(send_ends_without_a_reader),
		WITH_BENCH(cut_message_is_refused),
		WITH_BENCH(byte_without_a_descriptor_is_refused),
		WITH_BENCH(descriptors_of_one_call_are_bounded),
		WITH_BENCH(broken_message_is_refused),
		WITH_BENCH(request_of_another_user_is_refused),
		WITH_BENCH(owner_of_another_user_is_not_asked),
#undef WITH_BENCH
	};

	return cmocka_run_group_tests_name("vstate_handover_msg", tests, NULL, NULL);
}

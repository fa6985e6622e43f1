/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The handover message: its way from process to process, and from whom it is accepted.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_fds.h"
#include "ut_groups.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"

struct bench {
	char dir[64], path[128];
	/** Descriptors open before. */
	unsigned int fds;
	int listener;
	/** A socket pair to a process of another user. */
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
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	vstate_handover_msg_unlisten(b->listener, b->path);
	assert_int_equal(fds_count(), b->fds);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	return 0;
}

/* A message with a connection, as for a device with many queues. */
static void
message_fill(struct vstate_handover_msg *p, size_t len, unsigned int nb_fds)
{
	size_t i;

	assert_int_equal(vstate_handover_msg_alloc(p, len, nb_fds), 0);
	p->connection = eventfd(4711, 0);
	for (i = 0; i < len; i++)
		p->bytes[i] = i * 7;
	p->len = len;
	while (p->nb_fds < nb_fds) {
		p->fds[p->nb_fds] = eventfd(p->nb_fds + 1, 0);
		assert_true(p->fds[p->nb_fds] >= 0);
		p->nb_fds++;
	}
}

static void
message_arrives_whole(void **state)
{
	static const unsigned int counts[] = { 0, 1, VSTATE_SCM_MAX_FDS, VSTATE_SCM_MAX_FDS + 1,
		400 };
	struct vstate_handover_msg p, got;
	struct bench *b = *state;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(counts); i++) {
		message_fill(&p, 100 * counts[i], counts[i]);
		assert_int_equal(vstate_handover_msg_send(b->path, &p), 0);
		assert_int_equal(vstate_handover_msg_receive(b->listener, &got), 0);
		assert_int_equal(got.len, p.len);
		assert_memory_equal(got.bytes, p.bytes, p.len);
		assert_int_equal(got.nb_fds, p.nb_fds);
		for (j = 0; j < got.nb_fds; j++)
			assert_int_equal(eventfd_counter(got.fds[j]), j + 1);
		assert_int_equal(eventfd_counter(got.connection), 4711);
		vstate_handover_msg_drop(&got);
		vstate_handover_msg_drop(&p);
	}
}

static void
without_a_peer_nothing_waits(void **state)
{
	struct vstate_handover_msg p, got;
	struct bench *b = *state;

	assert_int_equal(vstate_handover_msg_receive(b->listener, &got), -EAGAIN);
	assert_int_equal(got.connection, -1);
	message_fill(&p, 10, 1);
	vstate_handover_msg_unlisten(b->listener, b->path);
	b->listener = -1;
	assert_int_equal(vstate_handover_msg_send(b->path, &p), -ENOENT);
	vstate_handover_msg_drop(&p);
}

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

static int
message_send(struct bench *b)
{
	struct vstate_handover_msg p;

	message_fill(&p, 3, 0);
	/* the connection is made, but the listener is another user for this process */
	return vstate_handover_msg_send(b->path, &p) == -EPERM ? 0 : 1;
}

static void
message_of_another_user_is_refused(void **state)
{
	struct vstate_handover_msg p, got;
	struct bench *b = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(nobody_run(message_send, b), 0);
	assert_int_equal(vstate_handover_msg_receive(b->listener, &got), -EPERM);
	/* messages of another user do not keep the owner's message out */
	assert_int_equal(nobody_run(message_send, b), 0);
	message_fill(&p, 7, 1);
	assert_int_equal(vstate_handover_msg_send(b->path, &p), 0);
	assert_int_equal(vstate_handover_msg_receive(b->listener, &got), 0);
	assert_int_equal(got.len, 7);
	vstate_handover_msg_drop(&got);
	vstate_handover_msg_drop(&p);
}

/* Listen in place of the new owner, and leave the listening socket to the test. */
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
nothing_is_sent_to_another_user(void **state)
{
	struct bench *b = *state;
	struct vstate_handover_msg p;
	unsigned int nb_fds = 0;
	int trap = -1, taken;
	char path[sizeof(b->path)], byte;

	if (geteuid() != 0)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b->pair), 0);
	assert_int_equal(nobody_run(trap_set, b), 0);
	assert_int_equal(vstate_scm_recv(b->pair[0], &byte, 1, &trap, 1, &nb_fds), 1);
	assert_true(trap >= 0);
	snprintf(path, sizeof(path), "%s/trap", b->dir);
	message_fill(&p, 10, 3);
	assert_int_equal(vstate_handover_msg_send(path, &p), -EPERM);
	/* no byte and no descriptor arrived */
	taken = accept4(trap, NULL, NULL, SOCK_CLOEXEC);
	assert_true(taken >= 0);
	assert_int_equal(recv(taken, &byte, 1, MSG_DONTWAIT), 0);
	close(taken);
	close(trap);
	close(b->pair[0]);
	close(b->pair[1]);
	unlink(path);
	vstate_handover_msg_drop(&p);
}

/* From another version, another program, or a process that died. */
static void
broken_message_is_refused(void **state)
{
	static const struct {
		uint64_t magic;
		uint32_t version, nb_fds;
		uint64_t len;
		unsigned int connections, bytes;
	} headers[] = {
		{ 0, 1, 0, 0, 1, 24 },
		{ 0x6c65637261707376, 2, 0, 0, 1, 24 },
		{ 0x6c65637261707376, 1, 5000, 0, 1, 24 },
		{ 0x6c65637261707376, 1, 0, UINT64_MAX, 1, 24 },
		{ 0x6c65637261707376, 1, 0, 0, 0, 24 },
		{ 0x6c65637261707376, 1, 0, 0, 2, 24 },
		{ 0x6c65637261707376, 1, 0, 0, 1, 23 },
		/* bytes or descriptors that are announced and do not come */
		{ 0x6c65637261707376, 1, 0, 1, 1, 24 },
		{ 0x6c65637261707376, 1, 1, 0, 1, 24 },
	};
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct vstate_handover_msg got;
	struct bench *b = *state;
	int fds[2] = { 0, 0 }, fd;
	unsigned int i;

	memcpy(un.sun_path, b->path, sizeof(b->path) < sizeof(un.sun_path) ?
			sizeof(b->path) : sizeof(un.sun_path) - 1);
	for (i = 0; i < RTE_DIM(headers); i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
		assert_int_equal(vstate_scm_send(fd, &headers[i], headers[i].bytes, fds,
				headers[i].connections), headers[i].bytes);
		assert_true(vstate_handover_msg_receive(b->listener, &got) < 0);
		assert_int_equal(got.connection, -1);
		assert_null(got.bytes);
		close(fd);
	}
}

int
test_vstate_handover_msg(void)
{
	static const struct CMUnitTest tests[] = {
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)
		WITH_BENCH(message_arrives_whole),
		WITH_BENCH(without_a_peer_nothing_waits),
		WITH_BENCH(message_of_another_user_is_refused),
		WITH_BENCH(nothing_is_sent_to_another_user),
		WITH_BENCH(broken_message_is_refused),
#undef WITH_BENCH
	};

	return cmocka_run_group_tests_name("vstate_handover_msg", tests, NULL, NULL);
}

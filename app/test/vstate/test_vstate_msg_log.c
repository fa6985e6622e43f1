/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * What a front end said, noted and taken out again, and its way to another process.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

#include "ut_groups.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"
#include "vhost/vstate_msg_log.h"
#include "vhost/vstate_vhost_user.h"

#define NB_VQS 4

static unsigned int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* ---- a front end that talks ---- */

static void
say(struct vstate_msg_log *s, const struct msg *msg, const int *fds, int nb_fds)
{
	vstate_msg_log_note(s, msg, fds, nb_fds);
	vstate_msg_log_hold(s);
}

static void
say_u64(struct vstate_msg_log *s, uint32_t request, uint64_t value)
{
	const struct msg msg = { .request = request, .size = sizeof(uint64_t), .u64 = value };

	say(s, &msg, NULL, 0);
}

static void
say_state(struct vstate_msg_log *s, uint32_t request, uint32_t index, uint32_t num)
{
	const struct msg msg = { .request = request, .size = sizeof(msg.state),
		.state = { index, num } };

	say(s, &msg, NULL, 0);
}

/* The descriptor is the caller's no more, as rte_vhost closes it. */
static void
say_fd(struct vstate_msg_log *s, uint32_t request, uint64_t value, int fd)
{
	const struct msg msg = { .request = request, .size = sizeof(uint64_t), .u64 = value };

	assert_true(fd >= 0);
	say(s, &msg, &fd, 1);
	close(fd);
}

static void
say_memory(struct vstate_msg_log *s, uint64_t gpa)
{
	struct msg msg = { .request = MSG_SET_MEM_TABLE, .size = 8 + 2 * sizeof(struct msg_region),
		.memory = { .nb_regions = 2 } };
	int fds[2] = { eventfd(1, 0), eventfd(2, 0) };

	msg.memory.regions[0].gpa = gpa;
	say(s, &msg, fds, 2);
	close(fds[0]);
	close(fds[1]);
}

/* As much as a device needs to run. */
static void
say_least(struct vstate_msg_log *s)
{
	say_u64(s, MSG_SET_FEATURES, 0x11);
	say_memory(s, 0x1000);
}

/* ---- what comes out ---- */

static uint64_t
counter_of(int fd)
{
	eventfd_t value = 0;

	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(eventfd_write(fd, value), 0);
	return value;
}

static void
expect_order(const struct vstate_handover_msg *p, const uint32_t *requests, unsigned int n)
{
	struct vstate_msg_log_cursor cursor = { 0 };
	struct vstate_msg_log_entry msg;
	unsigned int i;

	for (i = 0; i < n; i++) {
		assert_int_equal(vstate_msg_log_next(p, &cursor, &msg), 1);
		assert_int_equal(msg.request, requests[i]);
	}
	assert_int_equal(vstate_msg_log_next(p, &cursor, &msg), 0);
	assert_int_equal(cursor.fd, p->nb_fds);
}

/* The only message of a request. */
static struct vstate_msg_log_entry
find(const struct vstate_handover_msg *p, uint32_t request)
{
	struct vstate_msg_log_cursor cursor = { 0 };
	struct vstate_msg_log_entry msg, found = { 0 };

	while (vstate_msg_log_next(p, &cursor, &msg) == 1) {
		if (msg.request != request)
			continue;
		assert_int_equal(found.request, 0);
		found = msg;
	}
	return found;
}

static void
pack(struct vstate_msg_log *s, struct vstate_handover_msg *p)
{
	assert_int_equal(vstate_msg_log_pack(s, p), 0);
	assert_int_equal(p->connection, -1);
}

/* ---- the session ---- */

/* Whatever the order was in which a front end said it. */
static void
session_is_said_again_in_order(void **state)
{
	static const uint32_t order[] = { MSG_SET_OWNER, MSG_SET_PROTOCOL_FEATURES,
		MSG_SET_FEATURES, MSG_SET_MEM_TABLE, MSG_NET_SET_MTU,
		MSG_SET_VRING_NUM, MSG_SET_VRING_KICK, MSG_SET_VRING_NUM, MSG_SET_VRING_BASE,
		MSG_SET_VRING_CALL, MSG_SET_VRING_KICK, MSG_SET_VRING_ENABLE, MSG_SET_STATUS };
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	struct vstate_handover_msg p;
	const unsigned int before = open_fds();

	RTE_SET_USED(state);
	say_u64(s, MSG_SET_STATUS, 0xf);
	say_fd(s, MSG_SET_VRING_KICK, 3, eventfd(30, 0));
	say_fd(s, MSG_SET_VRING_KICK, 0, eventfd(10, 0));
	say_fd(s, MSG_SET_VRING_CALL, 0, eventfd(11, 0));
	say_state(s, MSG_SET_VRING_ENABLE, 0, 1);
	say_state(s, MSG_SET_VRING_NUM, 3, 64);
	say_state(s, MSG_SET_VRING_NUM, 0, 256);
	say_state(s, MSG_SET_VRING_BASE, 0, 7);
	say_u64(s, MSG_NET_SET_MTU, 1500);
	say_least(s);
	say_u64(s, MSG_SET_PROTOCOL_FEATURES, 1);
	say_u64(s, MSG_SET_OWNER, 0);
	/* these leave nothing behind */
	say_u64(s, MSG_GET_FEATURES, 0);
	say_u64(s, MSG_SEND_RARP, 0x665544332211);
	pack(s, &p);
	expect_order(&p, order, RTE_DIM(order));
	assert_int_equal(counter_of(find(&p, MSG_SET_VRING_CALL).fds[0]), 11);
	assert_int_equal(counter_of(find(&p, MSG_SET_MEM_TABLE).fds[1]), 2);
	assert_int_equal(find(&p, MSG_SET_MEM_TABLE).size, 8 + 2 * sizeof(struct msg_region));
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(s);
	assert_int_equal(open_fds(), before);
}

static void
last_word_holds(void **state)
{
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	const unsigned int before = open_fds();
	struct vstate_msg_log_entry msg;
	struct vstate_handover_msg p;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 1; i <= 100; i++) {
		say_memory(s, i);
		say_u64(s, MSG_SET_FEATURES, i);
		say_fd(s, MSG_SET_VRING_KICK, 1, eventfd(i, 0));
		/* a queue that there is not, and one that is not said */
		say_fd(s, MSG_SET_VRING_KICK, NB_VQS, eventfd(i, 0));
		say_state(s, MSG_SET_VRING_NUM, UINT32_MAX, 4);
		say(s, &(struct msg){ .request = MSG_SET_VRING_NUM, .size = 3 },
				NULL, 0);
	}
	/* two of memory, one of the ring */
	assert_int_equal(open_fds(), before + 3);
	pack(s, &p);
	assert_int_equal(p.nb_fds, 3);
	msg = find(&p, MSG_SET_FEATURES);
	assert_memory_equal(msg.payload, &(uint64_t){ 100 }, sizeof(uint64_t));
	assert_int_equal(counter_of(find(&p, MSG_SET_VRING_KICK).fds[0]), 100);
	assert_int_equal(find(&p, MSG_SET_VRING_NUM).request, 0);
	vstate_handover_msg_drop(&p);
	/* it was taken out */
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	vstate_msg_log_free(s);
	assert_int_equal(open_fds(), before);
}

static void
stopped_ring_has_no_descriptors(void **state)
{
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	struct vstate_handover_msg p;

	RTE_SET_USED(state);
	say_least(s);
	say_state(s, MSG_SET_VRING_NUM, 1, 64);
	say_fd(s, MSG_SET_VRING_KICK, 1, eventfd(1, 0));
	say_fd(s, MSG_SET_VRING_CALL, 1, eventfd(2, 0));
	say_fd(s, MSG_SET_VRING_CALL, 2, eventfd(3, 0));
	say_state(s, MSG_GET_VRING_BASE, 1, 0);
	say_state(s, MSG_GET_VRING_BASE, NB_VQS, 0);
	/* it is about to take back all of them */
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	vstate_msg_log_run(s);
	pack(s, &p);
	assert_int_equal(find(&p, MSG_SET_VRING_KICK).request, 0);
	assert_int_equal(counter_of(find(&p, MSG_SET_VRING_CALL).fds[0]), 3);
	assert_int_equal(find(&p, MSG_SET_VRING_NUM).request, MSG_SET_VRING_NUM);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(s);
}

static void
gap_is_no_session(void **state)
{
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	struct {
		struct msg msg;
		uint8_t more[512];
	} long_one = { .msg = { .request = MSG_SET_MEM_TABLE, .size = 513 } };
	const unsigned int before = open_fds();
	struct vstate_handover_msg p;
	int none = -1;

	RTE_SET_USED(state);
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	say_u64(s, MSG_SET_FEATURES, 1);
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	say_memory(s, 1);
	/* longer than any that there is */
	say(s, &long_one.msg, NULL, 0);
	say_memory(s, 1);
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	vstate_msg_log_begin(s);
	assert_int_equal(open_fds(), before);
	say_least(s);
	/* a descriptor that cannot be kept */
	say(s, &(struct msg){ .request = MSG_SET_VRING_CALL, .size = 8 }, &none, 1);
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	say_u64(s, MSG_RESET_OWNER, 0);
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	say_least(s);
	say_u64(s, MSG_POSTCOPY_ADVISE, 0);
	assert_int_equal(vstate_msg_log_pack(s, &p), -ENOTCONN);
	say_u64(s, MSG_POSTCOPY_END, 0);
	pack(s, &p);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(s);
	assert_int_equal(open_fds(), before);
}

/* What was refused leaves all as it was. */
static void
refused_message_does_not_hold(void **state)
{
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	const unsigned int before = open_fds();
	struct vstate_handover_msg p;
	int fd = eventfd(9, 0);

	RTE_SET_USED(state);
	say_least(s);
	say_fd(s, MSG_SET_VRING_CALL, 0, eventfd(1, 0));
	vstate_msg_log_note(s, &(struct msg){ .request = MSG_SET_VRING_CALL, .size = 8 }, &fd, 1);
	vstate_msg_log_note(s, &(struct msg){ .request = MSG_RESET_OWNER }, NULL, 0);
	vstate_msg_log_note(s, &(struct msg){ .request = MSG_POSTCOPY_ADVISE }, NULL, 0);
	vstate_msg_log_note(s, &(struct msg){ .request = MSG_SET_VRING_CALL, .size = 8 }, &fd, 1);
	pack(s, &p);
	assert_int_equal(counter_of(find(&p, MSG_SET_VRING_CALL).fds[0]), 1);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(s);
	close(fd);
	assert_int_equal(open_fds(), before);
}

static void
rings_are_where_they_stand(void **state)
{
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	const uint32_t want[] = { 1, 0x80078007 };
	struct vstate_msg_log_entry msg;
	struct vstate_handover_msg p;

	RTE_SET_USED(state);
	say_least(s);
	say_state(s, MSG_SET_VRING_BASE, 1, 4);
	vstate_msg_log_rebase(s, 0, 5);
	vstate_msg_log_rebase(s, 1, want[1]);
	vstate_msg_log_rebase(s, NB_VQS, 6);
	pack(s, &p);
	msg = find(&p, MSG_SET_VRING_BASE);
	assert_int_equal(msg.size, sizeof(want));
	assert_memory_equal(msg.payload, want, sizeof(want));
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(s);
}

static void
sessions_are_told_apart(void **state)
{
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	unsigned int number = vstate_msg_log_number(s);

	RTE_SET_USED(state);
	say_least(s);
	assert_int_equal(vstate_msg_log_number(s), number);
	vstate_msg_log_begin(s);
	assert_int_not_equal(vstate_msg_log_number(s), number);
	vstate_msg_log_free(s);
}

/* A device without a page has none. */
static void
no_session_is_no_harm(void **state)
{
	RTE_SET_USED(state);
	say_least(NULL);
	vstate_msg_log_run(NULL);
	vstate_msg_log_begin(NULL);
	vstate_msg_log_free(NULL);
}

/* ---- a parcel that was spoilt ---- */

static void
spoilt_parcel_ends(void **state)
{
	struct vstate_msg_log *s = vstate_msg_log_create(NB_VQS);
	struct vstate_msg_log_cursor cursor;
	struct vstate_msg_log_entry msg;
	struct vstate_handover_msg p, cut;
	size_t len;
	int ret;

	RTE_SET_USED(state);
	say_least(s);
	pack(s, &p);
	for (len = 1; len < p.len; len++) {
		cut = p;
		cut.len = len;
		cursor = (struct vstate_msg_log_cursor){ 0 };
		while ((ret = vstate_msg_log_next(&cut, &cursor, &msg)) == 1)
			assert_true(msg.payload + msg.size <= cut.bytes + len);
		/* the end of the first message is one */
		assert_true(ret == -EBADMSG || (ret == 0 && cursor.at == len));
	}
	cut = p;
	cut.nb_fds = 1;
	cursor = (struct vstate_msg_log_cursor){ 0 };
	while ((ret = vstate_msg_log_next(&cut, &cursor, &msg)) == 1)
		assert_int_equal(msg.nb_fds, 0);
	assert_int_equal(ret, -EBADMSG);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(s);
}

/* ---- from process to process ---- */

struct post {
	char dir[64], path[128];
	unsigned int fds;
	int listener;
	/** From a process of another user. */
	int mail[2];
};

#define NOBODY 65534

static int
post_open(void **state)
{
	struct post *post = calloc(1, sizeof(*post));

	assert_non_null(post);
	snprintf(post->dir, sizeof(post->dir), "/tmp/vstate-session.XXXXXX");
	assert_non_null(mkdtemp(post->dir));
	snprintf(post->path, sizeof(post->path), "%s/pass", post->dir);
	post->fds = open_fds();
	post->listener = vstate_handover_msg_listen(post->path);
	assert_true(post->listener >= 0);
	*state = post;
	return 0;
}

static int
post_close(void **state)
{
	struct post *post = *state;

	vstate_handover_msg_unlisten(post->listener, post->path);
	assert_int_equal(open_fds(), post->fds);
	assert_int_equal(rmdir(post->dir), 0);
	free(post);
	return 0;
}

/* A device of many queues, with a connection. */
static void
parcel_fill(struct vstate_handover_msg *p, size_t len, unsigned int nb_fds)
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
parcel_arrives(void **state)
{
	static const unsigned int counts[] = { 0, 1, VSTATE_SCM_MAX_FDS, VSTATE_SCM_MAX_FDS + 1,
		400 };
	struct vstate_handover_msg p, got;
	struct post *post = *state;
	unsigned int i, j;

	for (i = 0; i < RTE_DIM(counts); i++) {
		parcel_fill(&p, 100 * counts[i], counts[i]);
		assert_int_equal(vstate_handover_msg_send(post->path, &p), 0);
		assert_int_equal(vstate_handover_msg_receive(post->listener, &got), 0);
		assert_int_equal(got.len, p.len);
		assert_memory_equal(got.bytes, p.bytes, p.len);
		assert_int_equal(got.nb_fds, p.nb_fds);
		for (j = 0; j < got.nb_fds; j++)
			assert_int_equal(counter_of(got.fds[j]), j + 1);
		assert_int_equal(counter_of(got.connection), 4711);
		vstate_handover_msg_drop(&got);
		vstate_handover_msg_drop(&p);
	}
}

static void
nobody_sends_or_waits(void **state)
{
	struct vstate_handover_msg p, got;
	struct post *post = *state;

	assert_int_equal(vstate_handover_msg_receive(post->listener, &got), -EAGAIN);
	assert_int_equal(got.connection, -1);
	parcel_fill(&p, 10, 1);
	vstate_handover_msg_unlisten(post->listener, post->path);
	post->listener = -1;
	assert_int_equal(vstate_handover_msg_send(post->path, &p), -ENOENT);
	vstate_handover_msg_drop(&p);
}

/* Run @p fn as a user without rights, in a process of its own. @return its exit status */
static int
as_nobody(int (*fn)(struct post *post), struct post *post)
{
	int status = -1;
	pid_t child;

	/* as an administrator may have it, who forgot that others write there, too */
	assert_int_equal(chmod(post->dir, 01777), 0);
	assert_int_equal(chmod(post->path, 0777), 0);
	child = fork();
	if (child == 0)
		_exit(setgid(NOBODY) == 0 && setuid(NOBODY) == 0 ? fn(post) : 99);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static int
parcel_send(struct post *post)
{
	struct vstate_handover_msg p;

	parcel_fill(&p, 3, 0);
	/* the connection is made, and the listener is another user for this side, too */
	return vstate_handover_msg_send(post->path, &p) == -EPERM ? 0 : 1;
}

static void
parcel_of_another_user_is_refused(void **state)
{
	struct vstate_handover_msg p, got;
	struct post *post = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(as_nobody(parcel_send, post), 0);
	assert_int_equal(vstate_handover_msg_receive(post->listener, &got), -EPERM);
	/* which is no way to keep the owner out */
	assert_int_equal(as_nobody(parcel_send, post), 0);
	parcel_fill(&p, 7, 1);
	assert_int_equal(vstate_handover_msg_send(post->path, &p), 0);
	assert_int_equal(vstate_handover_msg_receive(post->listener, &got), 0);
	assert_int_equal(got.len, 7);
	vstate_handover_msg_drop(&got);
	vstate_handover_msg_drop(&p);
}

/* Listen where the next owner would, and leave the socket behind, still listening. */
static int
trap_set(struct post *post)
{
	int trap;

	snprintf(post->path, sizeof(post->path), "%s/trap", post->dir);
	trap = vstate_handover_msg_listen(post->path);
	if (trap < 0 || chmod(post->path, 0777) != 0)
		return 1;
	/* whoever has the descriptor: it was made by this user */
	return vstate_scm_send(post->mail[1], "", 1, &trap, 1) == 1 ? 0 : 2;
}

static void
nothing_is_sent_to_another_user(void **state)
{
	struct post *post = *state;
	struct vstate_handover_msg p;
	unsigned int nb_fds = 0;
	int trap = -1, taken;
	char path[sizeof(post->path)], byte;

	if (geteuid() != 0)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, post->mail), 0);
	assert_int_equal(as_nobody(trap_set, post), 0);
	assert_int_equal(vstate_scm_recv(post->mail[0], &byte, 1, &trap, 1, &nb_fds), 1);
	assert_true(trap >= 0);
	snprintf(path, sizeof(path), "%s/trap", post->dir);
	parcel_fill(&p, 10, 3);
	assert_int_equal(vstate_handover_msg_send(path, &p), -EPERM);
	/* not one byte or descriptor */
	taken = accept4(trap, NULL, NULL, SOCK_CLOEXEC);
	assert_true(taken >= 0);
	assert_int_equal(recv(taken, &byte, 1, MSG_DONTWAIT), 0);
	close(taken);
	close(trap);
	close(post->mail[0]);
	close(post->mail[1]);
	unlink(path);
	vstate_handover_msg_drop(&p);
}

/* What a sender of another kind, or one that died, leaves. */
static void
broken_parcels_are_refused(void **state)
{
	static const struct {
		uint64_t magic;
		uint32_t version, nb_fds;
		uint64_t len;
		unsigned int connections, bytes;
	} heads[] = {
		{ 0, 1, 0, 0, 1, 24 },
		{ 0x6c65637261707376, 2, 0, 0, 1, 24 },
		{ 0x6c65637261707376, 1, 5000, 0, 1, 24 },
		{ 0x6c65637261707376, 1, 0, UINT64_MAX, 1, 24 },
		{ 0x6c65637261707376, 1, 0, 0, 0, 24 },
		{ 0x6c65637261707376, 1, 0, 0, 2, 24 },
		{ 0x6c65637261707376, 1, 0, 0, 1, 23 },
		/* what it announces does not come */
		{ 0x6c65637261707376, 1, 0, 1, 1, 24 },
		{ 0x6c65637261707376, 1, 1, 0, 1, 24 },
	};
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct vstate_handover_msg got;
	struct post *post = *state;
	int fds[2] = { 0, 0 }, fd;
	unsigned int i;

	memcpy(un.sun_path, post->path, sizeof(post->path) < sizeof(un.sun_path) ?
			sizeof(post->path) : sizeof(un.sun_path) - 1);
	for (i = 0; i < RTE_DIM(heads); i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
		assert_int_equal(vstate_scm_send(fd, &heads[i], heads[i].bytes, fds,
				heads[i].connections), heads[i].bytes);
		assert_true(vstate_handover_msg_receive(post->listener, &got) < 0);
		assert_int_equal(got.connection, -1);
		assert_null(got.bytes);
		close(fd);
	}
}

int
test_vstate_session(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_is_said_again_in_order),
		cmocka_unit_test(last_word_holds),
		cmocka_unit_test(stopped_ring_has_no_descriptors),
		cmocka_unit_test(gap_is_no_session),
		cmocka_unit_test(refused_message_does_not_hold),
		cmocka_unit_test(rings_are_where_they_stand),
		cmocka_unit_test(sessions_are_told_apart),
		cmocka_unit_test(no_session_is_no_harm),
		cmocka_unit_test(spoilt_parcel_ends),
		cmocka_unit_test_setup_teardown(parcel_arrives, post_open, post_close),
		cmocka_unit_test_setup_teardown(nobody_sends_or_waits, post_open, post_close),
		cmocka_unit_test_setup_teardown(parcel_of_another_user_is_refused, post_open,
				post_close),
		cmocka_unit_test_setup_teardown(nothing_is_sent_to_another_user, post_open,
				post_close),
		cmocka_unit_test_setup_teardown(broken_parcels_are_refused, post_open, post_close),
	};

	return cmocka_run_group_tests_name("vstate_msg_log", tests, NULL, NULL);
}

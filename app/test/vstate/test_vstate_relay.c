/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * A relay between a front end and rte_vhost. The test plays both. The relay replays the message
 * log and passes whole messages on, and the next process can take the connection over.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "ut_groups.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"
#include "vhost/vstate_msg_log.h"
#include "vhost/vstate_relay.h"
#include "vhost/vstate_vhost_user.h"

/* A test that hangs must fail. */
#define HANG_S 30
#define SOON_MS 5000
#define NEVER_MS 50

struct bench {
	/** The front end's end, and rte_vhost's. */
	int front, back;
	struct vstate_relay *relay;
	/** Requests that rte_vhost received in the replay. */
	uint32_t replayed[16];
	unsigned int nb_replayed;
	/** rte_vhost hangs up in place of the last answer. */
	bool refuse;
	unsigned int ended;
	unsigned int answers;
};

/* ---- either end ---- */

static bool
fd_is_readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void
message_send(int fd, uint32_t request, uint64_t value, const int *fds, unsigned int nb_fds)
{
	const struct msg msg = { .request = request, .flags = MSG_VERSION, .size = sizeof(value),
		.u64 = value };

	assert_int_equal(vstate_scm_send(fd, &msg, MSG_HEADER_SIZE + sizeof(value), fds, nb_fds),
			MSG_HEADER_SIZE + sizeof(value));
}

/* Receive a whole message. @return its request; 0: the peer hung up */
static uint32_t
message_receive(int fd, struct msg *msg, int *fds, unsigned int *nb_fds)
{
	ssize_t n;

	memset(msg, 0, sizeof(*msg));
	*nb_fds = 0;
	assert_true(fd_is_readable(fd, SOON_MS));
	n = vstate_scm_recv(fd, msg, MSG_HEADER_SIZE, fds, MSG_MAX_FDS, nb_fds);
	if (n == 0 || n == -ECONNRESET)
		return 0;
	assert_int_equal(n, MSG_HEADER_SIZE);
	assert_true(msg->size <= sizeof(*msg) - MSG_HEADER_SIZE);
	if (msg->size > 0)
		assert_int_equal(recv(fd, &msg->u64, msg->size, MSG_WAITALL), msg->size);
	return msg->request;
}

static void
expect_u64(int fd, uint32_t request, uint64_t value)
{
	int fds[MSG_MAX_FDS];
	unsigned int nb_fds;
	struct msg msg;

	assert_int_equal(message_receive(fd, &msg, fds, &nb_fds), request);
	assert_int_equal(msg.u64, value);
	assert_int_equal(nb_fds, 0);
}

static void
expect_end(int fd)
{
	int fds[MSG_MAX_FDS];
	unsigned int nb_fds;
	struct msg msg;

	assert_int_equal(message_receive(fd, &msg, fds, &nb_fds), 0);
}

/* ---- begin ---- */

static void *
rte_vhost_main(void *arg)
{
	struct bench *b = arg;
	int fds[MSG_MAX_FDS];
	unsigned int nb_fds;
	struct msg msg;

	do {
		if (message_receive(b->back, &msg, fds, &nb_fds) == 0)
			break;
		if (b->nb_replayed < RTE_DIM(b->replayed))
			b->replayed[b->nb_replayed++] = msg.request;
		while (nb_fds > 0)
			close(fds[--nb_fds]);
		if (msg.request == MSG_SET_LOG_BASE)
			message_send(b->back, msg.request, 1, NULL, 0);
		if (msg.request == MSG_GET_FEATURES && !b->refuse)
			message_send(b->back, msg.request, 2, NULL, 0);
	} while (msg.request != MSG_GET_FEATURES);
	if (b->refuse)
		shutdown(b->back, SHUT_RDWR);
	return NULL;
}

static void
log_make(struct vstate_handover_msg *from)
{
	struct vstate_msg_log *log = vstate_msg_log_create(2);
	struct msg msg = { .request = MSG_SET_LOG_BASE, .size = 16 };
	int fd = eventfd(0, 0);

	vstate_msg_log_note(log, &(struct msg){ .request = MSG_SET_FEATURES, .size = 8 }, NULL, 0);
	vstate_msg_log_hold(log);
	vstate_msg_log_note(log, &(struct msg){ .request = MSG_SET_MEM_TABLE, .size = 40 }, &fd, 1);
	vstate_msg_log_hold(log);
	vstate_msg_log_note(log, &msg, &fd, 1);
	vstate_msg_log_hold(log);
	close(fd);
	assert_int_equal(vstate_msg_log_pack(log, from), 0);
	vstate_msg_log_free(log);
}

static void
relay_begin(struct bench *b)
{
	struct vstate_handover_msg from;
	int front[2], back[2];
	pthread_t thread;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, front), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, back), 0);
	b->front = front[0];
	b->back = back[0];
	log_make(&from);
	from.connection = front[1];
	assert_int_equal(pthread_create(&thread, NULL, rte_vhost_main, b), 0);
	b->relay = vstate_relay_begin(back[1], &from);
	pthread_join(thread, NULL);
	assert_null(from.bytes);
}

static void
count_end(void *arg)
{
	__atomic_add_fetch((unsigned int *)arg, 1, __ATOMIC_RELEASE);
}

static int
bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	alarm(HANG_S);
	relay_begin(b);
	assert_non_null(b->relay);
	assert_int_equal(vstate_relay_run(b->relay, count_end, &b->ended), 0);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	if (b->relay != NULL) {
		vstate_relay_stop(b->relay);
		vstate_relay_free(b->relay);
	}
	if (b->front >= 0)
		close(b->front);
	if (b->back >= 0)
		close(b->back);
	free(b);
	alarm(0);
	return 0;
}

static void
expect_ended(struct bench *b)
{
	unsigned int ms;

	expect_end(b->front);
	expect_end(b->back);
	for (ms = 0; ms < SOON_MS && __atomic_load_n(&b->ended, __ATOMIC_ACQUIRE) == 0; ms++)
		usleep(1000);
	assert_int_equal(b->ended, 1);
	assert_int_equal(vstate_relay_hold(b->relay), -1);
	/* another process cannot take this connection over */
	assert_false(vstate_relay_stop(b->relay));
}

/* ---- tests ---- */

static void
message_log_is_replayed(void **state)
{
	static const uint32_t replayed[] = { MSG_SET_FEATURES, MSG_SET_MEM_TABLE, MSG_SET_LOG_BASE,
		MSG_GET_FEATURES };
	struct bench *b = *state;

	assert_int_equal(b->nb_replayed, RTE_DIM(replayed));
	assert_memory_equal(b->replayed, replayed, sizeof(replayed));
	/* no answer reaches the front end a second time */
	assert_false(fd_is_readable(b->front, NEVER_MS));
}

static void
refused_replay_ends_both_connections(void **state)
{
	struct bench b = { .refuse = true };

	RTE_SET_USED(state);
	alarm(HANG_S);
	relay_begin(&b);
	assert_null(b.relay);
	assert_int_equal(rte_errno, EPIPE);
	expect_end(b.front);
	close(b.front);
	close(b.back);
	alarm(0);
}

static void
messages_pass_both_ways(void **state)
{
	int fds[MSG_MAX_FDS], came[MSG_MAX_FDS], i;
	struct bench *b = *state;
	unsigned int nb_fds;
	eventfd_t value;
	struct msg msg;

	for (i = 0; i < MSG_MAX_FDS; i++)
		fds[i] = eventfd(i + 1, 0);
	message_send(b->front, MSG_SET_VRING_CALL, 7, fds, MSG_MAX_FDS);
	message_send(b->front, MSG_SET_VRING_ENABLE, 8, NULL, 0);
	assert_int_equal(message_receive(b->back, &msg, came, &nb_fds), MSG_SET_VRING_CALL);
	assert_int_equal(nb_fds, MSG_MAX_FDS);
	for (i = 0; i < MSG_MAX_FDS; i++) {
		assert_int_equal(eventfd_read(came[i], &value), 0);
		assert_int_equal(value, i + 1);
		close(came[i]);
		close(fds[i]);
	}
	expect_u64(b->back, MSG_SET_VRING_ENABLE, 8);
	message_send(b->back, MSG_GET_VRING_BASE, 9, NULL, 0);
	message_send(b->back, MSG_GET_STATUS, 10, NULL, 0);
	expect_u64(b->front, MSG_GET_VRING_BASE, 9);
	expect_u64(b->front, MSG_GET_STATUS, 10);
}

/* rte_vhost's thread would wait for the rest, and with it all devices of the process. */
static void
no_part_of_a_message_passes(void **state)
{
	const struct msg msg = { .request = MSG_SET_STATUS, .flags = MSG_VERSION, .size = 8,
		.u64 = 15 };
	const uint8_t *bytes = (const uint8_t *)&msg;
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < MSG_HEADER_SIZE + 8; i++) {
		assert_false(fd_is_readable(b->back, 2));
		assert_int_equal(send(b->front, bytes + i, 1, 0), 1);
	}
	expect_u64(b->back, MSG_SET_STATUS, 15);
}

static void
longest_message_passes(void **state)
{
	static uint8_t sent[MSG_HEADER_SIZE + 4096], got[sizeof(sent)];
	const uint32_t header[] = { MSG_SET_MEM_TABLE, MSG_VERSION, 4096 };
	struct bench *b = *state;

	memset(sent, 0x5a, sizeof(sent));
	memcpy(sent, header, sizeof(header));
	assert_int_equal(send(b->front, sent, sizeof(sent), 0), sizeof(sent));
	assert_int_equal(recv(b->back, got, sizeof(got), MSG_WAITALL), sizeof(got));
	assert_memory_equal(sent, got, sizeof(sent));
}

static void
too_long_message_ends_the_relay(void **state)
{
	const uint32_t header[] = { MSG_SET_MEM_TABLE, MSG_VERSION, 4097 };
	struct bench *b = *state;

	assert_int_equal(send(b->front, header, sizeof(header), 0), sizeof(header));
	expect_ended(b);
}

static void
too_many_descriptors_end_the_relay(void **state)
{
	int fds[MSG_MAX_FDS + 1] = { 0 };
	struct bench *b = *state;

	message_send(b->front, MSG_SET_MEM_TABLE, 0, fds, MSG_MAX_FDS + 1);
	expect_ended(b);
}

static void
front_end_hangs_up(void **state)
{
	struct bench *b = *state;

	message_send(b->front, MSG_SET_STATUS, 0, NULL, 0);
	assert_int_equal(shutdown(b->front, SHUT_WR), 0);
	expect_u64(b->back, MSG_SET_STATUS, 0);
	expect_ended(b);
}

static void
rte_vhost_hangs_up(void **state)
{
	struct bench *b = *state;

	message_send(b->back, MSG_GET_STATUS, 3, NULL, 0);
	assert_int_equal(shutdown(b->back, SHUT_WR), 0);
	expect_u64(b->front, MSG_GET_STATUS, 3);
	expect_ended(b);
}

/* The front end's connection outlives the relay: the next process reads the next message. */
static void
next_process_takes_the_connection_over(void **state)
{
	struct bench *b = *state;
	int next = vstate_relay_hold(b->relay);

	assert_true(next >= 0);
	message_send(b->front, MSG_GET_STATUS, 0, NULL, 0);
	expect_u64(b->back, MSG_GET_STATUS, 0);
	assert_true(vstate_relay_stop(b->relay));
	/* the relay does not read this message */
	message_send(b->front, MSG_SET_STATUS, 4, NULL, 0);
	message_send(b->back, MSG_GET_STATUS, 5, NULL, 0);
	assert_true(vstate_relay_free(b->relay));
	b->relay = NULL;
	expect_u64(b->front, MSG_GET_STATUS, 5);
	expect_end(b->back);
	expect_u64(next, MSG_SET_STATUS, 4);
	message_send(next, MSG_GET_STATUS, 6, NULL, 0);
	expect_u64(b->front, MSG_GET_STATUS, 6);
	close(next);
	expect_end(b->front);
	assert_int_equal(b->ended, 0);
}

/* Bytes sent at this end that the other end has not read. */
static bool
is_unread(int fd)
{
	int bytes = 0;

	assert_int_equal(ioctl(fd, SIOCOUTQ, &bytes), 0);
	return bytes != 0;
}

static void
incomplete_message_is_not_handed_over(void **state)
{
	struct bench *b = *state;
	const uint32_t half[] = { MSG_SET_STATUS, MSG_VERSION };

	assert_int_equal(send(b->front, half, sizeof(half), 0), sizeof(half));
	while (is_unread(b->front))
		usleep(1000);
	assert_false(vstate_relay_stop(b->relay));
}

static void
unread_message_is_not_handed_over(void **state)
{
	struct bench *b = *state;

	message_send(b->front, MSG_SET_STATUS, 0, NULL, 0);
	assert_true(fd_is_readable(b->back, SOON_MS));
	assert_false(vstate_relay_stop(b->relay));
}

/*
 * A front end that does not read its answers: rte_vhost's thread waits for it. The thread that
 * ends the device must not wait for rte_vhost's thread.
 */
static void *
answer_main(void *arg)
{
	const struct msg msg = { .request = MSG_GET_STATUS, .flags = MSG_VERSION, .size = 8 };
	struct bench *b = arg;

	while (send(b->back, &msg, MSG_HEADER_SIZE + 8, MSG_NOSIGNAL) > 0)
		__atomic_add_fetch(&b->answers, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void
front_end_that_reads_no_answers_delays_no_thread(void **state)
{
	struct bench *b = *state;
	unsigned int before;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, answer_main, b), 0);
	do {
		before = __atomic_load_n(&b->answers, __ATOMIC_RELAXED);
		usleep(100000);
	} while (before == 0 || __atomic_load_n(&b->answers, __ATOMIC_RELAXED) != before);
	assert_false(vstate_relay_stop(b->relay));
	vstate_relay_cut(b->relay);
	pthread_join(thread, NULL);
	assert_false(vstate_relay_free(b->relay));
	b->relay = NULL;
}

/* The front end does not receive a last answer for which its connection has no room. */
static void
lost_answer_is_not_handed_over(void **state)
{
	static uint8_t full[4096];
	struct bench *b = *state;
	int front = vstate_relay_hold(b->relay);

	while (send(front, full, sizeof(full), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	assert_true(vstate_relay_stop(b->relay));
	message_send(b->back, MSG_GET_STATUS, 5, NULL, 0);
	assert_false(vstate_relay_free(b->relay));
	b->relay = NULL;
	close(front);
}

int
test_vstate_relay(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_replay_ends_both_connections),
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)
		WITH_BENCH(message_log_is_replayed),
		WITH_BENCH(messages_pass_both_ways),
		WITH_BENCH(no_part_of_a_message_passes),
		WITH_BENCH(longest_message_passes),
		WITH_BENCH(too_long_message_ends_the_relay),
		WITH_BENCH(too_many_descriptors_end_the_relay),
		WITH_BENCH(front_end_hangs_up),
		WITH_BENCH(rte_vhost_hangs_up),
		WITH_BENCH(next_process_takes_the_connection_over),
		WITH_BENCH(incomplete_message_is_not_handed_over),
		WITH_BENCH(unread_message_is_not_handed_over),
		WITH_BENCH(front_end_that_reads_no_answers_delays_no_thread),
		WITH_BENCH(lost_answer_is_not_handed_over),
#undef WITH_BENCH
	};

	return cmocka_run_group_tests_name("vstate_relay", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Parts of the hostile front end that need no back end: random messages, counts, raw messages. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_thread.h>

#include "hostile_fuzz_draw.h"
#include "hostile_known.h"
#include "hostile_proc.h"
#include "hostile_send.h"
#include "hostile_setup.h"
#include "hostile_wire.h"
#include "unit.h"
#include "vhost_user_fe.h"

#define CONNECTIONS 300

/* ---- random messages ---- */

static void
same_seed_draws_the_same_messages(void **state)
{
	struct hostile_fuzz_connection a, b;
	struct hostile_fuzz_message m, n;
	uint64_t rnd_a, rnd_b, i;
	uint32_t k;

	for (i = 0; i < CONNECTIONS; i++) {
		hostile_fuzz_connection_draw(7, i, &rnd_a, &a);
		hostile_fuzz_connection_draw(7, i, &rnd_b, &b);
		assert_int_equal(a.ready, b.ready);
		assert_int_equal(a.reads, b.reads);
		assert_int_equal(a.messages, b.messages);
		for (k = 0; k < a.messages; k++) {
			hostile_fuzz_message_draw(&rnd_a, &a, &m);
			hostile_fuzz_message_draw(&rnd_b, &b, &n);
			assert_memory_equal(&m, &n, sizeof(m));
		}
	}
}

/* Messages of a connection as one number. */
static uint64_t
messages_sum(uint64_t seed, uint64_t number)
{
	struct hostile_fuzz_connection c;
	struct hostile_fuzz_message m;
	uint64_t rnd, sum = 0;
	uint32_t k;

	hostile_fuzz_connection_draw(seed, number, &rnd, &c);
	for (k = 0; k < 20; k++) {
		hostile_fuzz_message_draw(&rnd, &c, &m);
		sum = sum * 31 + m.hdr.request + 64 * m.len + 4096 * m.nb_fds;
	}
	return sum;
}

static void
seeds_and_connections_differ(void **state)
{
	assert_true(messages_sum(1, 0) != messages_sum(2, 0));
	assert_true(messages_sum(1, 0) != messages_sum(1, 1));
	/* a connection is not the one before of the next seed */
	assert_true(messages_sum(1, 1) != messages_sum(2, 0));
}

/* What was drawn in all connections of a seed. */
struct drawn {
	bool request[HOSTILE_REQUEST_LAST + 1], kind[FD_SOCKET + 1], fds[HOSTILE_FUZZ_FDS + 1];
	bool wrong_size, lie, parts, held, hung_up, wrong_version, large_request, ready, fresh;
};

static void
message_note(struct drawn *d, const struct hostile_fuzz_message *m)
{
	uint8_t valid[HOSTILE_WIRE_MAX];
	uint32_t i;

	assert_in_range(m->len, 0, HOSTILE_FUZZ_PAYLOAD);
	assert_in_range(m->first, 1, sizeof(m->hdr) + m->len);
	assert_in_range(m->nb_fds, 0, HOSTILE_FUZZ_FDS);
	for (i = 0; i < m->nb_fds; i++) {
		assert_in_range(m->fds[i], FD_EVENT, FD_SOCKET);
		d->kind[m->fds[i]] = true;
	}
	d->fds[m->nb_fds] = true;
	if (m->hdr.request <= HOSTILE_REQUEST_LAST)
		d->request[m->hdr.request] = true;
	else
		d->large_request = true;
	d->wrong_size |= m->len != hostile_wire_payload(m->hdr.request, 0, valid);
	d->lie |= m->len != m->hdr.size;
	d->parts |= m->first < sizeof(m->hdr) + m->len;
	d->held |= m->hold;
	d->hung_up |= m->hang_up;
	d->wrong_version |= (m->hdr.flags & VU_VERSION_MASK) != VU_VERSION;
}

static void
every_kind_of_attack_is_drawn(void **state)
{
	struct hostile_fuzz_connection c;
	struct hostile_fuzz_message m;
	struct drawn d = { { false } };
	uint64_t rnd, i;
	uint32_t k, wild = 0;

	for (i = 0; i < CONNECTIONS; i++) {
		hostile_fuzz_connection_draw(3, i, &rnd, &c);
		assert_in_range(c.messages, 1, HOSTILE_FUZZ_MESSAGES);
		assert_in_range(c.wild, 1, 100);
		wild += c.wild == 100;
		if (c.ready)
			d.ready = true;
		else
			d.fresh = true;
		for (k = 0; k < c.messages; k++) {
			hostile_fuzz_message_draw(&rnd, &c, &m);
			message_note(&d, &m);
		}
	}
	/* some connections are wild, some last */
	assert_in_range(wild, 1, CONNECTIONS - 1);
	for (k = 0; k <= HOSTILE_REQUEST_LAST; k++)
		assert_true(d.request[k]);
	for (k = FD_EVENT; k <= FD_SOCKET; k++)
		assert_true(d.kind[k]);
	for (k = 0; k <= HOSTILE_FUZZ_FDS; k++)
		assert_true(d.fds[k]);
	assert_true(d.wrong_size && d.lie && d.parts && d.held && d.hung_up);
	assert_true(d.wrong_version && d.large_request && d.ready && d.fresh);
}

static void
payloads_have_the_sizes_of_the_protocol(void **state)
{
	uint8_t buf[HOSTILE_WIRE_MAX];
	struct vu_vring_addr addr;
	uint32_t request;

	assert_int_equal(hostile_wire_payload(VU_GET_FEATURES, 0, buf), 0);
	assert_int_equal(hostile_wire_payload(VU_SET_FEATURES, 0, buf), 8);
	assert_int_equal(hostile_wire_payload(VU_SET_MEM_TABLE, 0, buf), 8 + 32);
	assert_int_equal(hostile_wire_payload(VU_SET_VRING_ADDR, 1, buf), sizeof(addr));
	memcpy(&addr, buf, sizeof(addr));
	assert_int_equal(addr.index, 1);
	assert_in_range(addr.used, HOSTILE_SETUP_USER,
			HOSTILE_SETUP_USER + HOSTILE_SETUP_BYTES - 1);
	for (request = 0; request <= HOSTILE_REQUEST_LAST; request++) {
		assert_in_range(hostile_wire_payload(request, 0, buf), 0, HOSTILE_WIRE_MAX);
		assert_in_range(hostile_wire_fds(request), 0, 1);
		assert_non_null(hostile_wire_name(request));
	}
	assert_string_equal(hostile_wire_name(VU_SET_MEM_TABLE), "SET_MEM_TABLE");
	assert_string_equal(hostile_wire_name(0xffffffff), "request");
}

/* ---- what a process uses ---- */

static uint32_t
pipe_wait(void *fd)
{
	char c;

	return read(*(int *)fd, &c, 1) != 0;
}

static void
descriptors_and_threads_are_counted(void **state)
{
	struct hostile_usage before, now;
	rte_thread_t thread;
	int fds[2];

	assert_int_equal(hostile_usage_read(getpid(), &before), 0);
	assert_true(before.rss_kb > 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(hostile_usage_settle(getpid(), &before, 20, &now), -EBUSY);
	assert_int_equal(now.fds, before.fds + 2);
	assert_int_equal(rte_thread_create(&thread, NULL, pipe_wait, &fds[0]), 0);
	assert_int_equal(hostile_usage_read(getpid(), &now), 0);
	assert_int_equal(now.threads, before.threads + 1);
	close(fds[1]);
	rte_thread_join(thread, NULL);
	close(fds[0]);
	assert_int_equal(hostile_usage_settle(getpid(), &before, 1000, &now), 0);
	assert_int_equal(now.fds, before.fds);
}

static void
ended_process_is_not_alive(void **state)
{
	struct hostile_usage u;
	siginfo_t info;
	pid_t pid;

	assert_true(hostile_proc_alive(getpid()));
	pid = fork();
	if (pid == 0)
		_exit(0);
	/* It remains as a zombie. */
	assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(hostile_proc_alive(pid));
	waitpid(pid, NULL, 0);
	assert_false(hostile_proc_alive(pid));
	assert_int_equal(hostile_usage_read(pid, &u), -ESRCH);
}

/* ---- raw messages ---- */

static void
peers_make(struct vu_fe *fe, int *back)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	memset(fe, 0, sizeof(*fe));
	fe->fd = fds[0];
	fe->timeout_ms = 50;
	*back = fds[1];
}

static void
answer_send(int back, uint32_t request)
{
	struct vu_header hdr = { .request = request, .flags = VU_VERSION | VU_REPLY, .size = 8 };
	uint64_t value = 1;

	assert_int_equal(write(back, &hdr, sizeof(hdr)), sizeof(hdr));
	assert_int_equal(write(back, &value, sizeof(value)), sizeof(value));
}

static void
answers_silence_and_hang_up_are_told_apart(void **state)
{
	struct vu_fe fe;
	int back;

	peers_make(&fe, &back);
	answer_send(back, VU_SET_VRING_NUM);
	answer_send(back, VU_GET_FEATURES);
	assert_int_equal(hostile_answered(&fe), 0);
	assert_int_equal(hostile_answered(&fe), -ETIMEDOUT);
	close(back);
	assert_int_equal(hostile_answered(&fe), -ECONNRESET);
	vu_fe_close(&fe);
	assert_int_equal(hostile_answered(&fe), -ECONNRESET);
}

static void
drained_descriptors_are_closed(void **state)
{
	struct hostile_usage before, now;
	struct vu_fe fe, peer = { 0 };
	int fds[8], i;

	peers_make(&fe, &peer.fd);
	assert_int_equal(hostile_usage_read(getpid(), &before), 0);
	fds[0] = eventfd(0, 0);
	for (i = 1; i < 8; i++)
		fds[i] = fds[0];
	assert_int_equal(hostile_write(&peer, "x", 1, fds, 8, 0), 1);
	close(fds[0]);
	assert_true(hostile_drain(&fe));
	assert_int_equal(hostile_usage_read(getpid(), &now), 0);
	assert_int_equal(now.fds, before.fds);
	vu_fe_close(&peer);
	assert_false(hostile_drain(&fe));
	vu_fe_close(&fe);
}

static void
full_socket_does_not_block(void **state)
{
	static const uint8_t bytes[4096];
	struct vu_fe fe;
	int back, i, ret = 0;

	peers_make(&fe, &back);
	for (i = 0; i < 10000 && ret >= 0; i++)
		ret = hostile_write(&fe, bytes, sizeof(bytes), NULL, 0, 10);
	assert_int_equal(ret, -EAGAIN);
	close(back);
	assert_int_equal(hostile_write(&fe, bytes, 1, NULL, 0, 10), -EPIPE);
	vu_fe_close(&fe);
}

static void
every_kind_of_descriptor_can_be_opened(void **state)
{
	enum hostile_fd kind;
	int fd, other;

	for (kind = FD_EVENT; kind <= FD_SOCKET; kind++) {
		fd = hostile_fd_open(kind, STDERR_FILENO, &other);
		assert_true(fd >= 0);
		close(fd);
		if (other >= 0)
			close(other);
	}
	/* read-only memory */
	fd = hostile_fd_open(FD_READ_ONLY, -1, &other);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EBADF);
	close(fd);
}

static void
known_faults_have_a_reason(void **state)
{
	assert_non_null(strstr(hostile_known_fault("header-only"), "rte_vhost 22.11"));
	assert_null(hostile_known_fault("half-header"));
	assert_true(hostile_known_request(VU_SET_VRING_NUM));
	assert_false(hostile_known_request(VU_GET_FEATURES));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_draws_the_same_messages),
		cmocka_unit_test(seeds_and_connections_differ),
		cmocka_unit_test(every_kind_of_attack_is_drawn),
		cmocka_unit_test(payloads_have_the_sizes_of_the_protocol),
		cmocka_unit_test(descriptors_and_threads_are_counted),
		cmocka_unit_test(ended_process_is_not_alive),
		cmocka_unit_test(answers_silence_and_hang_up_are_told_apart),
		cmocka_unit_test(drained_descriptors_are_closed),
		cmocka_unit_test(full_socket_does_not_block),
		cmocka_unit_test(every_kind_of_descriptor_can_be_opened),
		cmocka_unit_test(known_faults_have_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

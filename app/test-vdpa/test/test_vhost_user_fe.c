/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Requests whose answers are read later, through a socket pair. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "vhost_user_fe.h"

struct peers {
	struct vu_fe fe;
	int back;
};

static int
peers_make(void **state)
{
	static struct peers p;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	memset(&p, 0, sizeof(p));
	p.fe.fd = fds[0];
	p.fe.timeout_ms = 2000;
	p.fe.protocol = 1ull << VU_PF_REPLY_ACK;
	p.back = fds[1];
	*state = &p;
	return 0;
}

static int
peers_close(void **state)
{
	struct peers *p = *state;

	vu_fe_close(&p->fe);
	if (p->back >= 0)
		close(p->back);
	return 0;
}

/* Send an answer to @p request, also before the request is read. */
static void
answer_send(const struct peers *p, uint32_t request, uint64_t value)
{
	const struct vu_header hdr = {
		.request = request, .flags = VU_VERSION | VU_REPLY, .size = sizeof(value),
	};

	assert_int_equal(write(p->back, &hdr, sizeof(hdr)), sizeof(hdr));
	assert_int_equal(write(p->back, &value, sizeof(value)), sizeof(value));
}

static int
unread_answers(const struct peers *p)
{
	char buf[4096];
	ssize_t n = recv(p->fe.fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);

	return n < 0 ? 0 : n / (ssize_t)(sizeof(struct vu_header) + sizeof(uint64_t));
}

static void
requests_wait_at_the_end_of_a_pipeline(void **state)
{
	struct peers *p = *state;
	unsigned int i;

	for (i = 0; i < 3; i++)
		answer_send(p, VU_SET_VRING_NUM, 0);
	vu_fe_pipeline_begin(&p->fe);
	for (i = 0; i < 3; i++)
		assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, i, 256), 0);
	assert_int_equal(unread_answers(p), 3);
	assert_int_equal(vu_fe_pipeline_end(&p->fe), 0);
	assert_int_equal(unread_answers(p), 0);
	/* after the pipeline, each request waits again */
	answer_send(p, VU_SET_VRING_NUM, 1);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), -EREMOTEIO);
}

static void
refusal_in_the_middle_is_reported(void **state)
{
	struct peers *p = *state;

	answer_send(p, VU_SET_VRING_NUM, 0);
	answer_send(p, VU_SET_VRING_BASE, 1);
	answer_send(p, VU_SET_VRING_ENABLE, 0);
	vu_fe_pipeline_begin(&p->fe);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), 0);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_BASE, 0, 7), 0);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_ENABLE, 0, 1), 0);
	assert_int_equal(vu_fe_pipeline_end(&p->fe), -EREMOTEIO);
	assert_int_equal(unread_answers(p), 0);
}

/* As rte_vhost does: after a refusal the error is the refusal, not the closed socket. */
static void
refusal_is_reported_after_hang_up(void **state)
{
	struct peers *p = *state;

	answer_send(p, VU_SET_VRING_NUM, 1);
	vu_fe_pipeline_begin(&p->fe);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), 0);
	close(p->back);
	p->back = -1;
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_BASE, 0, 7), -EREMOTEIO);
	vu_fe_pipeline_end(&p->fe);
}

static void
answer_that_does_not_come_is_an_error(void **state)
{
	struct peers *p = *state;

	p->fe.timeout_ms = 20;
	vu_fe_pipeline_begin(&p->fe);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), 0);
	assert_int_equal(vu_fe_pipeline_end(&p->fe), -ETIMEDOUT);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), -EPIPE);
}

/* A request with an answer of its own: earlier answers are read first. */
static void
query_reads_owed_answers_first(void **state)
{
	struct peers *p = *state;
	uint64_t value = 0;

	answer_send(p, VU_SET_VRING_NUM, 0);
	answer_send(p, VU_GET_FEATURES, 42);
	vu_fe_pipeline_begin(&p->fe);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), 0);
	assert_int_equal(vu_fe_get_u64(&p->fe, VU_GET_FEATURES, &value), 0);
	assert_int_equal(value, 42);
	assert_int_equal(vu_fe_pipeline_end(&p->fe), 0);
}

/* Read the flags of the next sent request. */
static uint32_t
flags_sent(struct peers *p)
{
	struct vu_header hdr;
	uint8_t payload[sizeof(struct vu_vring_state)];

	assert_int_equal(read(p->back, &hdr, sizeof(hdr)), sizeof(hdr));
	assert_int_equal(read(p->back, payload, hdr.size), hdr.size);
	return hdr.flags;
}

static void
acknowledgements_can_be_switched_off(void **state)
{
	struct peers *p = *state;

	vu_fe_acks_set(&p->fe, false);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), 0);
	assert_int_equal(flags_sent(p), VU_VERSION);
	vu_fe_acks_set(&p->fe, true);
	answer_send(p, VU_SET_VRING_NUM, 0);
	assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), 0);
	assert_int_equal(flags_sent(p), VU_VERSION | VU_NEED_REPLY);
}

static void
no_more_are_owed_than_fit(void **state)
{
	struct peers *p = *state;
	unsigned int i;

	for (i = 0; i < VU_PIPELINE_MAX + 1; i++)
		answer_send(p, VU_SET_VRING_NUM, 0);
	vu_fe_pipeline_begin(&p->fe);
	for (i = 0; i < VU_PIPELINE_MAX + 1; i++)
		assert_int_equal(vu_fe_set_vring(&p->fe, VU_SET_VRING_NUM, 0, 256), 0);
	assert_int_equal(unread_answers(p), 1);
	assert_int_equal(vu_fe_pipeline_end(&p->fe), 0);
}

/* A back end that accepts nobody: the queue of its socket is full. */
static void
connecting_has_a_bound(void **state)
{
	struct vu_fe first[4];
	char path[64];
	int listener, i, ret = 0;

	snprintf(path, sizeof(path), "/tmp/test_vhost_user_fe.%d", (int)getpid());
	listener = vu_fe_listen(path);
	assert_true(listener >= 0);
	/* Otherwise the test would hang. */
	alarm(10);
	for (i = 0; i < 4; i++)
		ret = vu_fe_connect(&first[i], path, 50);
	alarm(0);
	assert_int_equal(ret, -EAGAIN);
	for (i = 0; i < 4; i++)
		vu_fe_close(&first[i]);
	close(listener);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, peers_make, peers_close)
		TEST(requests_wait_at_the_end_of_a_pipeline),
		TEST(refusal_in_the_middle_is_reported),
		TEST(refusal_is_reported_after_hang_up),
		TEST(answer_that_does_not_come_is_an_error),
		TEST(query_reads_owed_answers_first),
		TEST(acknowledgements_can_be_switched_off),
		TEST(no_more_are_owed_than_fit),
		cmocka_unit_test(connecting_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

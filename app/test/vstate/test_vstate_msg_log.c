/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The message log: which messages of a front end hold, and the order of their replay.
 */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_fds.h"
#include "ut_groups.h"
#include "handover/vstate_handover_msg.h"
#include "vhost/vstate_msg.h"
#include "vhost/vstate_msg_log.h"
#include "vhost/vstate_vhost_user.h"

#define NB_VQS 4

/* ---- a front end ---- */

static void
message_log(struct vstate_msg_log *log, const struct msg *msg, const int *fds, int nb_fds)
{
	vstate_msg_log_note(log, msg, fds, nb_fds);
	vstate_msg_log_hold(log);
}

static void
u64_log(struct vstate_msg_log *log, uint32_t request, uint64_t value)
{
	const struct msg msg = { .request = request, .size = sizeof(uint64_t), .u64 = value };

	message_log(log, &msg, NULL, 0);
}

static void
state_log(struct vstate_msg_log *log, uint32_t request, uint32_t index, uint32_t num)
{
	const struct msg msg = { .request = request, .size = sizeof(msg.state),
		.state = { index, num } };

	message_log(log, &msg, NULL, 0);
}

/* Closes the descriptor afterwards, as rte_vhost does. */
static void
fd_log(struct vstate_msg_log *log, uint32_t request, uint64_t value, int fd)
{
	const struct msg msg = { .request = request, .size = sizeof(uint64_t), .u64 = value };

	assert_true(fd >= 0);
	message_log(log, &msg, &fd, 1);
	close(fd);
}

static void
memory_log(struct vstate_msg_log *log, uint64_t gpa)
{
	struct msg msg = { .request = MSG_SET_MEM_TABLE, .size = 8 + 2 * sizeof(struct msg_region),
		.memory = { .nb_regions = 2 } };
	int fds[2] = { eventfd(1, 0), eventfd(2, 0) };

	msg.memory.regions[0].gpa = gpa;
	message_log(log, &msg, fds, 2);
	close(fds[0]);
	close(fds[1]);
}

/* The messages without which a log is not whole. */
static void
least_log(struct vstate_msg_log *log)
{
	u64_log(log, MSG_SET_FEATURES, 0x11);
	memory_log(log, 0x1000);
}

/* ---- an offered log ---- */

static void
order_expect(const struct vstate_handover_msg *p, const uint32_t *requests, unsigned int n)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item msg;
	unsigned int i;

	for (i = 0; i < n; i++) {
		assert_int_equal(vstate_handover_msg_next(p, &cursor, &msg), 1);
		assert_int_equal(msg.type, requests[i]);
	}
	assert_int_equal(vstate_handover_msg_next(p, &cursor, &msg), 0);
	assert_int_equal(cursor.fd, p->nb_fds);
}

/* The only message of a request. */
static struct vstate_handover_item
item_find(const struct vstate_handover_msg *p, uint32_t request)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item msg, found = { 0 };

	while (vstate_handover_msg_next(p, &cursor, &msg) == 1) {
		if (msg.type != request)
			continue;
		assert_int_equal(found.type, 0);
		found = msg;
	}
	return found;
}

static void
log_offer(struct vstate_msg_log *log, struct vstate_handover_msg *p)
{
	*p = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, 0);
	assert_int_equal(vstate_msg_log_offer(log, p), 0);
}

/* ---- tests ---- */

/* The order in which the front end sent the messages does not matter. */
static void
messages_are_replayed_in_order(void **state)
{
	static const uint32_t order[] = { MSG_SET_OWNER, MSG_SET_PROTOCOL_FEATURES,
		MSG_SET_FEATURES, MSG_SET_MEM_TABLE, MSG_NET_SET_MTU,
		MSG_SET_VRING_NUM, MSG_SET_VRING_KICK, MSG_SET_VRING_NUM, MSG_SET_VRING_BASE,
		MSG_SET_VRING_CALL, MSG_SET_VRING_KICK, MSG_SET_VRING_ENABLE, MSG_SET_STATUS };
	struct vstate_msg_log *log = vstate_msg_log_create(NB_VQS);
	struct vstate_handover_msg p;
	const unsigned int before = fds_count();

	RTE_SET_USED(state);
	u64_log(log, MSG_SET_STATUS, 0xf);
	fd_log(log, MSG_SET_VRING_KICK, 3, eventfd(30, 0));
	fd_log(log, MSG_SET_VRING_KICK, 0, eventfd(10, 0));
	fd_log(log, MSG_SET_VRING_CALL, 0, eventfd(11, 0));
	state_log(log, MSG_SET_VRING_ENABLE, 0, 1);
	state_log(log, MSG_SET_VRING_NUM, 3, 64);
	state_log(log, MSG_SET_VRING_NUM, 0, 256);
	state_log(log, MSG_SET_VRING_BASE, 0, 7);
	u64_log(log, MSG_NET_SET_MTU, 1500);
	least_log(log);
	u64_log(log, MSG_SET_PROTOCOL_FEATURES, 1);
	u64_log(log, MSG_SET_OWNER, 0);
	/* not replayed */
	u64_log(log, MSG_GET_FEATURES, 0);
	u64_log(log, MSG_SEND_RARP, 0x665544332211);
	log_offer(log, &p);
	order_expect(&p, order, RTE_DIM(order));
	assert_int_equal(eventfd_counter(item_find(&p, MSG_SET_VRING_CALL).fds[0]), 11);
	assert_int_equal(eventfd_counter(item_find(&p, MSG_SET_MEM_TABLE).fds[1]), 2);
	assert_int_equal(item_find(&p, MSG_SET_MEM_TABLE).size, 8 + 2 * sizeof(struct msg_region));
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(log);
	assert_int_equal(fds_count(), before);
}

static void
last_message_holds(void **state)
{
	struct vstate_msg_log *log = vstate_msg_log_create(NB_VQS);
	const unsigned int before = fds_count();
	struct vstate_handover_item msg;
	struct vstate_handover_msg p;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 1; i <= 100; i++) {
		memory_log(log, i);
		u64_log(log, MSG_SET_FEATURES, i);
		fd_log(log, MSG_SET_VRING_KICK, 1, eventfd(i, 0));
		/* a queue out of range, and a payload too short to name a queue */
		fd_log(log, MSG_SET_VRING_KICK, NB_VQS, eventfd(i, 0));
		state_log(log, MSG_SET_VRING_NUM, UINT32_MAX, 4);
		message_log(log, &(struct msg){ .request = MSG_SET_VRING_NUM, .size = 3 },
				NULL, 0);
	}
	/* two of the memory table, one of the ring */
	assert_int_equal(fds_count(), before + 3);
	log_offer(log, &p);
	assert_int_equal(p.nb_fds, 3);
	msg = item_find(&p, MSG_SET_FEATURES);
	assert_memory_equal(msg.bytes, &(uint64_t){ 100 }, sizeof(uint64_t));
	assert_int_equal(eventfd_counter(item_find(&p, MSG_SET_VRING_KICK).fds[0]), 100);
	assert_int_equal(item_find(&p, MSG_SET_VRING_NUM).type, 0);
	vstate_handover_msg_drop(&p);
	/* copies were offered: the log is as it was */
	assert_int_equal(fds_count(), before + 3);
	log_offer(log, &p);
	assert_int_equal(p.nb_fds, 3);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(log);
	assert_int_equal(fds_count(), before);
}

static void
stopped_ring_has_no_descriptors(void **state)
{
	struct vstate_msg_log *log = vstate_msg_log_create(NB_VQS);
	struct vstate_handover_msg p = { 0 };

	RTE_SET_USED(state);
	least_log(log);
	state_log(log, MSG_SET_VRING_NUM, 1, 64);
	fd_log(log, MSG_SET_VRING_KICK, 1, eventfd(1, 0));
	fd_log(log, MSG_SET_VRING_CALL, 1, eventfd(2, 0));
	fd_log(log, MSG_SET_VRING_CALL, 2, eventfd(3, 0));
	state_log(log, MSG_GET_VRING_BASE, 1, 0);
	state_log(log, MSG_GET_VRING_BASE, NB_VQS, 0);
	/* the front end is about to take all rings back */
	assert_int_equal(vstate_msg_log_offer(log, &p), -ENOTCONN);
	vstate_msg_log_run(log);
	log_offer(log, &p);
	assert_int_equal(item_find(&p, MSG_SET_VRING_KICK).type, 0);
	assert_int_equal(eventfd_counter(item_find(&p, MSG_SET_VRING_CALL).fds[0]), 3);
	assert_int_equal(item_find(&p, MSG_SET_VRING_NUM).type, MSG_SET_VRING_NUM);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(log);
}

static void
log_with_a_gap_is_not_offered(void **state)
{
	struct vstate_msg_log *log = vstate_msg_log_create(NB_VQS);
	struct {
		struct msg msg;
		uint8_t more[512];
	} long_one = { .msg = { .request = MSG_SET_MEM_TABLE, .size = 513 } };
	const unsigned int before = fds_count();
	struct vstate_handover_msg p = { 0 };
	int none = -1;

	RTE_SET_USED(state);
	assert_int_equal(vstate_msg_log_offer(log, &p), -ENOTCONN);
	u64_log(log, MSG_SET_FEATURES, 1);
	assert_int_equal(vstate_msg_log_offer(log, &p), -ENOTCONN);
	memory_log(log, 1);
	/* longer than any message of vhost-user */
	message_log(log, &long_one.msg, NULL, 0);
	memory_log(log, 1);
	assert_int_equal(vstate_msg_log_offer(log, &p), -ENOTCONN);
	vstate_msg_log_begin(log);
	assert_int_equal(fds_count(), before);
	least_log(log);
	/* a descriptor that cannot be kept */
	message_log(log, &(struct msg){ .request = MSG_SET_VRING_CALL, .size = 8 }, &none, 1);
	assert_int_equal(vstate_msg_log_offer(log, &p), -ENOTCONN);
	u64_log(log, MSG_RESET_OWNER, 0);
	assert_int_equal(vstate_msg_log_offer(log, &p), -ENOTCONN);
	least_log(log);
	u64_log(log, MSG_POSTCOPY_ADVISE, 0);
	assert_int_equal(vstate_msg_log_offer(log, &p), -ENOTCONN);
	u64_log(log, MSG_POSTCOPY_END, 0);
	log_offer(log, &p);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(log);
	assert_int_equal(fds_count(), before);
}

/* A refused message leaves the log as it was. */
static void
refused_message_does_not_hold(void **state)
{
	struct vstate_msg_log *log = vstate_msg_log_create(NB_VQS);
	const unsigned int before = fds_count();
	struct vstate_handover_msg p;
	int fd = eventfd(9, 0);

	RTE_SET_USED(state);
	least_log(log);
	fd_log(log, MSG_SET_VRING_CALL, 0, eventfd(1, 0));
	vstate_msg_log_note(log, &(struct msg){ .request = MSG_SET_VRING_CALL, .size = 8 }, &fd, 1);
	vstate_msg_log_note(log, &(struct msg){ .request = MSG_RESET_OWNER }, NULL, 0);
	vstate_msg_log_note(log, &(struct msg){ .request = MSG_POSTCOPY_ADVISE }, NULL, 0);
	vstate_msg_log_note(log, &(struct msg){ .request = MSG_SET_VRING_CALL, .size = 8 }, &fd, 1);
	log_offer(log, &p);
	assert_int_equal(eventfd_counter(item_find(&p, MSG_SET_VRING_CALL).fds[0]), 1);
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(log);
	close(fd);
	assert_int_equal(fds_count(), before);
}

static void
ring_is_replayed_at_its_position(void **state)
{
	struct vstate_msg_log *log = vstate_msg_log_create(NB_VQS);
	const uint32_t want[] = { 1, 0x80078007 };
	struct vstate_handover_item msg;
	struct vstate_handover_msg p;

	RTE_SET_USED(state);
	least_log(log);
	state_log(log, MSG_SET_VRING_BASE, 1, 4);
	vstate_msg_log_rebase(log, 0, 5);
	vstate_msg_log_rebase(log, 1, want[1]);
	vstate_msg_log_rebase(log, NB_VQS, 6);
	log_offer(log, &p);
	msg = item_find(&p, MSG_SET_VRING_BASE);
	assert_int_equal(msg.size, sizeof(want));
	assert_memory_equal(msg.bytes, want, sizeof(want));
	vstate_handover_msg_drop(&p);
	vstate_msg_log_free(log);
}

/* A device without a state file has no message log. */
static void
null_log_is_ignored(void **state)
{
	RTE_SET_USED(state);
	least_log(NULL);
	vstate_msg_log_run(NULL);
	vstate_msg_log_begin(NULL);
	vstate_msg_log_free(NULL);
}

int
test_vstate_msg_log(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_replayed_in_order),
		cmocka_unit_test(last_message_holds),
		cmocka_unit_test(stopped_ring_has_no_descriptors),
		cmocka_unit_test(log_with_a_gap_is_not_offered),
		cmocka_unit_test(refused_message_does_not_hold),
		cmocka_unit_test(ring_is_replayed_at_its_position),
		cmocka_unit_test(null_log_is_ignored),
	};

	return cmocka_run_group_tests_name("vstate_msg_log", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The process that asks for a device. The test is the owner, and the front end has no socket: it
 * only counts what it is asked to do.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_string_fns.h>

#include "ut_device.h"
#include "ut_groups.h"
#include "dev/vstate_class.h"
#include "dev/vstate_clock.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_passed.h"
#include "dev/vstate_run.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_state_file.h"
#include "handover/vstate_takeover.h"
#include "ring/vstate_lease.h"

#define NAME "test_asker"
/* Bound for events that follow at once on an idle machine. */
#define PATIENCE_MS 20000
/* Bound for a test: one that hangs fails. */
#define HANG_S 100
#define PARTS 3

/* Calls of the device, and their results. The thread that asks makes them. */
static struct {
	unsigned int adopts, runs, abandons, lefts, takes;
	int adopt_result, run_result, take_result;
	uint32_t offered;
	struct vstate_passed parts[PARTS];
} front;

static int
front_adopt(struct vstate_dev *dev, const struct vstate_handover_msg *msg, bool *kept)
{
	RTE_SET_USED(dev);
	front.adopts++;
	front.offered = msg->value;
	*kept = true;
	return front.adopt_result;
}

static int
front_run(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	front.runs++;
	return front.run_result;
}

static void
front_abandon(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	front.abandons++;
}

static bool
front_is_shut(const struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	return false;
}

static bool
front_watch(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	return false;
}

static const struct vstate_front_end_ops front_ops = {
	.watch = front_watch,
	.adopt = front_adopt,
	.run = front_run,
	.abandon = front_abandon,
	.is_shut = front_is_shut,
};

/* Take the first descriptor of a part. */
static int
class_take(struct vstate_dev *dev, struct vstate_passed *part)
{
	RTE_SET_USED(dev);
	if (front.takes < PARTS)
		front.parts[front.takes] = *part;
	front.takes++;
	if (part->nb_fds > 0)
		part->fds[0] = -1;
	return front.take_result;
}

static void
class_left(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	front.lefts++;
}

struct bench {
	const char *name;
	char dir[64], path[128], handover[128];
	struct vstate_conf conf;
	struct vstate_dev *dev;
	const struct vstate_front_end_ops *front_before;
	const struct vstate_class *class_before;
	struct vstate_class class;
	/** The owner's: the state file, where it listens, and the connection of the asker. */
	int file, listener, asker;
};

/* The owner of device @p name holds its file, and the device waits for it. */
static struct bench *
bench_make(const char *name)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct vstate_dev *dev;

	assert_non_null(b);
	b->name = name;
	memset(&front, 0, sizeof(front));
	alarm(HANG_S);
	rte_strscpy(b->dir, "/tmp/vstate-asker.XXXXXX", sizeof(b->dir));
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/%s.vstate", b->dir, name);
	snprintf(b->handover, sizeof(b->handover), "%s/%s.handover", b->dir, name);
	b->conf = ut_conf(1, 9000);
	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	vstate_lease_init();
	/* a first process makes the file */
	dev = ut_device_make(name, &b->conf);
	assert_non_null(dev);
	ut_device_unmake(dev);
	b->file = open(b->path, O_RDWR);
	assert_true(b->file >= 0);
	assert_int_equal(flock(b->file, LOCK_EX | LOCK_NB), 0);
	b->listener = vstate_handover_msg_listen(b->handover);
	assert_true(b->listener >= 0);
	b->asker = -1;
	b->conf.takeover = true;
	b->conf.keep_connection = true;
	return b;
}

static int
bench_open(void **state)
{
	*state = bench_make(NAME);
	return 0;
}

static void
device_make(struct bench *b)
{
	b->dev = ut_device_make(b->name, &b->conf);
	assert_non_null(b->dev);
	assert_string_equal(vstate_takeover_phase(b->dev), "waiting");
	assert_true(vstate_run_is_blocked(b->dev, VSTATE_BLOCK_NOT_OWNER));
	b->front_before = b->dev->front_ops;
	b->class_before = b->dev->class;
	b->class = *b->dev->class;
	b->class.take = class_take;
	b->class.left = class_left;
	b->dev->class = &b->class;
	b->dev->front_ops = &front_ops;
	vstate_run_poller_set(b->dev, VSTATE_POLLER_THREAD);
	assert_int_equal(vstate_takeover_open(b->dev), 0);
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	if (b->dev != NULL) {
		vstate_takeover_end(b->dev);
		b->dev->front_ops = b->front_before;
		b->dev->class = b->class_before;
		ut_device_unmake(b->dev);
	}
	close(b->file);
	if (b->listener >= 0)
		close(b->listener);
	if (b->asker >= 0)
		close(b->asker);
	unlink(b->path);
	unlink(b->handover);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	alarm(0);
	return 0;
}

static void
msg_send(struct bench *b, const struct vstate_handover_msg *msg)
{
	assert_int_equal(vstate_handover_msg_send(b->asker, msg, vstate_clock_ms() + PATIENCE_MS),
			0);
}

static void
value_send(struct bench *b, enum vstate_handover_kind kind, uint32_t value)
{
	const struct vstate_handover_msg msg = VSTATE_HANDOVER_MSG(kind, value);

	msg_send(b, &msg);
}

static uint32_t
kind_expect(struct bench *b, enum vstate_handover_kind kind)
{
	struct vstate_handover_msg msg;
	uint32_t value;

	assert_int_equal(vstate_handover_msg_receive(b->asker, &msg,
			vstate_clock_ms() + PATIENCE_MS, -1), 0);
	assert_int_equal(msg.kind, kind);
	value = msg.value;
	vstate_handover_msg_drop(&msg);
	return value;
}

static void
asker_await(struct bench *b)
{
	unsigned int ms;

	for (ms = 0; ms < PATIENCE_MS && b->asker < 0; ms++) {
		b->asker = vstate_handover_msg_accept(b->listener);
		usleep(1000);
	}
	assert_true(b->asker >= 0);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_ASK), 1);
}

/* The device asks. */
static void
asker_accept(struct bench *b)
{
	device_make(b);
	asker_await(b);
}

/* Offer, and wait until the device is set up. */
static void
offer_accept(struct bench *b)
{
	asker_accept(b);
	value_send(b, VSTATE_HANDOVER_OFFER, 77);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_READY), 1);
	assert_int_equal(front.offered, 77);
	assert_int_equal(front.adopts, 1);
	assert_int_equal(front.runs, 0);
}

static void
phase_await(struct bench *b, const char *phase)
{
	unsigned int ms;

	for (ms = 0; ms < PATIENCE_MS && strcmp(vstate_takeover_phase(b->dev), phase) != 0; ms++)
		usleep(1000);
	assert_string_equal(vstate_takeover_phase(b->dev), phase);
}

static bool
file_is_free(struct bench *b)
{
	if (flock(b->file, LOCK_EX | LOCK_NB) != 0)
		return false;
	flock(b->file, LOCK_UN);
	return true;
}

/* The takeover failed before the device served a queue: all of it is undone. */
static void
takeover_failed(struct bench *b)
{
	phase_await(b, "failed");
	vstate_takeover_end(b->dev);
	assert_int_equal(front.abandons, 1);
	assert_int_equal(front.lefts, 1);
	assert_int_equal(front.runs, 0);
	assert_true(vstate_run_is_blocked(b->dev, VSTATE_BLOCK_NOT_OWNER));
	assert_null(b->dev->kept);
	assert_int_equal(vstate_takeover_ask(b->dev), -ENOTSUP);
	/* the owner still has its file, and still listens */
	assert_int_equal(flock(b->file, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(access(b->handover, F_OK), 0);
}

static void
device_runs(struct bench *b, unsigned int adopts)
{
	phase_await(b, "");
	assert_int_equal(front.adopts, adopts);
	assert_int_equal(front.runs, 1);
	assert_int_equal(front.abandons, 0);
	assert_int_equal(front.lefts, 0);
	assert_false(file_is_free(b));
}

/* ---- tests ---- */

/* The longest part with all its descriptors, an empty one, and what is no part of the class. */
static void
device_is_taken_with_all_that_the_owner_passes(void **state)
{
	struct vstate_handover_msg go = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_GO, 0);
	uint8_t bytes[VSTATE_PASSED_BYTES];
	int fds[VSTATE_PASSED_FDS + 1], ends[2], i;
	struct bench *b = *state;
	eventfd_t value;
	char end;

	assert_int_equal(pipe(ends), 0);
	fds[0] = eventfd(10, EFD_NONBLOCK);
	fds[1] = fds[2] = ends[1];
	for (i = 0; i < (int)sizeof(bytes); i++)
		bytes[i] = i * 7;
	assert_int_equal(vstate_handover_msg_add(&go, VSTATE_HANDOVER_CLASS, bytes, sizeof(bytes),
			fds, VSTATE_PASSED_FDS), 0);
	assert_int_equal(vstate_handover_msg_add(&go, VSTATE_HANDOVER_CONNECTION, bytes, 1, fds, 1),
			0);
	assert_int_equal(vstate_handover_msg_add(&go, VSTATE_HANDOVER_CLASS, bytes, 1, fds,
			VSTATE_PASSED_FDS + 1), 0);
	assert_int_equal(vstate_handover_msg_add(&go, VSTATE_HANDOVER_CLASS, NULL, 0, NULL, 0), 0);
	front.take_result = -EINVAL;
	offer_accept(b);
	assert_int_equal(flock(b->file, LOCK_UN), 0);
	msg_send(b, &go);
	kind_expect(b, VSTATE_HANDOVER_RUNNING);
	device_runs(b, 1);
	assert_int_equal(front.takes, 2);
	assert_int_equal(front.parts[0].size, sizeof(bytes));
	assert_memory_equal(front.parts[0].bytes, bytes, sizeof(bytes));
	assert_int_equal(front.parts[0].nb_fds, VSTATE_PASSED_FDS);
	assert_int_equal(front.parts[1].size, 0);
	assert_int_equal(front.parts[1].nb_fds, 0);
	/* the descriptor that was taken is open, and the other ones are closed */
	assert_int_equal(eventfd_read(front.parts[0].fds[0], &value), 0);
	assert_int_equal(value, 10);
	close(front.parts[0].fds[0]);
	vstate_handover_msg_drop(&go);
	close(ends[1]);
	assert_int_equal(read(ends[0], &end, 1), 0);
	close(ends[0]);
	close(fds[0]);
	/* it is the owner now, and listens in the old owner's place */
	close(vstate_handover_msg_connect(b->handover));
	assert_int_equal(vstate_handover_msg_accept(b->listener), -EAGAIN);
}

static void
offer_that_cannot_be_used_is_refused(void **state)
{
	struct bench *b = *state;

	front.adopt_result = -ENOMEM;
	asker_accept(b);
	value_send(b, VSTATE_HANDOVER_OFFER, 0);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), ENOMEM);
	takeover_failed(b);
	assert_int_equal(front.adopts, 1);
}

static void
refusal_of_the_owner_ends_the_takeover(void **state)
{
	struct bench *b = *state;

	asker_accept(b);
	value_send(b, VSTATE_HANDOVER_REFUSED, EBUSY);
	/* the errno comes back */
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), EBUSY);
	takeover_failed(b);
	assert_int_equal(front.adopts, 0);
}

static void
refusal_after_the_offer_ends_the_takeover(void **state)
{
	struct bench *b = *state;

	offer_accept(b);
	value_send(b, VSTATE_HANDOVER_REFUSED, ETIMEDOUT);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), ETIMEDOUT);
	takeover_failed(b);
}

/* No errno, none that there is, and a message out of order. */
static void
answer_that_is_no_answer_ends_the_takeover(void **state)
{
	struct bench *b = *state;

	asker_accept(b);
	value_send(b, VSTATE_HANDOVER_REFUSED, 0);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), EBADMSG);
	takeover_failed(b);
}

static void
message_out_of_order_ends_the_takeover(void **state)
{
	struct bench *b = *state;

	asker_accept(b);
	value_send(b, VSTATE_HANDOVER_GO, 0);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), EBADMSG);
	takeover_failed(b);
}

/* The process that says GO and keeps the file still owns the device. */
static void
file_that_the_owner_keeps_is_not_taken(void **state)
{
	struct bench *b = *state;

	offer_accept(b);
	value_send(b, VSTATE_HANDOVER_GO, 0);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), EBUSY);
	takeover_failed(b);
}

static void
owner_that_dies_leaves_the_device(void **state)
{
	struct bench *b = *state;

	offer_accept(b);
	assert_int_equal(flock(b->file, LOCK_UN), 0);
	close(b->asker);
	b->asker = -1;
	device_runs(b, 1);
	assert_int_equal(front.takes, 0);
}

/* The owner died before it could be asked: its listener is closed, or its file is gone too. */
static void
owner_that_died_is_not_asked(void **state)
{
	struct bench *b = *state;

	close(b->listener);
	b->listener = -1;
	device_make(b);
	/* the kernel releases the lock a moment later */
	usleep(20000);
	assert_int_equal(flock(b->file, LOCK_UN), 0);
	device_runs(b, 0);
}

static void
owner_without_a_listener_is_not_asked(void **state)
{
	struct bench *b = *state;

	close(b->listener);
	b->listener = -1;
	unlink(b->handover);
	device_make(b);
	assert_int_equal(flock(b->file, LOCK_UN), 0);
	device_runs(b, 0);
}

/* The front end cannot be served: the file is free for another process. */
static void
device_that_cannot_run_releases_the_file(void **state)
{
	struct bench *b = *state;

	front.run_result = -ENOMEM;
	offer_accept(b);
	assert_int_equal(flock(b->file, LOCK_UN), 0);
	value_send(b, VSTATE_HANDOVER_GO, 0);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), ENOMEM);
	phase_await(b, "failed");
	vstate_takeover_end(b->dev);
	assert_int_equal(front.runs, 1);
	assert_int_equal(front.abandons, 1);
	assert_int_equal(front.lefts, 2);
	assert_true(file_is_free(b));
}

/* The second device asks when the takeover of the first one has ended. */
static void
devices_of_a_process_take_turns(void **state)
{
	struct bench *b = *state, *second = bench_make(NAME "2");

	asker_accept(b);
	device_make(second);
	usleep(200000);
	assert_int_equal(vstate_handover_msg_accept(second->listener), -EAGAIN);
	value_send(b, VSTATE_HANDOVER_REFUSED, EBUSY);
	phase_await(b, "failed");
	asker_await(second);
	value_send(second, VSTATE_HANDOVER_REFUSED, EBUSY);
	phase_await(second, "failed");
	bench_close((void **)&second);
	alarm(HANG_S);
}

/* A device that waits for its turn can be removed. */
static void
removal_ends_a_wait_for_a_turn(void **state)
{
	struct bench *b = *state, *second = bench_make(NAME "2");

	asker_accept(b);
	device_make(second);
	bench_close((void **)&second);
	alarm(HANG_S);
	value_send(b, VSTATE_HANDOVER_REFUSED, EBUSY);
	phase_await(b, "failed");
}

static void
removal_ends_a_wait_for_the_owner(void **state)
{
	struct bench *b = *state;

	asker_accept(b);
	vstate_takeover_end(b->dev);
	assert_int_equal(kind_expect(b, VSTATE_HANDOVER_REFUSED), ECANCELED);
	takeover_failed(b);
}

/* The file of the process to ask is not one: the device is not made, and does not wait. */
static void
file_of_another_length_is_no_owner(void **state)
{
	struct bench *b = *state;
	struct stat st;
	off_t lens[4];
	size_t i;

	assert_int_equal(fstat(b->file, &st), 0);
	lens[0] = 0;
	lens[1] = 4096;
	lens[2] = st.st_size - 1;
	lens[3] = st.st_size + 1;
	for (i = 0; i < RTE_DIM(lens); i++) {
		assert_int_equal(ftruncate(b->file, lens[i]), 0);
		assert_null(ut_device_make(NAME, &b->conf));
		assert_int_equal(rte_errno, EPROTO);
	}
}

int
test_vstate_takeover_ask(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
	static const struct CMUnitTest tests[] = {
		TEST(device_is_taken_with_all_that_the_owner_passes),
		TEST(offer_that_cannot_be_used_is_refused),
		TEST(refusal_of_the_owner_ends_the_takeover),
		TEST(refusal_after_the_offer_ends_the_takeover),
		TEST(answer_that_is_no_answer_ends_the_takeover),
		TEST(message_out_of_order_ends_the_takeover),
		TEST(file_that_the_owner_keeps_is_not_taken),
		TEST(owner_that_dies_leaves_the_device),
		TEST(owner_that_died_is_not_asked),
		TEST(owner_without_a_listener_is_not_asked),
		TEST(device_that_cannot_run_releases_the_file),
		TEST(devices_of_a_process_take_turns),
		TEST(removal_ends_a_wait_for_a_turn),
		TEST(removal_ends_a_wait_for_the_owner),
		TEST(file_of_another_length_is_no_owner),
	};

	return cmocka_run_group_tests_name("vstate_takeover_ask", tests, NULL, NULL);
}

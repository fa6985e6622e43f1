/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The owner of a device, and a process that asks for it and then fails, at each step: the owner
 * keeps the device. The test is that process.
 */

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_memory.h>
#include <rte_string_fns.h>
#include <rte_thread.h>

#include "ut_device.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "ut_socket.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_class.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_passed.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "dev/vstate_clock.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_state_file.h"
#include "handover/vstate_takeover.h"
#include "ring/vstate_lease.h"
#include "vhost/vstate_door.h"

#define NAME "test_takeover"
#define SIZE 64
/* Bound for events that follow at once on an idle machine. */
#define PATIENCE_MS 10000
/* Bound for a test: one that hangs fails. */
#define HANG_S 60

struct bench {
	char dir[64], path[128], handover[128];
	struct vstate_conf conf;
	struct vstate_dev *dev;
	struct ring ring;
	struct vstate_setup setup;
	/** The state file, opened by the process that asks. */
	int fd;
};

static void
device_start(struct bench *b)
{
	unsigned int i;

	b->setup.features = RTE_BIT64(VIRTIO_F_VERSION_1);
	b->setup.mem = b->ring.guest.mem;
	/* both queues use the same ring, as no thread polls them */
	for (i = 0; i < 2; i++) {
		ring_describe(&b->ring, &b->setup.rings[i]);
		b->setup.rings[i].ready = true;
		b->setup.rings[i].base_fresh = true;
	}
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, b->setup.features, false);
	vstate_start(b->dev, &b->setup);
}

static int
bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	alarm(HANG_S);
	rte_strscpy(b->dir, "/tmp/vstate-takeover.XXXXXX", sizeof(b->dir));
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/" NAME ".vstate", b->dir);
	snprintf(b->handover, sizeof(b->handover), "%s/" NAME ".handover", b->dir);
	b->conf = ut_conf(1, 9000);
	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	snprintf(b->conf.iface, sizeof(b->conf.iface), "%s/socket", b->dir);
	ring_open(&b->ring, false, SIZE);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->dev = ut_device_make(NAME, &b->conf);
	assert_non_null(b->dev);
	device_start(b);
	b->fd = open(b->path, O_RDWR);
	assert_true(b->fd >= 0);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	vstate_takeover_end(b->dev);
	vstate_door_close(b->dev);
	vstate_start_disconnect(b->dev, false);
	ut_device_unmake(b->dev);
	vstate_watch_put();
	ring_close(&b->ring);
	close(b->fd);
	unlink(b->conf.iface);
	unlink(b->path);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	alarm(0);
	return 0;
}

static bool
file_is_free(struct bench *b)
{
	if (flock(b->fd, LOCK_EX | LOCK_NB) != 0)
		return false;
	flock(b->fd, LOCK_UN);
	return true;
}

static bool
vqs_are_granted(const struct bench *b)
{
	return vstate_lease_is_granted(&b->dev->vqs[0]->lease) &&
		vstate_lease_is_granted(&b->dev->vqs[1]->lease);
}

/* ---- a control lock that is held ---- */

struct busy {
	rte_thread_t thread;
	sem_t begun, end;
	struct vstate_dev *dev;
};

static int
do_busy(struct vstate_dev *dev, void *arg)
{
	struct busy *busy = arg;

	RTE_SET_USED(dev);
	sem_post(&busy->begun);
	sem_wait(&busy->end);
	return 0;
}

static uint32_t
busy_main(void *arg)
{
	struct busy *busy = arg;

	vstate_control_run(do_busy, busy->dev, busy);
	return 0;
}

static void
busy_begin(struct busy *busy, struct vstate_dev *dev)
{
	busy->dev = dev;
	sem_init(&busy->begun, 0, 0);
	sem_init(&busy->end, 0, 0);
	assert_int_equal(rte_thread_create(&busy->thread, NULL, busy_main, busy), 0);
	sem_wait(&busy->begun);
}

static void
busy_end(struct busy *busy)
{
	sem_post(&busy->end);
	rte_thread_join(busy->thread, NULL);
	sem_destroy(&busy->begun);
	sem_destroy(&busy->end);
}

/* ---- the process that asks ---- */

static int
owner_connect(struct bench *b)
{
	int fd;

	assert_int_equal(vstate_takeover_open(b->dev), 0);
	fd = vstate_handover_msg_connect(b->handover);
	assert_true(fd >= 0);
	return fd;
}

static void
value_send(int fd, enum vstate_handover_kind kind, uint32_t value)
{
	const struct vstate_handover_msg msg = VSTATE_HANDOVER_MSG(kind, value);

	assert_int_equal(vstate_handover_msg_send(fd, &msg, vstate_clock_ms() + PATIENCE_MS), 0);
}

static uint32_t
kind_expect(int fd, enum vstate_handover_kind kind)
{
	struct vstate_handover_msg msg;
	uint32_t value;

	assert_int_equal(vstate_handover_msg_receive(fd, &msg, vstate_clock_ms() + PATIENCE_MS,
			-1), 0);
	assert_int_equal(msg.kind, kind);
	value = msg.value;
	vstate_handover_msg_drop(&msg);
	return value;
}

/* Ask until the owner has unlocked the file. */
static int
file_get(struct bench *b)
{
	int fd = owner_connect(b);

	value_send(fd, VSTATE_HANDOVER_ASK, 0);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	/* the queues still run */
	assert_true(vqs_are_granted(b));
	assert_false(file_is_free(b));
	value_send(fd, VSTATE_HANDOVER_READY, 0);
	kind_expect(fd, VSTATE_HANDOVER_GO);
	assert_false(vqs_are_granted(b));
	return fd;
}

/* The owner serves the queues, and holds the file. */
static void
owner_keeps_the_device(struct bench *b)
{
	unsigned int ms;

	for (ms = 0; ms < PATIENCE_MS && (!vqs_are_granted(b) || file_is_free(b)); ms++)
		usleep(1000);
	assert_true(vqs_are_granted(b));
	assert_false(file_is_free(b));
	assert_string_equal(vstate_takeover_phase(b->dev), "");
	close(socket_connect(b->conf.iface));
}

static void
phase_await(const struct bench *b, const char *phase)
{
	unsigned int ms;

	for (ms = 0; ms < PATIENCE_MS && strcmp(vstate_takeover_phase(b->dev), phase) != 0; ms++)
		usleep(1000);
	assert_string_equal(vstate_takeover_phase(b->dev), phase);
}

/* The next request is granted. */
static void
next_request_is_granted(struct bench *b)
{
	int fd = vstate_handover_msg_connect(b->handover);

	assert_true(fd >= 0);
	value_send(fd, VSTATE_HANDOVER_ASK, 0);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	value_send(fd, VSTATE_HANDOVER_READY, 0);
	kind_expect(fd, VSTATE_HANDOVER_GO);
	assert_true(file_is_free(b));
	value_send(fd, VSTATE_HANDOVER_RUNNING, 0);
	phase_await(b, "released");
	assert_false(vqs_are_granted(b));
	close(fd);
	/* the new owner's now */
	unlink(b->handover);
	assert_int_equal(access(b->conf.iface, F_OK), 0);
}

/* ---- tests ---- */

static void
process_that_dies_after_its_request_changes_nothing(void **state)
{
	struct bench *b = *state;
	int fd = owner_connect(b);

	value_send(fd, VSTATE_HANDOVER_ASK, 1);
	close(fd);
	usleep(20000);
	owner_keeps_the_device(b);
	next_request_is_granted(b);
}

static void
process_that_refuses_the_offer_changes_nothing(void **state)
{
	struct bench *b = *state;
	int fd = owner_connect(b);

	value_send(fd, VSTATE_HANDOVER_ASK, 1);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	value_send(fd, VSTATE_HANDOVER_REFUSED, ENOMEM);
	owner_keeps_the_device(b);
	close(fd);
	next_request_is_granted(b);
}

static void
device_is_taken_back_from_a_process_that_dies(void **state)
{
	struct bench *b = *state;
	int fd = file_get(b);

	close(fd);
	owner_keeps_the_device(b);
	next_request_is_granted(b);
}

/* It does not lock the file. The owner does not wait for as long as for a process that has. */
static void
device_is_taken_back_from_a_process_that_is_silent(void **state)
{
	const uint64_t start = vstate_clock_ms();
	struct bench *b = *state;
	int fd = file_get(b);

	owner_keeps_the_device(b);
	assert_true(vstate_clock_ms() - start < PATIENCE_MS);
	/* too late */
	assert_int_equal(flock(b->fd, LOCK_EX | LOCK_NB), -1);
	close(fd);
	next_request_is_granted(b);
}

static void
device_is_taken_back_from_a_process_that_gives_up(void **state)
{
	struct bench *b = *state;
	int fd = file_get(b);

	assert_int_equal(flock(b->fd, LOCK_EX | LOCK_NB), 0);
	usleep(50000);
	/* whoever holds the file owns the device */
	assert_false(vqs_are_granted(b));
	flock(b->fd, LOCK_UN);
	value_send(fd, VSTATE_HANDOVER_REFUSED, ENOMEM);
	owner_keeps_the_device(b);
	close(fd);
}

/* However late: nobody else can serve the guest. */
static void
device_is_taken_back_from_a_process_that_fails_late(void **state)
{
	struct bench *b = *state;
	int fd;

	/* longer than the bound after which the owner complains */
	if (getenv("SOAK") == NULL)
		skip();
	fd = file_get(b);
	assert_int_equal(flock(b->fd, LOCK_EX | LOCK_NB), 0);
	sleep(12);
	assert_string_equal(vstate_takeover_phase(b->dev), "");
	flock(b->fd, LOCK_UN);
	owner_keeps_the_device(b);
	close(fd);
}

/*
 * The process served the rings for a moment: the owner reads the file again. This device has no
 * connection by which the rings could be set up again.
 */
static void
device_is_taken_back_where_the_other_process_stopped(void **state)
{
	struct vstate_state_file_head *head;
	struct vstate_state_file_vq *vqs;
	struct bench *b = *state;
	int fd = file_get(b);
	unsigned int i;
	uint8_t *map;

	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	assert_true(map != MAP_FAILED);
	head = (struct vstate_state_file_head *)(void *)map;
	vqs = (struct vstate_state_file_vq *)(void *)(map + 4096);
	assert_int_equal(flock(b->fd, LOCK_EX | LOCK_NB), 0);
	/* a new state with the same content, and queues that went on by three */
	assert_int_equal(copy_file_range(b->fd, &(off_t){ 65536 + (head->seq % 2) * (16l << 20) },
			b->fd, &(off_t){ 65536 + ((head->seq + 1) % 2) * (16l << 20) },
			head->state_len[head->seq % 2], 0), head->state_len[head->seq % 2]);
	head->state_len[(head->seq + 1) % 2] = head->state_len[head->seq % 2];
	head->seq++;
	for (i = 0; i < 2; i++) {
		vqs[i].seq = head->seq;
		vqs[i].head.split.used_idx = 3;
	}
	close(fd);
	flock(b->fd, LOCK_UN);
	munmap(map, 65536);
	owner_keeps_the_device(b);
	assert_non_null(b->dev->handover->recovery);
	for (i = 0; i < 2; i++)
		assert_int_equal(b->dev->handover->recovery->vqs[i].head.split.used_idx, 3);
}

static void
busy_owner_refuses(void **state)
{
	struct bench *b = *state;
	struct busy busy;
	int fd = owner_connect(b);

	busy_begin(&busy, b->dev);
	value_send(fd, VSTATE_HANDOVER_ASK, 0);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	value_send(fd, VSTATE_HANDOVER_READY, 0);
	assert_int_equal(kind_expect(fd, VSTATE_HANDOVER_REFUSED), EBUSY);
	busy_end(&busy);
	close(fd);
	owner_keeps_the_device(b);
}

static void
owner_whose_poll_thread_does_not_return_refuses(void **state)
{
	struct bench *b = *state;
	struct vstate_lease *lease = &b->dev->vqs[1]->lease;
	int fd = owner_connect(b);

	assert_true(vstate_lease_take(lease));
	value_send(fd, VSTATE_HANDOVER_ASK, 0);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	value_send(fd, VSTATE_HANDOVER_READY, 0);
	assert_int_equal(kind_expect(fd, VSTATE_HANDOVER_REFUSED), ETIMEDOUT);
	vstate_lease_give(lease);
	close(fd);
	owner_keeps_the_device(b);
}

static void
removal_ends_while_a_process_is_silent(void **state)
{
	struct bench *b = *state;
	int fd = owner_connect(b);

	value_send(fd, VSTATE_HANDOVER_ASK, 0);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	vstate_takeover_end(b->dev);
	assert_false(file_is_free(b));
	close(fd);
}

/* A port may be closed at any time, and the bound for the other process is 10 s. */
static void
port_closes_while_a_process_is_silent(void **state)
{
	struct bench *b = *state;
	int fd = owner_connect(b);
	uint64_t begin;

	value_send(fd, VSTATE_HANDOVER_ASK, 1);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	begin = vstate_clock_ms();
	vstate_door_close(b->dev);
	assert_true(vstate_clock_ms() - begin < 8000);
	close(fd);
}

/* The process that has the file never says that it serves the device. */
static void
removal_ends_while_another_process_has_the_file(void **state)
{
	struct bench *b = *state;
	int fd = file_get(b);

	assert_int_equal(flock(b->fd, LOCK_EX | LOCK_NB), 0);
	vstate_takeover_end(b->dev);
	unlink(b->handover);
	close(fd);
}

static void
port_closes_while_another_process_has_the_file(void **state)
{
	struct bench *b = *state;
	int fd = file_get(b);

	assert_int_equal(flock(b->fd, LOCK_EX | LOCK_NB), 0);
	vstate_door_close(b->dev);
	phase_await(b, "released");
	unlink(b->handover);
	close(fd);
}

static void
released_device_is_free_for_a_later_process(void **state)
{
	struct bench *b = *state;
	unsigned int ms;

	assert_int_equal(vstate_takeover_open(b->dev), 0);
	assert_int_equal(vstate_takeover_ask(b->dev), 0);
	for (ms = 0; ms < PATIENCE_MS && strcmp(vstate_takeover_phase(b->dev), "released") != 0;
			ms++)
		usleep(1000);
	assert_true(file_is_free(b));
	assert_false(vqs_are_granted(b));
	assert_int_equal(access(b->conf.iface, F_OK), -1);
	assert_int_equal(vstate_takeover_ask(b->dev), -ENOTSUP);
	unlink(b->handover);
}

/* No ring runs, and nothing is waited for. The process that asks gets the device nevertheless. */
static void
device_that_is_not_connected_is_handed_over(void **state)
{
	struct bench *b = *state;

	vstate_start_disconnect(b->dev, false);
	assert_int_equal(vstate_takeover_open(b->dev), 0);
	next_request_is_granted(b);
	assert_true(vstate_run_is_blocked(b->dev, VSTATE_BLOCK_NOT_OWNER));
}

/* ---- an owner with a front end and a class of the test ---- */

/* What the owner's thread did. Read after vstate_takeover_end(). */
static struct {
	bool offered, offered_connection, left, left_kept, class_left;
	int fd;
} owner;

static bool
owner_is_shut(const struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	return false;
}

static int
owner_freeze(struct vstate_dev *dev, unsigned int ms)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(ms);
	return 0;
}

static void
owner_thaw(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
}

static int
owner_offer(struct vstate_dev *dev, bool connection, struct vstate_handover_msg *msg)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(msg);
	owner.offered = true;
	owner.offered_connection = connection;
	return 0;
}

static void
owner_leave(struct vstate_dev *dev, bool kept)
{
	RTE_SET_USED(dev);
	owner.left = true;
	owner.left_kept = kept;
}

static bool
owner_watch(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	return false;
}

static void
owner_class_left(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
	owner.class_left = true;
}

/* A long part with descriptors, an empty one, and a short one. */
static int
owner_pass(struct vstate_dev *dev, unsigned int i, struct vstate_passed *part)
{
	static const uint32_t sizes[] = { VSTATE_PASSED_BYTES, 0, 5 };

	RTE_SET_USED(dev);
	if (i >= RTE_DIM(sizes))
		return 0;
	memset(part, 0, sizeof(*part));
	part->size = sizes[i];
	memset(part->bytes, 'a' + i, sizes[i]);
	part->nb_fds = i == 0 ? 2 : 0;
	part->fds[0] = part->fds[1] = owner.fd;
	return 1;
}

static void
go_check(const struct vstate_handover_msg *go)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;
	unsigned int i;

	for (i = 0; vstate_handover_msg_next(go, &cursor, &item) > 0; i++) {
		assert_int_equal(item.type, VSTATE_HANDOVER_CLASS);
		assert_int_equal(item.size, i == 0 ? VSTATE_PASSED_BYTES : i == 1 ? 0 : 5);
		assert_int_equal(item.nb_fds, i == 0 ? 2 : 0);
		if (item.size > 0)
			assert_int_equal(item.bytes[item.size - 1], 'a' + i);
	}
	assert_int_equal(i, 3);
}

/* Ask for the connection, and continue it or not, or get a refusal because of a descriptor. */
static void
owner_run(struct bench *b, bool kept, bool refuses)
{
	static const struct vstate_front_end_ops ops = { .watch = owner_watch,
		.is_shut = owner_is_shut, .freeze = owner_freeze, .thaw = owner_thaw,
		.offer = owner_offer,
		.leave = owner_leave };
	const struct vstate_front_end_ops *front = b->dev->front_ops;
	const struct vstate_class *before = b->dev->class;
	struct vstate_class class = *before;
	struct vstate_handover_msg go;
	int fd = owner_connect(b);

	memset(&owner, 0, sizeof(owner));
	owner.fd = refuses ? -1 : b->fd;
	class.pass = owner_pass;
	class.left = owner_class_left;
	/* the thread waits for the request */
	b->dev->class = &class;
	b->dev->front_ops = &ops;
	value_send(fd, VSTATE_HANDOVER_ASK, 1);
	kind_expect(fd, VSTATE_HANDOVER_OFFER);
	value_send(fd, VSTATE_HANDOVER_READY, kept);
	if (refuses) {
		assert_int_equal(kind_expect(fd, VSTATE_HANDOVER_REFUSED), EBADF);
		assert_true(vqs_are_granted(b));
		assert_false(file_is_free(b));
	} else {
		assert_int_equal(vstate_handover_msg_receive(fd, &go,
				vstate_clock_ms() + PATIENCE_MS, -1), 0);
		assert_int_equal(go.kind, VSTATE_HANDOVER_GO);
		go_check(&go);
		vstate_handover_msg_drop(&go);
		value_send(fd, VSTATE_HANDOVER_RUNNING, 0);
		phase_await(b, "released");
		unlink(b->handover);
	}
	vstate_takeover_end(b->dev);
	b->dev->front_ops = front;
	b->dev->class = before;
	close(fd);
	assert_true(owner.offered && owner.offered_connection);
	assert_int_equal(owner.left, !refuses);
	assert_int_equal(owner.class_left, !refuses);
	assert_int_equal(b->dev->handover->state_file == NULL, !refuses);
	assert_int_equal(owner.left_kept, kept);
}

static void
asker_continues_the_connection_and_gets_all_parts(void **state)
{
	owner_run(*state, true, false);
}

static void
asker_drops_the_connection_and_gets_all_parts(void **state)
{
	owner_run(*state, false, false);
}

static void
owner_that_cannot_pass_a_part_keeps_the_device(void **state)
{
	owner_run(*state, false, true);
}

int
test_vstate_takeover(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_close)
	static const struct CMUnitTest tests[] = {
		TEST(process_that_dies_after_its_request_changes_nothing),
		TEST(process_that_refuses_the_offer_changes_nothing),
		TEST(device_is_taken_back_from_a_process_that_dies),
		TEST(device_is_taken_back_from_a_process_that_is_silent),
		TEST(device_is_taken_back_from_a_process_that_gives_up),
		TEST(device_is_taken_back_from_a_process_that_fails_late),
		TEST(device_is_taken_back_where_the_other_process_stopped),
		TEST(busy_owner_refuses),
		TEST(owner_whose_poll_thread_does_not_return_refuses),
		TEST(removal_ends_while_a_process_is_silent),
		TEST(port_closes_while_a_process_is_silent),
		TEST(removal_ends_while_another_process_has_the_file),
		TEST(port_closes_while_another_process_has_the_file),
		TEST(device_that_is_not_connected_is_handed_over),
		TEST(asker_continues_the_connection_and_gets_all_parts),
		TEST(asker_drops_the_connection_and_gets_all_parts),
		TEST(owner_that_cannot_pass_a_part_keeps_the_device),
		TEST(released_device_is_free_for_a_later_process),
	};

	return cmocka_run_group_tests_name("vstate_takeover", tests, NULL, NULL);
}

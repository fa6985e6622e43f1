/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The front door of a disk: it starts with the rings that its driver uses, it is stopped without
 * rte_vhost's thread, and it reports a new capacity on the front end's channel.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vhost_types.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_blk.h"
#include "ut_device.h"
#include "ut_fds.h"
#include "ut_front.h"
#include "ut_groups.h"
#include "ut_socket.h"
#include "vstate_probe.h"
#include "block/vstate_blk.h"
#include "block/vstate_blk_class.h"
#include "block/vstate_blk_conf.h"
#include "block/vstate_blk_store.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_lease.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_door.h"

#define NAME "test_door_disk"
/* Bound for events that follow at once on an idle machine. */
#define PATIENCE_MS 20000
/* Time in which an event that must not come would come. */
#define QUIET_MS 300
/* A test that hangs fails. */
#define HANG_S 180

#define NB_RINGS 4
#define RING 16
#define MEM_SIZE 0x40000
/* Address of the memory in the front end, and of each ring in the guest. */
#define UVA 0x7f0000000000
#define RING_GPA(i) (0x4000ull * (i))
#define AVAIL_GPA(i) (RING_GPA(i) + 0x1000)
#define USED_GPA(i) (RING_GPA(i) + 0x2000)
#define HDR_GPA 0x20000
#define DATA_GPA 0x21000
#define STATUS_GPA 0x22000

#define ALL_STATUS (RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER | \
		RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_DRIVER_OK)

struct bench {
	char dir[FRONT_DIR_BYTES], file[96];
	struct vstate_conf conf;
	struct vstate_dev *dev;
	unsigned int fds;
	int front, mem_fd;
	uint8_t *mem;
};

static void
door_open(struct bench *b)
{
	b->dev = vstate_probe_make(NAME, &b->conf, &vstate_blk_class, SOCKET_ID_ANY);
	assert_non_null(b->dev);
	assert_int_equal(b->dev->front_ops->open(b->dev), 0);
	vstate_poller_set(b->dev, VSTATE_POLLER_SERVICE, NULL, NULL);
}

static void
door_close(struct bench *b)
{
	vstate_door_close(b->dev);
	vstate_probe_unmake(b->dev);
	b->dev = NULL;
}

static int
bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	int fd;

	assert_non_null(b);
	alarm(HANG_S);
	b->conf = disk_conf();
	front_dir_make(b->dir, &b->conf);
	snprintf(b->file, sizeof(b->file), "%s/file", b->dir);
	fd = open(b->file, O_CREAT | O_RDWR, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
	close(fd);
	b->conf.queues = NB_RINGS;
	vstate_blk_conf(&b->conf)->store = VSTATE_BLK_STORE_THREADS;
	vstate_blk_conf(&b->conf)->size = 0;
	strcpy(vstate_blk_conf(&b->conf)->path, b->file);
	/* rte_vhost's thread has descriptors of its own, made once */
	door_open(b);
	door_close(b);
	b->fds = fds_count();
	b->mem_fd = memfd_create("door", MFD_CLOEXEC);
	assert_int_equal(ftruncate(b->mem_fd, MEM_SIZE), 0);
	b->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b->mem_fd, 0);
	assert_true(b->mem != MAP_FAILED);
	door_open(b);
	b->front = socket_connect(b->conf.iface);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	door_close(b);
	close(b->front);
	munmap(b->mem, MEM_SIZE);
	close(b->mem_fd);
	vstate_watch_put();
	assert_int_equal(fds_count(), b->fds);
	unlink(b->file);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	alarm(0);
	return 0;
}

/* ---- a front end ---- */

/* What QEMU sends before the driver is there: all queues have a call descriptor. */
static void
front_begin(const struct bench *b, uint64_t without)
{
	struct msg msg = { .request = MSG_SET_MEM_TABLE, .size = 8 + sizeof(struct msg_region) };
	uint32_t i;

	front_question(b->front, MSG_GET_FEATURES);
	assert_int_equal(front_u64(b->front, MSG_SET_PROTOCOL_FEATURES,
			front_question(b->front, MSG_GET_PROTOCOL_FEATURES) & ~without), 0);
	for (i = 0; i < NB_RINGS; i++)
		front_ring_fd(b->front, MSG_SET_VRING_CALL, i);
	assert_int_equal(front_u64(b->front, MSG_SET_FEATURES, RTE_BIT64(VIRTIO_F_VERSION_1) |
			RTE_BIT64(30)), 0);
	msg.memory.nb_regions = 1;
	msg.memory.regions[0] = (struct msg_region){ 0, MEM_SIZE, UVA, 0 };
	assert_int_equal(front_message(b->front, &msg, &b->mem_fd, 1), 0);
}

static void
ring_begin(const struct bench *b, uint32_t i)
{
	struct msg msg = { .request = MSG_SET_VRING_ADDR, .size = 40, .addr = { .index = i,
		.desc = UVA + RING_GPA(i), .avail = UVA + AVAIL_GPA(i),
		.used = UVA + USED_GPA(i) } };

	assert_int_equal(front_state(b->front, MSG_SET_VRING_NUM, i, RING), 0);
	assert_int_equal(front_state(b->front, MSG_SET_VRING_BASE, i, 0), 0);
	assert_int_equal(front_message(b->front, &msg, NULL, 0), 0);
	front_ring_fd(b->front, MSG_SET_VRING_KICK, i);
	front_ring_fd(b->front, MSG_SET_VRING_CALL, i);
}

static void
rings_enable(const struct bench *b, uint32_t enable)
{
	uint32_t i;

	for (i = 0; i < NB_RINGS; i++)
		assert_int_equal(front_state(b->front, MSG_SET_VRING_ENABLE, i, enable), 0);
}

static void
ring_end(const struct bench *b, uint32_t i)
{
	struct msg msg = { .request = MSG_GET_VRING_BASE, .flags = MSG_VERSION, .size = 8,
		.state = { i, 0 } };

	front_send(b->front, &msg, NULL, 0);
	front_answer(b->front, &msg);
}

static void
disk_begin(const struct bench *b, uint64_t without)
{
	front_begin(b, without);
	ring_begin(b, 0);
	assert_int_equal(front_u64(b->front, MSG_SET_STATUS, ALL_STATUS), 0);
	rings_enable(b, 1);
}

static bool
class_wants_kicks(const struct vstate_vq *vq)
{
	RTE_SET_USED(vq);
	return true;
}

/* Replace the eventfd of ring 0. @return the new one */
static int
kick_replace(const struct bench *b)
{
	struct msg msg = { .request = MSG_SET_VRING_KICK, .size = 8 };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_int_equal(front_message(b->front, &msg, &fd, 1), 0);
	return fd;
}

static bool
is_started(const struct bench *b)
{
	/* messages before this one were processed, and rte_vhost was asked */
	assert_int_equal(front_state(b->front, MSG_SET_VRING_ENABLE, NB_RINGS - 1, 1), 0);
	return vstate_run_is_started(b->dev);
}

static bool
ring_runs(const struct bench *b, uint16_t i)
{
	return vstate_lease_is_granted(&b->dev->vqs[i]->lease);
}

/* ---- the start ---- */

/* SeaBIOS brings up queue 0 only. Linux then uses all of them, and a reboot begins again. */
static void
disk_starts_with_queue_0_alone(void **state)
{
	struct bench *b = *state;
	uint32_t boot, i;

	front_begin(b, 0);
	for (boot = 0; boot < 3; boot++) {
		ring_begin(b, 0);
		rings_enable(b, 1);
		/* not without DRIVER_OK */
		assert_false(is_started(b));
		assert_int_equal(front_u64(b->front, MSG_SET_STATUS, ALL_STATUS), 0);
		assert_true(is_started(b));
		assert_true(ring_runs(b, 0));
		assert_false(ring_runs(b, 1));
		rings_enable(b, 0);
		assert_false(ring_runs(b, 0));
		ring_end(b, 0);
		assert_false(is_started(b));
		assert_int_equal(front_u64(b->front, MSG_SET_STATUS, 0), 0);
		/* Linux */
		for (i = 0; i < NB_RINGS; i++)
			ring_begin(b, i);
		assert_int_equal(front_u64(b->front, MSG_SET_STATUS, ALL_STATUS), 0);
		rings_enable(b, 1);
		assert_true(is_started(b));
		for (i = 0; i < NB_RINGS; i++)
			assert_true(ring_runs(b, i));
		/* the reset of a reboot */
		rings_enable(b, 0);
		for (i = 0; i < NB_RINGS; i++)
			ring_end(b, i);
		assert_false(is_started(b));
		assert_int_equal(front_u64(b->front, MSG_SET_STATUS, 0), 0);
	}
}

static void
queues_may_come_later(void **state)
{
	struct bench *b = *state;

	/* a front end without STATUS */
	front_begin(b, VSTATE_PROTOCOL_F_STATUS);
	rings_enable(b, 1);
	ring_begin(b, 2);
	assert_false(is_started(b));
	ring_begin(b, 0);
	assert_true(is_started(b));
	assert_true(ring_runs(b, 0) && ring_runs(b, 2));
	ring_begin(b, 1);
	assert_true(ring_runs(b, 1));
	assert_false(ring_runs(b, 3));
}

/* The base of any ring takes the whole device back, until a ring is set up again. */
static void
base_of_a_later_queue_stops_the_disk(void **state)
{
	struct bench *b = *state;

	disk_begin(b, 0);
	ring_begin(b, 2);
	assert_true(ring_runs(b, 2));
	ring_end(b, 2);
	assert_false(is_started(b));
	assert_false(ring_runs(b, 0));
	ring_begin(b, 2);
	assert_true(is_started(b));
	assert_true(ring_runs(b, 0) && ring_runs(b, 2));
}

static void
features_of_a_running_disk_stay(void **state)
{
	struct bench *b = *state;

	disk_begin(b, 0);
	assert_true(is_started(b));
	assert_int_equal(front_u64(b->front, MSG_SET_FEATURES, RTE_BIT64(VIRTIO_F_VERSION_1) |
			RTE_BIT64(30) | RTE_BIT64(VIRTIO_F_RING_PACKED)), 1);
	assert_false(vstate_connection_is_packed(b->dev));
	/* the dirty log may come and go */
	assert_int_equal(front_u64(b->front, MSG_SET_FEATURES, RTE_BIT64(VIRTIO_F_VERSION_1) |
			RTE_BIT64(30) | RTE_BIT64(VHOST_F_LOG_ALL)), 0);
	assert_true(is_started(b));
}

/* ---- the stop ---- */

static struct vstate_blk_store_ops slow;
static const struct vstate_blk_store_ops *original;
static bool held;

static uint16_t
slow_reap(struct vstate_blk_chan *chan, struct vstate_blk_io **done, uint16_t max)
{
	return rte_atomic_load_explicit(&held, rte_memory_order_relaxed) ? 0 :
		original->reap(chan, done, max);
}

static void
read_add(struct bench *b)
{
	struct vring_desc *d = (struct vring_desc *)(b->mem + RING_GPA(0));
	struct vring_avail *avail = (struct vring_avail *)(b->mem + AVAIL_GPA(0));

	memset(b->mem + HDR_GPA, 0, sizeof(struct virtio_blk_outhdr));
	b->mem[STATUS_GPA] = DISK_NO_STATUS;
	d[0] = (struct vring_desc){ HDR_GPA, 16, VRING_DESC_F_NEXT, 1 };
	d[1] = (struct vring_desc){ DATA_GPA, 512, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 2 };
	d[2] = (struct vring_desc){ STATUS_GPA, 1, VRING_DESC_F_WRITE, 0 };
	avail->ring[0] = 0;
	avail->idx = 1;
}

/* A disk waits for its store. rte_vhost has one thread for all devices: it must not wait, too. */
static void
slow_disk_holds_no_other_device(void **state)
{
	struct msg msg = { .flags = MSG_VERSION, .size = 8 };
	struct vstate_conf conf = ut_conf(1, 1500);
	struct bench *b = *state;
	struct vstate_dev *other;
	int front, way;

	snprintf(conf.iface, sizeof(conf.iface), "%s/other", b->dir);
	other = ut_device_make("test_door_other", &conf);
	assert_non_null(other);
	assert_int_equal(other->front_ops->open(other), 0);
	original = vstate_blk_of(b->dev)->serve.stores[0]->ops;
	slow = *original;
	slow.reap = slow_reap;
	vstate_blk_of(b->dev)->serve.stores[0]->ops = &slow;
	/* without bit 20 requests are completed first */
	disk_begin(b, VSTATE_PROTOCOL_F_BASE_INFLIGHT);
	for (way = 0; way < 2; way++) {
		if (way == 1)
			ring_begin(b, 0);
		assert_true(is_started(b));
		held = true;
		read_add(b);
		assert_int_equal(vstate_blk_poll(b->dev), 1);
		msg.request = way == 0 ? MSG_GET_VRING_BASE : MSG_SET_VRING_ENABLE;
		msg.size = 8;
		msg.u64 = 0;
		msg.flags = MSG_VERSION | (way == 0 ? 0 : MSG_NEED_REPLY);
		front_send(b->front, &msg, NULL, 0);
		front = socket_connect(conf.iface);
		assert_int_equal(front_u64(front, MSG_SET_FEATURES,
				RTE_BIT64(VIRTIO_F_VERSION_1)), 0);
		close(front);
		assert_int_equal(front_wait(b->front, 0), 0);
		rte_atomic_store_explicit(&held, false, rte_memory_order_relaxed);
		front_answer(b->front, &msg);
		assert_int_equal(b->mem[STATUS_GPA], VIRTIO_BLK_S_OK);
		memset(b->mem + AVAIL_GPA(0), 0, 0x2000);
	}
	vstate_door_close(other);
	ut_device_unmake(other);
}

/* ---- the channel of the device ---- */

static void
channel_set(const struct bench *b, int fd)
{
	struct msg msg = { .request = MSG_SET_BACKEND_REQ_FD };

	msg.flags = MSG_VERSION | MSG_NEED_REPLY;
	front_send(b->front, &msg, &fd, 1);
	front_answer(b->front, &msg);
	assert_int_equal(msg.u64, 0);
}

/* Requests of the device that are there within @p ms, all of them CONFIG_CHANGE. */
static unsigned int
configs_get(int channel, int ms)
{
	struct msg msg;
	unsigned int n = 0;

	while (front_wait(channel, n == 0 ? ms : 0) == 1) {
		assert_int_equal(recv(channel, &msg, MSG_HEADER_SIZE, MSG_WAITALL),
				MSG_HEADER_SIZE);
		assert_int_equal(msg.request, 2);
		assert_int_equal(msg.flags, MSG_VERSION);
		assert_int_equal(msg.size, 0);
		n++;
	}
	return n;
}

static void
file_grow(const struct bench *b, unsigned int blocks)
{
	assert_int_equal(truncate(b->file, DISK_SIZE + blocks * 512), 0);
}

static void
new_capacity_is_reported(void **state)
{
	struct bench *b = *state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	front_begin(b, 0);
	channel_set(b, ends[1]);
	file_grow(b, 1);
	/* the rings do not run */
	assert_int_equal(configs_get(ends[0], QUIET_MS), 0);
	ring_begin(b, 0);
	assert_int_equal(front_u64(b->front, MSG_SET_STATUS, ALL_STATUS), 0);
	rings_enable(b, 1);
	assert_int_equal(configs_get(ends[0], PATIENCE_MS), 1);
	file_grow(b, 2);
	assert_int_equal(configs_get(ends[0], PATIENCE_MS), 1);
	assert_int_equal(configs_get(ends[0], QUIET_MS), 0);
	/* a device that is suspended sends nothing, and sends it when it resumes */
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	file_grow(b, 3);
	assert_int_equal(configs_get(ends[0], QUIET_MS), 0);
	assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
	assert_int_equal(configs_get(ends[0], PATIENCE_MS), 1);
	close(ends[0]);
	close(ends[1]);
	/* the front end closed its end */
	file_grow(b, 4);
	usleep(QUIET_MS * 1000);
	assert_true(is_started(b));
}

static void
front_end_without_config_gets_no_request(void **state)
{
	struct bench *b = *state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	disk_begin(b, VSTATE_PROTOCOL_F_CONFIG);
	channel_set(b, ends[1]);
	file_grow(b, 1);
	assert_int_equal(configs_get(ends[0], QUIET_MS), 0);
	close(ends[0]);
	close(ends[1]);
}

static int
do_change(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	dev->front_ops->config_changed(dev);
	dev->front_ops->watch(dev);
	return 0;
}

/* Nobody reads, or the descriptor is no socket: the device does not wait. */
static void
channel_that_blocks_holds_nobody(void **state)
{
	struct bench *b = *state;
	unsigned int i;
	int ends[2];

	disk_begin(b, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	channel_set(b, ends[1]);
	for (i = 0; i < 5000; i++)
		vstate_control_run(do_change, b->dev, NULL);
	assert_true(b->dev->connection->backend_req.configs < 5000);
	/* the last one is still due */
	assert_true(configs_get(ends[0], 0) > 10);
	assert_int_equal(configs_get(ends[0], PATIENCE_MS), 1);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(pipe(ends), 0);
	channel_set(b, ends[1]);
	vstate_control_run(do_change, b->dev, NULL);
	assert_int_equal(b->dev->connection->backend_req.fd, -1);
	assert_int_equal(front_wait(ends[0], 0), 0);
	close(ends[0]);
	close(ends[1]);
	assert_true(is_started(b));
}

/* A running queue need not stop for it, but a thread that waits for kicks must see the new ones. */
static void
kicks_of_a_running_queue_move_to_another_eventfd(void **state)
{
	static struct vstate_class class;
	struct bench *b = *state;
	eventfd_t count;
	int fd;

	class = vstate_blk_class;
	class.wants_kicks = class_wants_kicks;
	b->dev->class = &class;
	disk_begin(b, 0);
	assert_true(is_started(b));
	fd = kick_replace(b);
	assert_true(is_started(b));
	assert_int_equal(eventfd_write(fd, 5), 0);
	assert_int_equal(eventfd_read(b->dev->vqs[0]->kickfd, &count), 0);
	assert_int_equal(count, 5);
	close(fd);
}

int
test_vstate_door_disk(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_close)
	static const struct CMUnitTest tests[] = {
		TEST(disk_starts_with_queue_0_alone),
		TEST(queues_may_come_later),
		TEST(kicks_of_a_running_queue_move_to_another_eventfd),
		TEST(base_of_a_later_queue_stops_the_disk),
		TEST(features_of_a_running_disk_stay),
		TEST(slow_disk_holds_no_other_device),
		TEST(new_capacity_is_reported),
		TEST(front_end_without_config_gets_no_request),
		TEST(channel_that_blocks_holds_nobody),
	};

	return cmocka_run_group_tests_name("vstate_door_disk", tests, NULL, NULL);
}

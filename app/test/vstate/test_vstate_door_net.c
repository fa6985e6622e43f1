/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The front door of a network device, with rte_vhost behind it: what a front end sets up is what
 * the device has, for one front end after the other, and in the process that takes it over.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "rte_vhost_state.h"
#include "ut_device.h"
#include "ut_fds.h"
#include "ut_front.h"
#include "ut_groups.h"
#include "ut_socket.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"
#include "net/vstate_net.h"
#include "net/vstate_net_conf.h"
#include "net/vstate_net_rarp.h"
#include "ring/vstate_call.h"
#include "ring/vstate_fault.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_mem_guard.h"
#include "ring/vstate_vq.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_door.h"

#define NAME "test_door_net"
/* Bound for events that follow at once on an idle machine. */
#define PATIENCE_MS 20000
/* A test that hangs fails. */
#define HANG_S 120

#define NB_RINGS 2
#define RING 64
/* Two regions of one file. The rings are in the second one. */
#define REGION 0x10000
#define MEM_SIZE (2 * REGION)
#define GPA 0x40000000
/* Address of the second region in the front end. */
#define UVA 0x7f0000000000
/* In the first region. */
#define PAGE_USED 0x8000
#define DESC(i) (0x4000ull * (i))
#define AVAIL(i) (DESC(i) + 0x1000)
#define USED(i) (DESC(i) + 0x2000)
/* One bit a page, up to the end of the guest. */
#define LOG_SIZE ((GPA + REGION) / 4096 / 8)

#define ALL_STATUS (RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER | \
		RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_DRIVER_OK)
#define FEATURES (RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) | RTE_BIT64(30))

struct bench {
	char dir[FRONT_DIR_BYTES];
	struct vstate_conf conf;
	struct vstate_dev *dev;
	unsigned int fds;
	int front, mem_fd;
	int callfds[NB_RINGS];
};

static struct vstate_dev *
device_make(const char *name, const struct vstate_conf *conf)
{
	struct vstate_dev *dev = ut_device_make(name, conf);

	assert_non_null(dev);
	vstate_poller_set(dev, VSTATE_POLLER_PORT, NULL, NULL);
	return dev;
}

static void
door_open(struct bench *b)
{
	b->dev = device_make(NAME, &b->conf);
	assert_int_equal(b->dev->front_ops->open(b->dev), 0);
}

static void
door_close(struct bench *b)
{
	vstate_door_close(b->dev);
	ut_device_unmake(b->dev);
	b->dev = NULL;
}

static int
bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	unsigned int i;

	assert_non_null(b);
	alarm(HANG_S);
	b->conf = ut_conf(NB_RINGS / 2, 1500);
	b->conf.device_state = true;
	front_dir_make(b->dir, &b->conf);
	/* rte_vhost's thread has descriptors of its own, made once */
	door_open(b);
	door_close(b);
	b->fds = fds_count();
	b->mem_fd = memfd_create("door", MFD_CLOEXEC);
	assert_int_equal(ftruncate(b->mem_fd, MEM_SIZE), 0);
	for (i = 0; i < NB_RINGS; i++)
		b->callfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	door_open(b);
	b->front = socket_connect(b->conf.iface);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	static const char *const files[] = { NAME ".vstate", NAME "2.vstate", "socket" };
	struct bench *b = *state;
	char path[128];
	unsigned int i;

	door_close(b);
	close(b->front);
	close(b->mem_fd);
	for (i = 0; i < NB_RINGS; i++)
		close(b->callfds[i]);
	vstate_watch_put();
	assert_int_equal(fds_count(), b->fds);
	for (i = 0; b->conf.state_dir[0] != '\0' && i < RTE_DIM(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	alarm(0);
	return 0;
}

/* ---- a front end ---- */

static void
memory_send(const struct bench *b)
{
	struct msg msg = { .request = MSG_SET_MEM_TABLE,
		.size = 8 + 2 * sizeof(struct msg_region) };
	const int fds[] = { b->mem_fd, b->mem_fd };

	msg.memory.nb_regions = 2;
	msg.memory.regions[0] = (struct msg_region){ 0, REGION, UVA - REGION, 0 };
	msg.memory.regions[1] = (struct msg_region){ GPA, REGION, UVA, REGION };
	assert_int_equal(front_message(b->front, &msg, fds, 2), 0);
}

static void
front_begin_without(const struct bench *b, uint64_t features, uint64_t protocol)
{
	front_question(b->front, MSG_GET_FEATURES);
	assert_int_equal(front_u64(b->front, MSG_SET_PROTOCOL_FEATURES,
			front_question(b->front, MSG_GET_PROTOCOL_FEATURES) & ~protocol), 0);
	assert_int_equal(front_u64(b->front, MSG_SET_FEATURES, features), 0);
	memory_send(b);
}

static void
front_begin(const struct bench *b, uint64_t features)
{
	front_begin_without(b, features, 0);
}

/* With the flag of a log, as QEMU sets it for the duration of a migration. */
static void
ring_address(const struct bench *b, uint32_t i, bool log)
{
	struct msg msg = { .request = MSG_SET_VRING_ADDR, .size = 40, .addr = { .index = i,
		.flags = log ? 1 << VHOST_VRING_F_LOG : 0, .desc = UVA + DESC(i),
		.avail = UVA + AVAIL(i), .used = UVA + USED(i), .log = GPA + USED(i) } };

	assert_int_equal(front_message(b->front, &msg, NULL, 0), 0);
}

static void
ring_begin(const struct bench *b, uint32_t i, uint32_t base)
{
	struct msg call = { .request = MSG_SET_VRING_CALL, .size = 8, .u64 = i };

	assert_int_equal(front_state(b->front, MSG_SET_VRING_NUM, i, RING), 0);
	assert_int_equal(front_state(b->front, MSG_SET_VRING_BASE, i, base), 0);
	ring_address(b, i, false);
	front_ring_fd(b->front, MSG_SET_VRING_KICK, i);
	assert_int_equal(front_message(b->front, &call, &b->callfds[i], 1), 0);
	assert_int_equal(front_state(b->front, MSG_SET_VRING_ENABLE, i, 1), 0);
}

/* The base of ring i is @p base + i. */
static void
rings_begin(const struct bench *b, uint32_t base)
{
	uint16_t used;
	uint32_t i;

	for (i = 0; i < NB_RINGS; i++) {
		/* rte_vhost moves a split ring to the used index in the guest's memory */
		used = base + i;
		assert_int_equal(pwrite(b->mem_fd, &used, sizeof(used), REGION + USED(i) + 2), 2);
		ring_begin(b, i, base + i);
	}
	assert_int_equal(front_u64(b->front, MSG_SET_STATUS, ALL_STATUS), 0);
	/* messages before this one were processed, and rte_vhost was asked */
	assert_int_equal(front_state(b->front, MSG_SET_VRING_ENABLE, 1, 1), 0);
}

static void
rings_end(const struct bench *b)
{
	uint32_t i;

	for (i = 0; i < NB_RINGS; i++) {
		struct msg msg = { .request = MSG_GET_VRING_BASE, .flags = MSG_VERSION, .size = 8,
			.state = { i, 0 } };

		front_send(b->front, &msg, NULL, 0);
		front_answer(b->front, &msg);
		assert_int_equal(msg.state.index, i);
	}
}

static void
front_end_change(struct bench *b)
{
	close(b->front);
	b->front = socket_connect(b->conf.iface);
}

/* ---- what the device has ---- */

static void
call_check(const struct bench *b, const struct vstate_dev *dev, unsigned int i)
{
	eventfd_t n;

	while (eventfd_read(b->callfds[i], &n) == 0)
		;
	vstate_call_send(dev->vqs[i]);
	assert_int_equal(eventfd_read(b->callfds[i], &n), 0);
	assert_int_equal(n, 1);
}

static void
rings_check(const struct bench *b, const struct vstate_dev *dev, uint32_t base)
{
	const struct vstate_vq *vq;
	unsigned int i;

	assert_true(vstate_run_is_started(dev));
	assert_true(vstate_run_status(dev) & RTE_VHOST_STATE_S_DRIVER_OK);
	assert_true((dev->guest.features & FEATURES) == FEATURES);
	for (i = 0; i < NB_RINGS; i++) {
		vq = dev->vqs[i];
		assert_true(vstate_lease_is_granted(&vq->lease));
		assert_int_equal(vq->size, RING);
		assert_int_equal(vq->desc_addr, GPA + DESC(i));
		assert_int_equal(vq->driver_addr, GPA + AVAIL(i));
		assert_int_equal(vq->device_addr, GPA + USED(i));
		assert_int_equal(vq->avail.idx, base + i);
		call_check(b, dev, i);
	}
}

/* ---- tests ---- */

/* A call descriptor that is replaced while the ring runs. The ring does not stop. */
static void
calls_go_to_the_last_descriptor(void **state)
{
	struct bench *b = *state;
	unsigned int i, again;

	front_begin(b, FEATURES);
	rings_begin(b, 0);
	for (again = 0; again < 2; again++) {
		for (i = 0; i < NB_RINGS; i++) {
			struct msg call = { .request = MSG_SET_VRING_CALL, .size = 8, .u64 = i };

			close(b->callfds[i]);
			b->callfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			assert_int_equal(front_message(b->front, &call, &b->callfds[i], 1), 0);
			rings_check(b, b->dev, 0);
		}
	}
}

static void
rings_are_set_up_as_each_front_end_says(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		front_begin(b, FEATURES);
		rings_begin(b, 0);
		rings_check(b, b->dev, 0);
		rings_end(b);
		assert_false(vstate_run_is_started(b->dev));
		rings_begin(b, 0);
		rings_check(b, b->dev, 0);
		/* the front end hangs up; the next one has memory of its own */
		front_end_change(b);
		front_question(b->front, MSG_GET_FEATURES);
		assert_false(vstate_run_is_started(b->dev));
		assert_int_equal(b->dev->connection->memory_lost, 0);
		assert_false(b->dev->connection->has_memory);
		assert_int_equal(b->dev->vqs[0]->callfd, -1);
	}
}

/* The rings of a front end without STATUS imply DRIVER_OK. The other one's do not. */
static void
driver_ok_is_awaited_from_a_front_end_that_sends_it(void **state)
{
	struct bench *b = *state;
	int status;

	for (status = 0; status <= 1; status++) {
		front_begin_without(b, FEATURES, status ? 0 : VSTATE_PROTOCOL_F_STATUS);
		ring_begin(b, 0, 0);
		ring_begin(b, 1, 0);
		assert_int_equal(front_state(b->front, MSG_SET_VRING_ENABLE, 1, 1), 0);
		assert_int_equal(vstate_run_status(b->dev) & RTE_VHOST_STATE_S_DRIVER_OK,
				status ? 0 : RTE_VHOST_STATE_S_DRIVER_OK);
		assert_int_equal(vstate_lease_is_granted(&b->dev->vqs[1]->lease), !status);
		front_end_change(b);
	}
}

/* A region of the device, which the front end keeps and brings back. */
static void
in_flight_region_is_made_and_attached(void **state)
{
	struct msg msg = { .request = MSG_GET_INFLIGHT_FD, .flags = MSG_VERSION,
		.size = MSG_INFLIGHT_SIZE };
	struct bench *b = *state;
	int fd = -1, fds[MSG_MAX_FDS], i;
	unsigned int nb_fds = 0;
	struct stat st;

	front_begin(b, FEATURES);
	msg.inflight.num_queues = NB_RINGS;
	msg.inflight.queue_size = RING;
	front_send(b->front, &msg, NULL, 0);
	assert_int_equal(front_wait(b->front, PATIENCE_MS), 1);
	assert_int_equal(vstate_scm_recv(b->front, &msg, MSG_HEADER_SIZE + MSG_INFLIGHT_SIZE, fds,
			MSG_MAX_FDS, &nb_fds), MSG_HEADER_SIZE + MSG_INFLIGHT_SIZE);
	assert_int_equal(nb_fds, 1);
	fd = fds[0];
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(msg.inflight.mmap_size > 0);
	assert_true(msg.inflight.mmap_offset + msg.inflight.mmap_size <= (uint64_t)st.st_size);
	assert_int_equal(msg.inflight.num_queues, NB_RINGS);
	assert_int_equal(msg.inflight.queue_size, RING);
	msg.request = MSG_SET_INFLIGHT_FD;
	assert_int_equal(front_message(b->front, &msg, &fd, 1), 0);
	close(fd);
	rings_begin(b, 0);
	rings_check(b, b->dev, 0);
	for (i = 0; i < NB_RINGS; i++)
		assert_ptr_not_equal(b->dev->vqs[i]->inflight_head, &b->dev->vqs[i]->own_head);
	/* there are no queues of this size: no region, and no descriptor */
	front_end_change(b);
	front_begin(b, FEATURES);
	msg = (struct msg){ .request = MSG_GET_INFLIGHT_FD, .flags = MSG_VERSION,
		.size = MSG_INFLIGHT_SIZE };
	front_send(b->front, &msg, NULL, 0);
	nb_fds = 0;
	assert_int_equal(front_wait(b->front, PATIENCE_MS), 1);
	assert_int_equal(vstate_scm_recv(b->front, &msg, MSG_HEADER_SIZE + MSG_INFLIGHT_SIZE, fds,
			MSG_MAX_FDS, &nb_fds), MSG_HEADER_SIZE + MSG_INFLIGHT_SIZE);
	assert_int_equal(nb_fds, 0);
	assert_int_equal(msg.inflight.mmap_size, 0);
}

/* A guest that migrated is announced, under a valid address only. */
static void
address_of_a_guest_that_moved_is_kept(void **state)
{
	static const uint64_t macs[] = { 0x563412005452, 0x563412005453, 0, 0xffffffffffff };
	struct bench *b = *state;
	uint64_t due;
	size_t i;

	front_begin(b, FEATURES);
	rings_begin(b, 0);
	for (i = 0; i < RTE_DIM(macs); i++) {
		vstate_net_of(b->dev)->rarp_due = 0;
		assert_int_equal(front_u64(b->front, MSG_SEND_RARP, macs[i]), 0);
		due = rte_atomic_load_explicit(&vstate_net_of(b->dev)->rarp_due,
				rte_memory_order_relaxed);
		/* a multicast address, and two that no network card has, are not announced */
		assert_true(due == (i == 0 ? rte_le_to_cpu_64(macs[0]) | VSTATE_NET_RARP_DUE : 0));
	}
}

static void
log_send(const struct bench *b, int fd)
{
	struct msg msg = { .request = MSG_SET_LOG_BASE, .flags = MSG_VERSION, .size = 16 };

	msg.log.size = LOG_SIZE;
	front_send(b->front, &msg, &fd, 1);
	front_answer(b->front, &msg);
}

/* A migration that fails, and one that begins later. */
static void
dirty_log_comes_and_goes(void **state)
{
	const int fd = memfd_create("log", MFD_CLOEXEC);
	struct bench *b = *state;
	unsigned int i, again;
	uint8_t byte;

	assert_int_equal(vstate_mem_guard_init(), 0);
	assert_int_equal(ftruncate(fd, LOG_SIZE), 0);
	front_begin(b, FEATURES);
	rings_begin(b, 0);
	for (again = 0; again < 2; again++) {
		for (i = 0; i < NB_RINGS; i++)
			assert_null(b->dev->vqs[i]->dirty.base);
		log_send(b, fd);
		assert_int_equal(front_u64(b->front, MSG_SET_FEATURES, FEATURES |
				RTE_BIT64(VHOST_F_LOG_ALL)), 0);
		for (i = 0; i < NB_RINGS; i++)
			ring_address(b, i, true);
		rings_check(b, b->dev, 0);
		for (i = 0; i < NB_RINGS; i++) {
			assert_non_null(b->dev->vqs[i]->dirty.base);
			vstate_dirty_mark(&b->dev->vqs[i]->dirty, GPA + 8 * 4096ull * i, 1);
			vstate_dirty_flush(&b->dev->vqs[i]->dirty);
			assert_int_equal(pread(fd, &byte, 1, GPA / 4096 / 8 + i), 1);
			/* the rings' own pages are in the same byte */
			assert_int_equal(byte & 1, 1);
		}
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(ftruncate(fd, LOG_SIZE), 0);
		assert_int_equal(front_u64(b->front, MSG_SET_FEATURES, FEATURES), 0);
		for (i = 0; i < NB_RINGS; i++)
			ring_address(b, i, false);
	}
	rings_check(b, b->dev, 0);
	/* a log that the front end truncates does not end the process */
	log_send(b, fd);
	assert_int_equal(front_u64(b->front, MSG_SET_FEATURES, FEATURES |
			RTE_BIT64(VHOST_F_LOG_ALL)), 0);
	ring_address(b, 0, true);
	assert_int_equal(ftruncate(fd, 0), 0);
	vstate_dirty_mark(&b->dev->vqs[0]->dirty, GPA, 1);
	vstate_dirty_flush(&b->dev->vqs[0]->dirty);
	close(fd);
}

/* @return the error of the answer. @p fd is given away. */
static uint64_t
move_begin(const struct bench *b, uint32_t direction, uint32_t phase, int fd)
{
	struct msg msg = { .request = MSG_SET_DEVICE_STATE_FD, .flags = MSG_VERSION, .size = 8,
		.move = { direction, phase } };

	front_send(b->front, &msg, &fd, 1);
	close(fd);
	front_answer(b->front, &msg);
	/* the device uses the descriptor that came, and sends none */
	assert_int_equal(msg.u64 & ~UINT64_C(0xff), 0x100);
	return msg.u64 & 0xff;
}

/* The state leaves by one descriptor and comes back by another one. */
static void
state_is_saved_and_loaded_through_descriptors(void **state)
{
	static uint8_t bytes[65536];
	struct bench *b = *state;
	size_t len = 0;
	int ends[2];
	ssize_t n;

	front_begin(b, FEATURES);
	rings_begin(b, 0);
	rings_end(b);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(move_begin(b, 2, 0, dup(ends[1])), 1);
	assert_int_equal(move_begin(b, 0, 1, dup(ends[1])), 1);
	assert_int_equal(move_begin(b, 0, 0, ends[1]), 0);
	while ((n = read(ends[0], bytes + len, sizeof(bytes) - len)) > 0)
		len += n;
	assert_int_equal(n, 0);
	close(ends[0]);
	assert_true(len > 100);
	assert_int_equal(front_question(b->front, MSG_CHECK_DEVICE_STATE), 0);
	/* another front end, whose rings have other bases */
	front_end_change(b);
	front_begin(b, FEATURES);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(move_begin(b, 1, 0, ends[0]), 0);
	assert_int_equal(write(ends[1], bytes, len), len);
	close(ends[1]);
	assert_int_equal(front_question(b->front, MSG_CHECK_DEVICE_STATE), 0);
	assert_non_null(b->dev->resume_point.restored);
	assert_int_equal(b->dev->resume_point.restored->vqs[1].desc_addr, GPA + DESC(1));
	/* half of a state is none */
	front_end_change(b);
	front_begin(b, FEATURES);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(move_begin(b, 1, 0, ends[0]), 0);
	assert_int_equal(write(ends[1], bytes, len / 2), len / 2);
	close(ends[1]);
	assert_int_equal(front_question(b->front, MSG_CHECK_DEVICE_STATE), 1);
	assert_null(b->dev->resume_point.restored);
}

/* Make a second device, as another process would, and offer it the first one's connection. */
static struct vstate_dev *
connection_move(struct bench *b, struct vstate_handover_msg *offer)
{
	struct vstate_conf conf = b->conf;
	struct vstate_dev *other;
	bool kept = false;

	/* the messages are kept for another process only with a state file */
	door_close(b);
	close(b->front);
	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	rte_strscpy(conf.state_dir, b->dir, sizeof(conf.state_dir));
	door_open(b);
	b->front = socket_connect(b->conf.iface);
	front_begin(b, FEATURES);
	rings_begin(b, 0);
	snprintf(conf.iface, sizeof(conf.iface), "%s/other", b->dir);
	other = device_make(NAME "2", &conf);
	assert_int_equal(b->dev->front_ops->freeze(b->dev, PATIENCE_MS), 0);
	assert_int_equal(b->dev->front_ops->offer(b->dev, true, offer), 0);
	assert_int_equal(other->front_ops->adopt(other, offer, &kept), 0);
	assert_true(kept);
	return other;
}

/* Whether a page is in the page table of this process: bit 63 of /proc/PID/pagemap. */
static bool
page_is_entered(const void *addr)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &entry, sizeof(entry), (uintptr_t)addr / sysconf(_SC_PAGESIZE) *
				sizeof(entry)), sizeof(entry));
	close(fd);
	return (entry & RTE_BIT64(63)) != 0;
}

static void
connection_continues_in_another_device(void **state)
{
	struct vstate_handover_msg offer = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, 0);
	struct vstate_dev *other;
	struct bench *b = *state;
	bool entered;

	/* a page that no device has read */
	assert_int_equal(pwrite(b->mem_fd, "x", 1, PAGE_USED), 1);
	other = connection_move(b, &offer);
	vstate_handover_msg_drop(&offer);
	entered = page_is_entered(other->guest.mem.regions[0].hva + PAGE_USED);
	b->dev->front_ops->leave(b->dev, true);
	assert_int_equal(other->front_ops->run(other), 0);
	door_close(b);
	b->dev = other;
	/* the first burst takes no page fault */
	assert_true(entered);
	assert_int_equal(front_state(b->front, MSG_SET_VRING_ENABLE, 1, 1), 0);
	rings_check(b, other, 0);
	/* and so do the messages */
	rings_end(b);
	assert_false(vstate_run_is_started(other));
	rings_begin(b, 0);
	rings_check(b, other, 0);
	/* the next front end connects to the socket that came with the connection */
	front_end_change(b);
	front_begin(b, FEATURES);
	rings_begin(b, 0);
	rings_check(b, other, 0);
}

/* The other device gives up. The connection and the socket are the first one's, as before. */
static void
connection_that_is_abandoned_stays(void **state)
{
	struct vstate_handover_msg offer = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, 0);
	struct vstate_dev *other;
	struct bench *b = *state;

	other = connection_move(b, &offer);
	vstate_handover_msg_drop(&offer);
	other->front_ops->abandon(other);
	assert_false(vstate_run_is_started(other));
	b->dev->front_ops->thaw(b->dev);
	rings_check(b, b->dev, 0);
	rings_end(b);
	vstate_door_close(other);
	ut_device_unmake(other);
	front_end_change(b);
	front_begin(b, FEATURES);
	rings_begin(b, 0);
	rings_check(b, b->dev, 0);
}

/* @return the number of queues in the state that a device with @p queues pairs saves */
static uint16_t
queues_saved(struct bench *b, uint16_t queues, bool cvq)
{
	static uint8_t bytes[65536];
	struct rte_vhost_state *st;
	size_t len = 0;
	uint16_t nb;
	int ends[2];
	ssize_t n;

	door_close(b);
	close(b->front);
	b->conf.queues = queues;
	vstate_net_conf(&b->conf)->cvq = cvq;
	door_open(b);
	b->front = socket_connect(b->conf.iface);
	front_begin(b, FEATURES | (queues > 1 ? RTE_BIT64(VIRTIO_NET_F_MQ) : 0));
	rings_begin(b, 0);
	rings_end(b);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(move_begin(b, 0, 0, ends[1]), 0);
	while ((n = read(ends[0], bytes + len, sizeof(bytes) - len)) > 0)
		len += n;
	close(ends[0]);
	assert_int_equal(front_question(b->front, MSG_CHECK_DEVICE_STATE), 0);
	st = rte_vhost_state_decode(bytes, len, NULL);
	assert_non_null(st);
	nb = st->nb_vqs;
	rte_vhost_state_free(st);
	return nb;
}

/* A destination with fewer pairs can load what the guest uses. */
static void
pairs_that_are_not_set_up_are_not_saved(void **state)
{
	struct bench *b = *state;

	assert_int_equal(queues_saved(b, 1, false), 2);
	assert_int_equal(queues_saved(b, 3, false), 2);
	assert_int_equal(queues_saved(b, 1, true), 2);
	assert_int_equal(queues_saved(b, 3, true), 2);
}

/* The front end truncates its memory. The device reads zeros, and its queues break. */
static void
memory_that_is_taken_away_breaks_the_queues(void **state)
{
	struct bench *b = *state;
	unsigned int i, region, ms = 0;

	/* cmocka has a handler of its own in each test */
	assert_int_equal(vstate_mem_guard_init(), 0);
	for (region = 0; region < 2; region++) {
		front_begin(b, FEATURES);
		rings_begin(b, 0);
		rings_check(b, b->dev, 0);
		assert_int_equal(b->dev->guest.mem.nb_regions, 2);
		assert_int_equal(ftruncate(b->mem_fd, 0), 0);
		assert_int_equal(*(volatile uint8_t *)b->dev->guest.mem.regions[region].hva, 0);
		for (i = 0; i < NB_RINGS; i++) {
			while (rte_atomic_load_explicit(&b->dev->vqs[i]->fault,
					rte_memory_order_relaxed) != VSTATE_FAULT_MEMORY_LOST) {
				assert_true(ms++ < PATIENCE_MS);
				usleep(1000);
			}
		}
		assert_int_equal(ftruncate(b->mem_fd, MEM_SIZE), 0);
		front_end_change(b);
	}
	/* the next front end has memory of its own */
	front_begin(b, FEATURES);
	rings_begin(b, 0);
	rings_check(b, b->dev, 0);
}

/* A device that was closed takes no connection. */
static void
closed_door_adopts_no_connection(void **state)
{
	struct vstate_handover_msg offer = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, 0);
	struct bench *b = *state;
	bool kept = true;

	vstate_door_close(b->dev);
	assert_int_equal(b->dev->front_ops->adopt(b->dev, &offer, &kept), -ESHUTDOWN);
	assert_false(kept);
	b->dev->front_ops->abandon(b->dev);
	assert_int_equal(b->dev->front_ops->run(b->dev), -ESHUTDOWN);
}

int
test_vstate_door_net(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_close)
	static const struct CMUnitTest tests[] = {
		TEST(rings_are_set_up_as_each_front_end_says),
		TEST(calls_go_to_the_last_descriptor),
		TEST(driver_ok_is_awaited_from_a_front_end_that_sends_it),
		TEST(in_flight_region_is_made_and_attached),
		TEST(address_of_a_guest_that_moved_is_kept),
		TEST(dirty_log_comes_and_goes),
		TEST(state_is_saved_and_loaded_through_descriptors),
		TEST(pairs_that_are_not_set_up_are_not_saved),
		TEST(memory_that_is_taken_away_breaks_the_queues),
		TEST(connection_continues_in_another_device),
		TEST(connection_that_is_abandoned_stays),
		TEST(closed_door_adopts_no_connection),
	};

	return cmocka_run_group_tests_name("vstate_door_net", tests, NULL, NULL);
}

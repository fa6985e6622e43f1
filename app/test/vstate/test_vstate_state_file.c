/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The state file: the state that a killed process leaves, and which process may use it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "rte_vhost_state.h"
#include "ut_device.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_class.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_state.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_state_file.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"

#define V1 RTE_BIT64(VIRTIO_F_VERSION_1)
#define PACKED_V1 (V1 | RTE_BIT64(VIRTIO_F_RING_PACKED))
#define SIZE 64
#define NAME "test_state_file"
#define HEAD_SIZE 65536

/* A device with one pair, and the directory with its state file. */
struct bench {
	char dir[64], path[128], left[128];
	struct vstate_dev *dev;
	struct ring ring;
	struct vstate_setup setup;
	struct vstate_conf conf;
};

static void
bases_set(struct bench *b, uint16_t idx, uint8_t wrap)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		b->setup.rings[i].base_fresh = true;
		b->setup.rings[i].avail = b->setup.rings[i].used = (struct vstate_pos){ idx, wrap };
	}
}

/* Both queues use the same ring, as only the test polls them. */
static void
rings_set(struct bench *b, unsigned int ready)
{
	unsigned int i;

	b->setup.mem = b->ring.guest.mem;
	for (i = 0; i < 2; i++) {
		ring_describe(&b->ring, &b->setup.rings[i]);
		b->setup.rings[i].ready = i < ready;
	}
}

/* 0 or -errno */
static int
process_start(struct bench *b)
{
	b->dev = ut_device_make(NAME, &b->conf);
	if (b->dev == NULL)
		return -rte_errno;
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	return 0;
}

static void
front_end_connect(struct bench *b)
{
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, b->setup.features, false);
	vstate_start(b->dev, &b->setup);
}

static void
file_copy(const char *from, const char *to)
{
	char command[300];

	snprintf(command, sizeof(command), "cp --sparse=always %s %s", from, to);
	assert_int_equal(system(command), 0);
}

/* End the process and leave the file as a kill at this moment would. */
static void
process_kill(struct bench *b)
{
	file_copy(b->path, b->left);
	vstate_start_disconnect(b->dev, false);
	ut_device_unmake(b->dev);
	b->dev = NULL;
	file_copy(b->left, b->path);
}

static void
bench_open(struct bench *b, uint64_t features)
{
	memset(b, 0, sizeof(*b));
	rte_strscpy(b->dir, "/tmp/vstate-file.XXXXXX", sizeof(b->dir));
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/" NAME ".vstate", b->dir);
	snprintf(b->left, sizeof(b->left), "%s/left", b->dir);
	b->conf = ut_conf(1, 9000);
	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	ring_open(&b->ring, features & RTE_BIT64(VIRTIO_F_RING_PACKED), SIZE);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->setup.features = features;
	rings_set(b, 2);
	bases_set(b, 0, b->ring.packed);
}

static void
bench_close(struct bench *b)
{
	if (b->dev != NULL) {
		vstate_start_disconnect(b->dev, false);
		ut_device_unmake(b->dev);
	}
	vstate_watch_put();
	ring_close(&b->ring);
	unlink(b->path);
	unlink(b->left);
	assert_int_equal(rmdir(b->dir), 0);
}

/* Pass @p n frames of the guest through queue 1. */
static void
frames_pass(struct bench *b, uint16_t n)
{
	const struct piece small = { RING_BUF_GPA, RING_HDR + 60 };
	struct vstate_net_vq *nq = vstate_net_vq_of(b->dev->vqs[1]);
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t i, id;
	uint32_t len;

	memset(guest_at(&b->ring.guest, RING_BUF_GPA), 0, RING_HDR + 60);
	while (n > 0) {
		i = RTE_MIN(n, 16);
		n -= i;
		for (id = 0; id < i; id++)
			ring_add(&b->ring, &small, 1, false);
		assert_int_equal(nq->ops->take(nq, b->ring.pool, pkts, i), i);
		nq->ops->give(nq, i);
		rte_pktmbuf_free_bulk(pkts, i);
		while (i-- > 0)
			assert_true(ring_get_used(&b->ring, &id, &len));
	}
}

static void
assert_position(const struct bench *b, uint16_t qid, uint16_t idx, uint8_t wrap)
{
	const struct vstate_vq *vq = b->dev->vqs[qid];

	assert_int_equal(vq->used.idx, idx);
	assert_int_equal(vq->used.wrap, wrap);
	assert_int_equal(vq->avail.idx, idx);
	assert_int_equal(vq->avail.wrap, wrap);
}

/* A process passes 100 frames and is killed. The new process runs without a front end yet. */
static void
crash_at_100(struct bench *b, uint64_t features)
{
	bench_open(b, features);
	assert_int_equal(process_start(b), 0);
	front_end_connect(b);
	frames_pass(b, 100);
	process_kill(b);
	assert_int_equal(process_start(b), 0);
}

/* Before a ring is set up: its positions are kept from the first burst on. */
static void
file_keeps_each_queue_and_the_memory_of_the_class(void **state)
{
	uint8_t want[64];
	struct bench b;
	uint16_t i;

	bench_open(&b, PACKED_V1);
	assert_int_equal(process_start(&b), 0);
	for (i = 0; i < 2; i++)
		assert_ptr_not_equal(b.dev->vqs[i]->inflight_head, &b.dev->vqs[i]->own_head);
	assert_ptr_not_equal(b.dev->kept, b.dev->kept_own);
	memset(want, 0xa5, sizeof(want));
	memcpy(b.dev->kept, want, sizeof(want));
	process_kill(&b);
	assert_int_equal(process_start(&b), 0);
	assert_memory_equal(b.dev->kept, want, sizeof(want));
	bench_close(&b);
}

static void
packed_ring_resumes_where_the_killed_process_stopped(void **state)
{
	struct bench b;

	crash_at_100(&b, PACKED_V1);
	assert_non_null(b.dev->handover->recovery);
	/* QEMU sets the base where the ring once started */
	front_end_connect(&b);
	assert_position(&b, 1, 100 - SIZE, 0);
	assert_position(&b, 0, 0, 1);
	frames_pass(&b, 100);
	assert_position(&b, 1, 200 - 3 * SIZE, 0);
	assert_null(b.dev->handover->recovery);
	bench_close(&b);
}

/* While no process ran, QEMU used two buffers of the guest at the position that it assumes. */
static void
buffers_used_ahead_by_the_front_end_return_in_ring_order(void **state)
{
	const struct piece small = { RING_BUF_GPA, RING_HDR + 60 };
	const uint16_t both = rte_cpu_to_le_16(RTE_BIT32(VRING_PACKED_DESC_F_AVAIL) |
			RTE_BIT32(VRING_PACKED_DESC_F_USED));
	const uint16_t waiting = 2 * SIZE - 100 + 3;
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t ids[2 * SIZE], i, id;
	struct vstate_net_vq *nq;
	struct bench b;
	uint32_t len;

	crash_at_100(&b, PACKED_V1);
	for (i = 0; i < waiting; i++)
		ids[i] = ring_add(&b.ring, &small, 1, false);
	for (i = 0; i < 2; i++)
		memcpy(guest_at(&b.ring.guest, RING_DESC_GPA + 16 * i + 14), &both, sizeof(both));
	front_end_connect(&b);
	assert_position(&b, 1, 100 - SIZE, 0);
	/* QEMU does not use buffers of a receive queue */
	assert_position(&b, 0, 0, 1);
	nq = vstate_net_vq_of(b.dev->vqs[1]);
	i = nq->ops->take(nq, b.ring.pool, pkts, VSTATE_BURST);
	nq->ops->give(nq, i);
	rte_pktmbuf_free_bulk(pkts, i);
	assert_int_equal(i, waiting - 2);
	assert_int_equal(nq->counters.runt, 2);
	for (i = 0; i < waiting; i++) {
		assert_true(ring_get_used(&b.ring, &id, &len));
		assert_int_equal(id, ids[i]);
	}
	frames_pass(&b, 100);
	bench_close(&b);
}

/* The call for the last buffers may have been lost with the killed process. */
static void
driver_is_called_when_a_ring_resumes_after_a_kill(void **state)
{
	struct bench b;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		crash_at_100(&b, packed ? PACKED_V1 : V1);
		b.setup.rings[1].callfd = b.ring.callfd;
		b.setup.rings[1].callfd_fresh = true;
		ring_calls(&b.ring);
		front_end_connect(&b);
		assert_int_equal(ring_calls(&b.ring), 1);
		bench_close(&b);
	}
}

static void
split_ring_resumes_at_its_used_index(void **state)
{
	struct bench b;

	crash_at_100(&b, V1);
	front_end_connect(&b);
	assert_position(&b, 1, 100, 0);
	frames_pass(&b, 100);
	bench_close(&b);
}

/* Killed again before the front end connects, and after it set up one of two rings. */
static void
kill_before_the_rings_are_set_up_loses_nothing(void **state)
{
	struct bench b;

	crash_at_100(&b, PACKED_V1);
	process_kill(&b);
	assert_int_equal(process_start(&b), 0);
	rings_set(&b, 1);
	front_end_connect(&b);
	assert_non_null(b.dev->handover->recovery);
	process_kill(&b);
	assert_int_equal(process_start(&b), 0);
	rings_set(&b, 2);
	front_end_connect(&b);
	assert_position(&b, 1, 100 - SIZE, 0);
	bench_close(&b);
}

static void
ring_that_is_set_up_later_resumes_too(void **state)
{
	struct bench b;

	crash_at_100(&b, PACKED_V1);
	rings_set(&b, 1);
	front_end_connect(&b);
	assert_position(&b, 0, 0, 1);
	rings_set(&b, 2);
	b.setup.rings[0].base_fresh = false;
	vstate_start_sync(b.dev, &b.setup);
	assert_position(&b, 1, 100 - SIZE, 0);
	assert_null(b.dev->handover->recovery);
	bench_close(&b);
}

static void
positions_are_ignored_if_the_guest_reset_its_rings(void **state)
{
	struct bench b;

	crash_at_100(&b, PACKED_V1);
	memset(guest_at(&b.ring.guest, RING_DESC_GPA), 0, 16 * SIZE);
	front_end_connect(&b);
	assert_position(&b, 1, 0, 1);
	bench_close(&b);
}

static void
rings_that_do_not_fit_resume_at_the_base(void **state)
{
	struct bench b;

	crash_at_100(&b, PACKED_V1);
	b.setup.rings[1].size = SIZE / 2;
	front_end_connect(&b);
	assert_position(&b, 1, 0, 1);
	bench_close(&b);

	crash_at_100(&b, PACKED_V1);
	b.setup.features |= RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF);
	front_end_connect(&b);
	assert_position(&b, 1, 0, 1);
	assert_null(b.dev->handover->recovery);
	bench_close(&b);
}

/* The guest was reset, and negotiates other features: what the class kept is not its own. */
static void
memory_of_the_class_is_cleared_if_the_state_does_not_fit(void **state)
{
	const uint8_t zeros[64] = { 0 };
	const struct vstate_class *before;
	struct vstate_class class;
	struct bench b;

	crash_at_100(&b, PACKED_V1);
	before = b.dev->class;
	class = *before;
	class.kept_size = sizeof(zeros);
	b.dev->class = &class;
	memset(b.dev->kept, 0xa5, 2 * sizeof(zeros));
	b.setup.features |= RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF);
	front_end_connect(&b);
	b.dev->class = before;
	assert_memory_equal(b.dev->kept, zeros, sizeof(zeros));
	/* no more than the class has */
	assert_int_equal(((const uint8_t *)b.dev->kept)[sizeof(zeros)], 0xa5);
	assert_null(b.dev->handover->recovery);
	assert_position(&b, 1, 0, 1);
	bench_close(&b);
}

static void
orderly_stop_leaves_no_positions(void **state)
{
	struct bench b;

	bench_open(&b, PACKED_V1);
	assert_int_equal(process_start(&b), 0);
	front_end_connect(&b);
	frames_pass(&b, 100);
	vstate_start_end(b.dev, false);
	process_kill(&b);
	assert_int_equal(process_start(&b), 0);
	assert_null(b.dev->handover->recovery);
	bench_close(&b);
}

/* The process ends itself, for an upgrade: the guest's rings stay as they are. */
static void
end_of_the_process_leaves_the_positions(void **state)
{
	struct bench b;

	bench_open(&b, PACKED_V1);
	assert_int_equal(process_start(&b), 0);
	front_end_connect(&b);
	frames_pass(&b, 100);
	vstate_start_disconnect(b.dev, true);
	ut_device_unmake(b.dev);
	assert_int_equal(process_start(&b), 0);
	front_end_connect(&b);
	assert_position(&b, 1, 100 - SIZE, 0);
	bench_close(&b);
}

static void
loaded_state_is_used_in_place_of_the_state_file(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;

	crash_at_100(&b, PACKED_V1);
	st = rte_vhost_state_copy(b.dev->handover->recovery->st);
	assert_non_null(st);
	st->vqs[1].avail_idx = st->vqs[1].used_idx = 7;
	st->vqs[1].avail_wrap = st->vqs[1].used_wrap = 0;
	assert_int_equal(vstate_state_load(b.dev, st, NULL), 0);
	rte_vhost_state_free(st);
	bases_set(&b, 7, 0);
	front_end_connect(&b);
	assert_position(&b, 1, 7, 0);
	bench_close(&b);
}

/* ---- the file ---- */

static void
file_write(const struct bench *b, off_t at, const void *bytes, size_t len)
{
	int fd = open(b->path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void
file_write_u32(const struct bench *b, off_t at, uint32_t value)
{
	file_write(b, at, &value, sizeof(value));
}

/* A process passes 100 frames and is killed. No new process runs yet. */
static void
process_pass_and_kill(struct bench *b)
{
	bench_open(b, PACKED_V1);
	assert_int_equal(process_start(b), 0);
	front_end_connect(b);
	frames_pass(b, 100);
	process_kill(b);
}

static void
file_that_does_not_fit_is_ignored(void **state)
{
	static const struct {
		off_t at;
		uint32_t value;
	} spoilt[] = {
		{ offsetof(struct vstate_state_file_head, version), 2 },
		{ offsetof(struct vstate_state_file_head, nb_vqs), 4 },
		{ offsetof(struct vstate_state_file_head, nb_vqs), UINT32_MAX },
		{ offsetof(struct vstate_state_file_head, file_size), 4096 },
		{ offsetof(struct vstate_state_file_head, name), 0x41414141 },
		{ offsetof(struct vstate_state_file_head, boot_id), 0x41414141 },
		{ offsetof(struct vstate_state_file_head, seq), 1000 },
		{ offsetof(struct vstate_state_file_head, state_len), 0 },
		{ offsetof(struct vstate_state_file_head, state_len) + 4, 0 },
		{ offsetof(struct vstate_state_file_head, state_len) + 4, 3 },
		{ offsetof(struct vstate_state_file_head, state_len) + 4, UINT32_MAX },
		{ HEAD_SIZE + (16 << 20), 0 },
		{ HEAD_SIZE + (16 << 20) + 100, 0x41414141 },
	};
	struct bench b;
	size_t i;

	for (i = 0; i < RTE_DIM(spoilt); i++) {
		process_pass_and_kill(&b);
		file_write_u32(&b, spoilt[i].at, spoilt[i].value);
		assert_int_equal(process_start(&b), 0);
		/* the place that is not current may have any content */
		if (spoilt[i].at != offsetof(struct vstate_state_file_head, state_len))
			assert_null(b.dev->handover->recovery);
		front_end_connect(&b);
		if (spoilt[i].at != offsetof(struct vstate_state_file_head, state_len))
			assert_position(&b, 1, 0, 1);
		bench_close(&b);
	}
}

static void
truncated_file_is_made_from_scratch(void **state)
{
	static const off_t lens[] = { 0, 8, 100, 4096, HEAD_SIZE, HEAD_SIZE + 1 };
	struct bench b;
	size_t i;

	for (i = 0; i < RTE_DIM(lens); i++) {
		process_pass_and_kill(&b);
		assert_int_equal(truncate(b.path, lens[i]), 0);
		assert_int_equal(process_start(&b), 0);
		assert_null(b.dev->handover->recovery);
		front_end_connect(&b);
		frames_pass(&b, 0);
		bench_close(&b);
	}
}

static void
record_with_bad_values_leaves_a_valid_position(void **state)
{
	static const uint64_t words[] = { UINT64_MAX, 64, 64ull << 16, 2ull << 32, 2ull << 40,
		0x7fff, 0x1ull << 32 | 32, 0x0ull << 32 | 63 };
	const off_t at = 4096 + sizeof(struct vstate_state_file_vq) +
		offsetof(struct vstate_inflight_packed, pos);
	struct bench b;
	size_t i;

	for (i = 0; i < RTE_DIM(words); i++) {
		process_pass_and_kill(&b);
		file_write(&b, at, &words[i], sizeof(words[i]));
		assert_int_equal(process_start(&b), 0);
		front_end_connect(&b);
		assert_true(b.dev->vqs[1]->used.idx < SIZE && b.dev->vqs[1]->used.wrap <= 1);
		assert_int_equal(b.dev->vqs[1]->used.idx, b.dev->vqs[1]->avail.idx);
		bench_close(&b);
	}
}

/* Killed after the new state was written, and before the new records: the state is used. */
static void
record_of_an_older_state_is_ignored(void **state)
{
	const off_t at = 4096 + sizeof(struct vstate_state_file_vq);
	const uint64_t word = 5;
	struct bench b;

	bench_open(&b, PACKED_V1);
	assert_int_equal(process_start(&b), 0);
	front_end_connect(&b);
	frames_pass(&b, 100);
	b.setup.rings[0].base_fresh = b.setup.rings[1].base_fresh = false;
	vstate_start_sync(b.dev, &b.setup);
	process_kill(&b);
	file_write(&b, at + offsetof(struct vstate_inflight_packed, pos), &word, sizeof(word));
	file_write_u32(&b, at + offsetof(struct vstate_state_file_vq, seq), 1);
	assert_int_equal(process_start(&b), 0);
	bases_set(&b, 0, 1);
	front_end_connect(&b);
	assert_position(&b, 1, 100 - SIZE, 0);
	bench_close(&b);
}

static void
file_of_a_living_process_is_refused(void **state)
{
	struct vstate_state_file_head before, after;
	struct vstate_dev *other;
	struct bench b;
	int fd;

	bench_open(&b, PACKED_V1);
	assert_int_equal(process_start(&b), 0);
	front_end_connect(&b);
	fd = open(b.path, O_RDONLY);
	assert_int_equal(pread(fd, &before, sizeof(before), 0), sizeof(before));
	other = ut_device_make(NAME, &b.conf);
	assert_null(other);
	assert_int_equal(rte_errno, EBUSY);
	assert_int_equal(pread(fd, &after, sizeof(after), 0), sizeof(after));
	assert_memory_equal(&before, &after, sizeof(before));
	close(fd);
	frames_pass(&b, 10);
	bench_close(&b);
}

static void
file_that_is_not_a_private_state_file_is_refused(void **state)
{
	static const char text[] = "another program's text\n";
	char got[sizeof(text)] = "";
	struct bench b;
	int fd;

	bench_open(&b, V1);
	fd = open(b.path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(process_start(&b), -EINVAL);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(got));
	assert_string_equal(got, text);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(process_start(&b), -EPERM);
	close(fd);
	assert_int_equal(rename(b.path, b.left), 0);
	assert_int_equal(symlink(b.left, b.path), 0);
	assert_int_equal(process_start(&b), -ELOOP);
	assert_int_equal(unlink(b.path), 0);
	assert_int_equal(mkfifo(b.path, 0600), 0);
	assert_int_equal(process_start(&b), -EPERM);
	assert_int_equal(unlink(b.path), 0);
	rte_strscpy(b.conf.state_dir, "/nonexistent", sizeof(b.conf.state_dir));
	assert_int_equal(process_start(&b), -ENOENT);
	bench_close(&b);
}

/* The guest's connection is passed through this directory from process to process. */
static void
directory_that_others_can_write_to_is_refused(void **state)
{
	static const mode_t refused[] = { 01777, 0777, 0770, 0720, 0702 };
	static const mode_t taken[] = { 0755, 0711, 0700 };
	struct bench b;
	unsigned int i;

	RTE_SET_USED(state);
	bench_open(&b, V1);
	for (i = 0; i < RTE_DIM(refused); i++) {
		assert_int_equal(chmod(b.dir, refused[i]), 0);
		assert_int_equal(process_start(&b), -EPERM);
		/* the refusal leaves no file */
		assert_int_equal(access(b.path, F_OK), -1);
	}
	for (i = 0; i < RTE_DIM(taken); i++) {
		assert_int_equal(chmod(b.dir, taken[i]), 0);
		assert_int_equal(process_start(&b), 0);
		ut_device_unmake(b.dev);
		b.dev = NULL;
		assert_int_equal(unlink(b.path), 0);
	}
	if (geteuid() == 0) {
		assert_int_equal(chown(b.dir, 65534, 65534), 0);
		assert_int_equal(process_start(&b), -EPERM);
		assert_int_equal(chown(b.dir, 0, 0), 0);
	}
	bench_close(&b);
}

int
test_vstate_state_file(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_keeps_each_queue_and_the_memory_of_the_class),
		cmocka_unit_test(packed_ring_resumes_where_the_killed_process_stopped),
		cmocka_unit_test(buffers_used_ahead_by_the_front_end_return_in_ring_order),
		cmocka_unit_test(split_ring_resumes_at_its_used_index),
		cmocka_unit_test(driver_is_called_when_a_ring_resumes_after_a_kill),
		cmocka_unit_test(kill_before_the_rings_are_set_up_loses_nothing),
		cmocka_unit_test(ring_that_is_set_up_later_resumes_too),
		cmocka_unit_test(positions_are_ignored_if_the_guest_reset_its_rings),
		cmocka_unit_test(rings_that_do_not_fit_resume_at_the_base),
		cmocka_unit_test(memory_of_the_class_is_cleared_if_the_state_does_not_fit),
		cmocka_unit_test(orderly_stop_leaves_no_positions),
		cmocka_unit_test(end_of_the_process_leaves_the_positions),
		cmocka_unit_test(loaded_state_is_used_in_place_of_the_state_file),
		cmocka_unit_test(file_that_does_not_fit_is_ignored),
		cmocka_unit_test(truncated_file_is_made_from_scratch),
		cmocka_unit_test(record_with_bad_values_leaves_a_valid_position),
		cmocka_unit_test(record_of_an_older_state_is_ignored),
		cmocka_unit_test(file_of_a_living_process_is_refused),
		cmocka_unit_test(file_that_is_not_a_private_state_file_is_refused),
		cmocka_unit_test(directory_that_others_can_write_to_is_refused),
	};

	return cmocka_run_group_tests_name("vstate_state_file", tests, NULL, NULL);
}

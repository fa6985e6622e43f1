/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Requests of a disk that are under way at a stop: they end before it, or wait and move with the
 * state or the in-flight region. The driver gets each of them back once, with its data.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <linux/virtio_blk.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_blk.h"
#include "ut_groups.h"
#include "ut_step.h"
#include "block/vstate_blk.h"
#include "block/vstate_blk_conf.h"
#include "block/vstate_blk_queue.h"
#include "block/vstate_blk_store.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_quiesce.h"
#include "dev/vstate_start.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_recover.h"
#include "handover/vstate_state_file.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_request.h"

#define OK VIRTIO_BLK_S_OK
#define IN VIRTIO_BLK_T_IN
#define OUT VIRTIO_BLK_T_OUT
/* Requests under way at the stop; each has three descriptors. */
#define NB 8
#define LEN 512
/* A request that does not return in this time never does. */
#define COMPLETE_S 10

static bool
mark_is_set(const struct disk *d, uint16_t i)
{
	return d->region[d->packed ? 32 + 32 * i : 16 + 16 * i] == 1;
}

static unsigned int
marks_count(const struct disk *d)
{
	unsigned int i, n = 0;

	for (i = 0; i < DISK_RING; i++)
		n += mark_is_set(d, i);
	return n;
}

/*
 * Writes 0 to NB - 2, and a flush, all taken by the device. Descriptors are in use again, so that
 * their order is not that of the requests.
 */
static void
requests_begin(struct disk *d, uint16_t *ids)
{
	unsigned int i;

	d->ring.free_desc = DISK_RING - 10;
	for (i = 0; i < NB - 1; i++) {
		disk_data_fill(d, i, LEN, 40 + i);
		ids[i] = disk_add(d, i, OUT, i, LEN, false);
	}
	ids[i] = disk_add(d, i, VIRTIO_BLK_T_FLUSH, 0, 0, false);
	vstate_blk_poll(d->dev);
	assert_int_equal(d->q->nb_out, NB);
	assert_int_equal(vstate_inflight_count(d->vq), NB);
}

/* Each returned once, and the data is there. */
static void
requests_check(struct disk *d, const uint16_t *ids)
{
	const uint64_t end = rte_rdtsc() + COMPLETE_S * rte_get_tsc_hz();
	bool seen[NB] = { 0 };
	unsigned int i, n;
	uint32_t len;
	uint16_t id;

	for (n = 0; n < NB; ) {
		vstate_blk_poll(d->dev);
		if (!ring_get_used(&d->ring, &id, &len)) {
			assert_true(rte_rdtsc() < end);
			continue;
		}
		n++;
		for (i = 0; i < NB && ids[i] != id; i++)
			;
		assert_true(i < NB);
		assert_false(seen[i]);
		seen[i] = true;
		assert_int_equal(disk_status(d, i), OK);
	}
	vstate_blk_poll(d->dev);
	assert_false(ring_get_used(&d->ring, &id, &len));
	assert_int_equal(vstate_inflight_count(d->vq), 0);
	for (i = 0; i < NB - 1; i++) {
		disk_data_fill(d, i, LEN, 0);
		disk_add(d, i, IN, i, LEN, true);
	}
	disk_complete(d, NB - 1);
	for (i = 0; i < NB - 1; i++)
		disk_data_check(d, i, LEN, 40 + i);
}

static struct vstate_conf
slow_conf(uint32_t delay_us)
{
	struct vstate_conf conf = disk_conf();

	vstate_blk_conf(&conf)->delay_us = delay_us;
	return conf;
}

/* No client carries requests that are not complete: they are completed. */
static void
front_end_that_takes_rings_back_finds_all_complete(void **state)
{
	struct vstate_conf conf = slow_conf(2000);
	uint16_t ids[NB], id, n;
	uint32_t len;
	struct disk d;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		disk_region_open(&d);
		disk_start(&d, d.vq->avail);
		requests_begin(&d, ids);
		assert_int_equal(marks_count(&d), NB);
		vstate_start_end(d.dev, false);
		assert_int_equal(marks_count(&d), 0);
		assert_int_equal(d.q->nb_out, 0);
		for (n = 0; ring_get_used(&d.ring, &id, &len); n++)
			;
		assert_int_equal(n, NB);
		assert_true(vstate_pos_same(d.vq->avail, d.vq->used));
		disk_close(&d);
	}
}

/* The front end carries them: they stay marked, and nothing is begun any more. */
static void
front_end_that_carries_requests_finds_them_marked(void **state)
{
	struct vstate_conf conf = slow_conf(10000000), fast = slow_conf(100);
	struct vstate_pos base;
	struct disk d;
	uint16_t ids[NB];
	int packed;

	vstate_blk_conf(&fast)->reorder = true;
	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		disk_region_open(&d);
		d.setup.inflight_carried = true;
		disk_start(&d, d.vq->avail);
		requests_begin(&d, ids);
		vstate_start_end(d.dev, false);
		assert_int_equal(d.q->nb_out, 0);
		assert_int_equal(marks_count(&d), NB);
		base = d.vq->avail;
		disk_device_close(&d);
		/* the destination gets the region before the rings */
		disk_device_open(&d, "test_blk2", &fast);
		disk_region_open(&d);
		disk_start(&d, base);
		assert_int_equal(vstate_inflight_count(d.vq), NB);
		assert_true(vstate_pos_same(d.vq->avail, base));
		requests_check(&d, ids);
		assert_int_equal(d.q->counters.resubmitted, NB);
		assert_int_equal(marks_count(&d), 0);
		disk_close(&d);
	}
}

/* Another process owns the device now, and has these requests from the state file. */
static void
process_that_handed_over_completes_nothing(void **state)
{
	struct vstate_conf conf = slow_conf(3000);
	uint16_t ids[NB], id;
	struct disk d;
	uint32_t len;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		disk_region_open(&d);
		disk_start(&d, d.vq->avail);
		requests_begin(&d, ids);
		/* as a takeover does */
		vstate_quiesce_always(d.dev);
		vstate_run_block(d.dev, VSTATE_BLOCK_NOT_OWNER);
		assert_int_equal(marks_count(&d), NB);
		vstate_start_end(d.dev, false);
		assert_int_equal(marks_count(&d), NB);
		assert_false(ring_get_used(&d.ring, &id, &len));
		vstate_run_unblock(d.dev, VSTATE_BLOCK_NOT_OWNER);
		disk_close(&d);
	}
}

static void
state_carries_requests(void **state)
{
	struct vstate_conf conf = slow_conf(10000000), fast = slow_conf(100);
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	uint16_t ids[NB], i;
	struct disk d;
	int packed;

	vstate_blk_conf(&fast)->reorder = true;
	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		requests_begin(&d, ids);
		assert_int_equal(rte_vhost_state_suspend("test_blk", 0, &err), 0);
		assert_int_equal(d.q->nb_out, 0);
		st = rte_vhost_state_capture("test_blk", &err);
		assert_non_null(st);
		assert_int_equal(rte_vhost_state_validate(st, &err), 0);
		assert_int_equal(st->blk.capacity, DISK_SIZE / 512);
		assert_int_equal(st->vqs[0].nb_inflight, NB);
		for (i = 0; i < NB; i++)
			assert_int_equal(st->vqs[0].inflight[i].id, ids[i]);
		disk_device_close(&d);
		disk_device_open(&d, "test_blk2", &fast);
		assert_int_equal(rte_vhost_state_restore("test_blk2", st, &err), 0);
		disk_start(&d, (struct vstate_pos){ 0, packed });
		requests_check(&d, ids);
		rte_vhost_state_free(st);
		disk_close(&d);
	}
}

/* The device itself resumes. */
static void
suspended_disk_resumes_its_requests(void **state)
{
	struct vstate_conf conf = slow_conf(3000);
	struct rte_vhost_state_error err;
	struct disk d;
	uint16_t ids[NB];
	int packed, i;

	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		disk_region_open(&d);
		disk_start(&d, d.vq->avail);
		requests_begin(&d, ids);
		for (i = 0; i < 3; i++) {
			assert_int_equal(rte_vhost_state_suspend("test_blk", 0, &err), 0);
			assert_int_equal(d.q->nb_out, 0);
			assert_int_equal(vstate_blk_poll(d.dev), 0);
			assert_int_equal(marks_count(&d), NB);
			assert_int_equal(rte_vhost_state_resume("test_blk", &err), 0);
			vstate_blk_poll(d.dev);
			assert_int_equal(d.q->nb_out, NB);
		}
		requests_check(&d, ids);
		disk_close(&d);
	}
}

/* Memory may move while requests are under way. */
static void
requests_outlive_another_memory_table(void **state)
{
	struct vstate_conf conf = slow_conf(1000);
	struct disk d;
	uint16_t ids[NB];
	int packed;

	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		requests_begin(&d, ids);
		vstate_start_pause(d.dev);
		assert_int_equal(d.q->nb_out, 0);
		vstate_start_sync(d.dev, &d.setup);
		requests_check(&d, ids);
		disk_close(&d);
	}
}

/* A front end asked for the region before it negotiated packed rings. */
static void
region_of_split_rings_is_not_used_by_packed_ones(void **state)
{
	struct vstate_inflight_shm_geometry g = { .num_queues = 1, .queue_size = DISK_RING };
	struct vstate_conf conf = disk_conf();
	struct disk d;
	int fd;

	disk_open(&d, "test_blk", &conf, true);
	fd = vstate_inflight_shm_make(d.dev, &g, false);
	assert_true(fd >= 0);
	assert_int_equal(vstate_inflight_shm_set(d.dev, &g, fd, true), 0);
	disk_start(&d, d.vq->avail);
	assert_ptr_equal(d.vq->inflight_head, &d.vq->own_head);
	assert_null(d.vq->marks->region);
	assert_int_equal(disk_do(&d, OUT, 0, LEN, false), OK);
	/* of no layout */
	g.mmap_size -= 64;
	assert_int_equal(vstate_inflight_shm_set(d.dev, &g, fd, true), -EINVAL);
	close(fd);
	disk_close(&d);
}

/* ---- a store that does not stop ---- */

static struct vstate_blk_store_ops stubborn;
static const struct vstate_blk_store_ops *original;

static void
stop_that_takes_too_long_is_an_error(void **state)
{
	struct vstate_conf conf = slow_conf(100000);
	struct rte_vhost_state_error err;
	struct disk d;
	uint16_t ids[NB];

	disk_open(&d, "test_blk", &conf, false);
	requests_begin(&d, ids);
	stubborn = *vstate_blk_of(d.dev)->serve.stores[0]->ops;
	stubborn.cancel = NULL;
	vstate_blk_of(d.dev)->serve.stores[0]->ops = &stubborn;
	assert_int_equal(rte_vhost_state_suspend("test_blk", 1000, &err), -ETIMEDOUT);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_TIMEOUT);
	assert_int_equal(err.vq, 0);
	/* it runs on, and its requests end; the flush waits and is submitted again */
	requests_check(&d, ids);
	assert_int_equal(d.q->counters.resubmitted, 1);
	disk_close(&d);
}

static bool held;

static uint16_t
late_reap(struct vstate_blk_chan *chan, struct vstate_blk_io **done, uint16_t max)
{
	return held ? 0 : original->reap(chan, done, max);
}

/* The queue runs on after a stop that took too long, and only then the cancellation succeeds. */
static void
late_cancellation_loses_no_request(void **state)
{
	struct vstate_conf conf = slow_conf(100000);
	struct disk d;
	uint16_t ids[NB];
	int packed;

	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		requests_begin(&d, ids);
		original = vstate_blk_of(d.dev)->serve.stores[0]->ops;
		stubborn = *original;
		stubborn.reap = late_reap;
		vstate_blk_of(d.dev)->serve.stores[0]->ops = &stubborn;
		held = true;
		assert_int_equal(rte_vhost_state_suspend("test_blk", 1000, NULL), -ETIMEDOUT);
		held = false;
		requests_check(&d, ids);
		disk_close(&d);
	}
}

/* ---- the lock of the file ---- */

static int
other_process_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

static void
file_make(struct vstate_conf *conf, char *path)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
	close(fd);
	vstate_blk_conf(conf)->store = VSTATE_BLK_STORE_THREADS;
	vstate_blk_conf(conf)->size = 0;
	strcpy(vstate_blk_conf(conf)->path, path);
}

static void *
lock_release(void *fd)
{
	usleep(50000);
	close(*(int *)fd);
	return NULL;
}

/*
 * Requests wait for the file when the front end takes the rings back. They are completed if the
 * file becomes free, and stay marked if it does not.
 */
static void
stop_waits_for_the_file(void **state)
{
	struct vstate_conf conf = slow_conf(3000);
	char path[] = "/var/tmp/vstate-blk-XXXXXX";
	struct vstate_thread thread;
	struct disk d;
	uint16_t ids[NB];
	int way, fd;

	file_make(&conf, path);
	for (way = 0; way < 4; way++) {
		const bool packed = way & 1, freed = way & 2;

		disk_open(&d, "test_blk", &conf, packed);
		disk_region_open(&d);
		disk_start(&d, d.vq->avail);
		requests_begin(&d, ids);
		assert_int_equal(rte_vhost_state_suspend("test_blk", 0, NULL), 0);
		assert_int_equal(marks_count(&d), NB);
		fd = other_process_lock(path);
		assert_int_equal(rte_vhost_state_resume("test_blk", NULL), 0);
		vstate_blk_poll(d.dev);
		assert_int_equal(d.q->nb_out, 0);
		if (freed)
			assert_int_equal(vstate_thread_create(&thread, "releaser", lock_release, &fd), 0);
		vstate_start_end(d.dev, false);
		assert_int_equal(marks_count(&d), freed ? 0 : NB);
		assert_int_equal(vstate_inflight_count(d.vq), freed ? 0 : NB);
		if (freed)
			vstate_thread_join(&thread);
		else
			close(fd);
		disk_close(&d);
	}
	unlink(path);
}

/* A poll thread that looked at the queues before a stop enters after it. */
static void
file_is_not_locked_after_a_stop(void **state)
{
	struct vstate_conf conf = slow_conf(0);
	char path[] = "/var/tmp/vstate-blk-XXXXXX";
	struct disk d;

	file_make(&conf, path);
	disk_open(&d, "test_blk", &conf, false);
	disk_add(&d, 0, IN, 0, LEN, true);
	/* stopped before its first poll: the file is not locked yet */
	assert_int_equal(rte_vhost_state_suspend("test_blk", 0, NULL), 0);
	assert_int_equal(vstate_blk_poll(d.dev), 0);
	close(other_process_lock(path));
	/* granted again after the thread found the file locked, and the file is another's */
	assert_int_equal(rte_vhost_state_resume("test_blk", NULL), 0);
	assert_int_equal(vstate_blk_queue_poll(d.q), 0);
	close(other_process_lock(path));
	disk_complete(&d, 1);
	assert_int_equal(disk_status(&d, 0), OK);
	disk_close(&d);
	unlink(path);
}

/* ---- refusals ---- */

static void
other_disks_are_refused(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	struct disk d;
	unsigned int i;
	static const enum rte_vhost_state_reason reasons[] = {
		RTE_VHOST_STATE_R_FIT_BLK_CAPACITY, RTE_VHOST_STATE_R_FIT_BLK_BLOCK_SIZE,
		RTE_VHOST_STATE_R_FIT_BLK_READ_ONLY,
	};

	disk_open(&d, "test_blk", &conf, false);
	assert_int_equal(rte_vhost_state_suspend("test_blk", 0, &err), 0);
	st = rte_vhost_state_capture("test_blk", &err);
	assert_non_null(st);
	disk_device_close(&d);
	for (i = 0; i < RTE_DIM(reasons); i++) {
		conf = disk_conf();
		if (i == 0)
			vstate_blk_conf(&conf)->size -= 512;
		else if (i == 1)
			vstate_blk_conf(&conf)->blk_size = 4096;
		else
			vstate_blk_conf(&conf)->ro = true;
		disk_device_open(&d, "test_blk2", &conf);
		d.dev->features_offered |= st->driver_features;
		assert_int_equal(rte_vhost_state_restore("test_blk2", st, &err), -EXDEV);
		if (i < 2)
			assert_int_equal(err.reason, reasons[i]);
		disk_device_close(&d);
	}
	conf = disk_conf();
	vstate_blk_conf(&conf)->size += 512;
	disk_device_open(&d, "test_blk2", &conf);
	assert_int_equal(rte_vhost_state_restore("test_blk2", st, &err), 0);
	rte_vhost_state_free(st);
	disk_close(&d);
}

/* ---- a state file ---- */

/* What a process leaves in its state file: the requests in flight when it was stored. */
static struct vstate_recovery *
recovery_make(struct disk *d)
{
	struct vstate_recovery *rec = calloc(1, sizeof(*rec) + sizeof(rec->vqs[0]));

	assert_non_null(rec);
	assert_int_equal(rte_vhost_state_suspend("test_blk", 0, NULL), 0);
	rec->st = rte_vhost_state_capture("test_blk", NULL);
	assert_non_null(rec->st);
	return rec;
}

static void
state_file_has_requests_only_until_one_returns(void **state)
{
	struct vstate_conf conf = slow_conf(10000000), fast = disk_conf();
	struct vstate_ring_setup ring = { .base_fresh = true, .avail = { 9, 1 } };
	const char *why;
	uint16_t ids[NB];
	struct disk d;
	int way;

	for (way = 0; way < 4; way++) {
		const bool packed = way & 1, used = way & 2;
		struct vstate_recovery *rec;

		disk_open(&d, "test_blk", &conf, packed);
		requests_begin(&d, ids);
		rec = recovery_make(&d);
		disk_device_close(&d);
		disk_device_open(&d, "test_blk", &fast);
		disk_start(&d, (struct vstate_pos){ 0, packed });
		d.dev->handover->recovery = rec;
		if (used && packed) {
			rec->vqs[0].valid = true;
			rec->vqs[0].head.packed.pos = vstate_inflight_head_word(
					(struct vstate_pos){ 3, 1 }, (struct vstate_pos){ 3, 1 });
		} else if (used) {
			guest_write(&d.ring.guest, RING_DEVICE_GPA + 2, &(uint16_t){ 1 }, 2);
		}
		assert_int_equal(vstate_recover_keeper.apply(d.dev, d.vq, &ring, &why),
				used ? VSTATE_KEEPER_REFUSED : VSTATE_KEEPER_APPLIED);
		assert_int_equal(d.vq->fault, used ? VSTATE_FAULT_REQUESTS_UNKNOWN :
				VSTATE_FAULT_NONE);
		if (!used)
			requests_check(&d, ids);
		disk_close(&d);
	}
}

/* ---- killed ---- */

struct crash {
	struct disk d;
	uint16_t ids[NB];
	/* the queue and its marks as the child has them */
	struct vstate_blk_vq *of_child;
	struct vstate_request *reqs[NB];
	uint8_t desc[16 * DISK_RING], device[6 + 8 * DISK_RING], region[4096];
	uint8_t seen_desc[16 * DISK_RING], seen_device[6 + 8 * DISK_RING], seen_region[4096];
	unsigned int seen;
};

/* Requests that were taken before; these of them are used first. */
#define TAKEN (NB - 2)
static const uint8_t used_first[] = { 5, 2, 0 };

static void
burst_run(void *arg)
{
	struct crash *c = arg;
	struct vstate_vq *vq = c->d.vq;
	unsigned int i;

	for (i = 0; i < RTE_DIM(used_first); i++)
		vstate_request_push(vq, c->reqs[used_first[i]], 1);
	vstate_request_publish(vq);
	/* the last two are taken, and used with one of the others */
	vstate_request_pop(vq, c->reqs[TAKEN]);
	vstate_request_pop(vq, c->reqs[TAKEN + 1]);
	vstate_request_push(vq, c->reqs[TAKEN + 1], 1);
	vstate_request_push(vq, c->reqs[3], 1);
	vstate_request_publish(vq);
}

static size_t
device_len(const struct crash *c)
{
	return c->d.packed ? 4 : 6 + 8 * DISK_RING;
}

/* What is there if the child is killed now; true if it differs from what was there before. */
static bool
child_read(struct crash *c, pid_t pid)
{
	struct ring *r = &c->d.ring;
	bool same;

	assert_true(step_read(pid, c->desc, guest_at(&r->guest, RING_DESC_GPA), sizeof(c->desc)));
	assert_true(step_read(pid, c->device, guest_at(&r->guest, RING_DEVICE_GPA), device_len(c)));
	memcpy(c->region, c->d.region, c->d.g.mmap_size); /* shared */
	same = c->seen != 0 && memcmp(c->desc, c->seen_desc, sizeof(c->desc)) == 0 &&
		memcmp(c->device, c->seen_device, device_len(c)) == 0 &&
		memcmp(c->region, c->seen_region, c->d.g.mmap_size) == 0;
	memcpy(c->seen_desc, c->desc, sizeof(c->desc));
	memcpy(c->seen_device, c->device, device_len(c));
	memcpy(c->seen_region, c->region, c->d.g.mmap_size);
	return !same;
}

/* Use what is left one by one, backwards: another order than that of the killed process. */
static unsigned int
rest_serve(struct crash *c, bool *seen)
{
	struct vstate_request *reqs[NB + 2];
	struct disk *d = &c->d;
	unsigned int n = 0, i, got = 0;
	uint32_t len;
	uint16_t id;

	for (; n < RTE_DIM(reqs); n++) {
		reqs[n] = malloc(sizeof(*reqs[n]) + 8 * sizeof(struct iovec));
		assert_non_null(reqs[n]);
		reqs[n]->max_pieces = 8;
		reqs[n]->pieces = (struct iovec *)(reqs[n] + 1);
		if (vstate_request_pop(d->vq, reqs[n]) != 0)
			break;
	}
	for (i = 0; i <= n && n < RTE_DIM(reqs); i++) {
		if (i < n) {
			vstate_request_push(d->vq, reqs[n - 1 - i], 1);
			vstate_request_publish(d->vq);
		}
		while (ring_get_used(&d->ring, &id, &len)) {
			assert_true(id < DISK_RING);
			assert_false(seen[id]);
			seen[id] = true;
			got++;
		}
	}
	for (i = 0; i <= n && i < RTE_DIM(reqs); i++)
		free(reqs[i]);
	return got;
}

static void
region_recover(void *arg, pid_t pid)
{
	struct crash *c = arg;
	struct disk *d = &c->d;
	const struct vstate_pos next = d->ring.next, used = d->ring.used;
	struct vstate_ring_setup ring = { .base_fresh = true, .avail = { 0, d->packed } };
	bool seen[DISK_RING] = { 0 }, busy[DISK_RING];
	unsigned int nb_seen = 0, i;
	const char *why;
	uint32_t len;
	uint16_t id;

	if (!child_read(c, pid))
		return;
	c->seen++;
	*c->of_child = *d->q;
	memcpy(busy, d->ring.busy, sizeof(busy));
	d->vq->inflight = d->vq->inflight_own = NULL;
	d->vq->marks = NULL;
	assert_int_equal(vstate_marks_setup(d->vq), 0);
	memcpy(guest_at(&d->ring.guest, RING_DESC_GPA), c->desc, sizeof(c->desc));
	memcpy(guest_at(&d->ring.guest, RING_DEVICE_GPA), c->device, device_len(c));
	d->vq->used = d->vq->avail = (struct vstate_pos){ 1, d->packed };
	d->vq->nb_shadow = 0;
	d->vq->nb_steps = 0;
	/* what the driver saw before the kill */
	while (ring_get_used(&d->ring, &id, &len)) {
		seen[id] = true;
		nb_seen++;
	}
	assert_int_equal(vstate_inflight_shm_keeper.apply(d->dev, d->vq, &ring, &why),
			VSTATE_KEEPER_APPLIED);
	nb_seen += rest_serve(c, seen);
	assert_int_equal(d->vq->fault, VSTATE_FAULT_NONE);
	assert_int_equal(nb_seen, NB);
	for (i = 0; i < NB; i++)
		assert_true(seen[c->ids[i]]);
	assert_int_equal(marks_count(d), 0);
	assert_int_equal(vstate_inflight_count(d->vq), 0);
	assert_true(vstate_pos_same(d->vq->avail, d->vq->used));
	/* the child resumes where it was */
	vstate_inflight_drop(d->vq);
	vstate_marks_free(d->vq);
	*d->q = *c->of_child;
	memcpy(d->region, c->region, d->g.mmap_size);
	memcpy(d->ring.busy, busy, sizeof(busy));
	d->ring.next = next;
	d->ring.used = used;
}

static void
requests_outlive_a_kill_at_every_instruction(void **state)
{
	struct vstate_conf conf = disk_conf();
	static struct crash c;
	unsigned int i;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		memset(&c, 0, sizeof(c));
		disk_open(&c.d, "test_blk", &conf, packed);
		/* near the end of the ring, so that it wraps */
		ring_seek(&c.d.ring, packed ? DISK_RING - 7 : 65533, 1);
		disk_region_open(&c.d);
		disk_start(&c.d, (struct vstate_pos){ packed ? DISK_RING - 7 : 65533, packed });
		for (i = 0; i < NB; i++) {
			disk_data_fill(&c.d, i, LEN, i);
			c.ids[i] = disk_add(&c.d, i, OUT, i, LEN, false);
		}
		for (i = 0; i < NB; i++) {
			c.reqs[i] = malloc(sizeof(*c.reqs[i]) + 8 * sizeof(struct iovec));
			assert_non_null(c.reqs[i]);
			c.reqs[i]->max_pieces = 8;
			c.reqs[i]->pieces = (struct iovec *)(c.reqs[i] + 1);
			if (i < TAKEN)
				assert_int_equal(vstate_request_pop(c.d.vq, c.reqs[i]), 0);
		}
		assert_int_equal(marks_count(&c.d), TAKEN);
		c.of_child = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*c.of_child));
		assert_non_null(c.of_child);
		step_through(burst_run, region_recover, &c);
		assert_true(c.seen >= 10);
		free(c.of_child);
		for (i = 0; i < NB; i++)
			free(c.reqs[i]);
		disk_close(&c.d);
	}
}

/* ---- regions that do not fit ---- */

static void
wild_regions_are_survived(void **state)
{
	struct vstate_conf conf = disk_conf();
	struct vstate_ring_setup ring = { .base_fresh = true };
	unsigned int round, i, used = 0;
	uint16_t ids[NB];
	const char *why;
	struct disk d;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		disk_open(&d, "test_blk", &conf, packed);
		disk_region_open(&d);
		disk_start(&d, d.vq->avail);
		for (i = 0; i < NB; i++)
			ids[i] = disk_add(&d, i, OUT, i, LEN, false);
		RTE_SET_USED(ids);
		srand(packed + 1);
		for (round = 0; round < 20000; round++) {
			for (i = 0; i < 1u + round % 7; i++)
				d.region[(unsigned int)rand() % d.g.mmap_size] =
					rand() % 4 == 0 ? rand() : rand() % 8;
			/* nearly right, for the most part */
			d.region[8] = 1;
			d.region[9] = 0;
			if (round % 8 != 0) {
				d.region[10] = DISK_RING;
				d.region[11] = 0;
			}
			d.vq->used = d.vq->avail = (struct vstate_pos){ 0, packed };
			d.vq->nb_shadow = 0;
			d.vq->fault = VSTATE_FAULT_NONE;
			used += vstate_inflight_shm_keeper.apply(d.dev, d.vq, &ring, &why) ==
				VSTATE_KEEPER_APPLIED;
			assert_true(!packed || (d.vq->used.idx < DISK_RING &&
					d.vq->avail.idx < DISK_RING));
			assert_true(vstate_inflight_count(d.vq) <= DISK_RING);
			if (round % 16 == 0)
				vstate_blk_poll(d.dev);
		}
		assert_true(used > 100);
		disk_close(&d);
	}
}

int
test_vstate_blk_stop(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(front_end_that_takes_rings_back_finds_all_complete),
		cmocka_unit_test(front_end_that_carries_requests_finds_them_marked),
		cmocka_unit_test(process_that_handed_over_completes_nothing),
		cmocka_unit_test(state_carries_requests),
		cmocka_unit_test(suspended_disk_resumes_its_requests),
		cmocka_unit_test(requests_outlive_another_memory_table),
		cmocka_unit_test(region_of_split_rings_is_not_used_by_packed_ones),
		cmocka_unit_test(stop_that_takes_too_long_is_an_error),
		cmocka_unit_test(late_cancellation_loses_no_request),
		cmocka_unit_test(stop_waits_for_the_file),
		cmocka_unit_test(file_is_not_locked_after_a_stop),
		cmocka_unit_test(other_disks_are_refused),
		cmocka_unit_test(state_file_has_requests_only_until_one_returns),
		cmocka_unit_test(requests_outlive_a_kill_at_every_instruction),
		cmocka_unit_test(wild_regions_are_survived),
	};

	return cmocka_run_group_tests_name("vstate_blk_stop", tests, NULL, NULL);
}

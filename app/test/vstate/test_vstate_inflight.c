/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Buffers that another device had in flight, and the region in which a front end keeps them:
 * finished first, in their order, exactly once, whenever the process is killed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_device.h"
#include "ut_fail.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "ut_step.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_state.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_inflight_shm.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_pos.h"
#include "ring/vstate_vq.h"

#define SIZE 16
#define FRAME 100
#define LISTED 4
#define REGION_MAX 4096

/* A device of one pair whose queues name one ring, with a region of the front end's. */
struct bench {
	struct ring ring;
	struct vstate_dev *dev;
	struct vstate_net_vq *nq;
	struct vstate_vq *vq;
	struct vstate_setup setup;
	struct vstate_inflight_shm_geometry g;
	/** The region as the front end sees it, all queues. */
	uint8_t *region;
	/** Buffers made available, in order: the first LISTED are in flight. */
	uint16_t ids[SIZE], nb;
	bool packed, put;
};

static void
region_open(struct bench *b)
{
	int fd;

	b->g = (struct vstate_inflight_shm_geometry){ .num_queues = 2, .queue_size = SIZE };
	fd = vstate_inflight_shm_make(b->dev, &b->g, b->packed);
	assert_true(fd >= 0);
	assert_true(b->g.mmap_size <= REGION_MAX);
	b->region = mmap(NULL, b->g.mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(b->region != MAP_FAILED);
	assert_int_equal(vstate_inflight_shm_set(b->dev, &b->g, fd, b->packed), 0);
	close(fd);
}

static void
base_set(struct bench *b, struct vstate_pos pos)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		b->setup.rings[i].base_fresh = true;
		b->setup.rings[i].avail = b->setup.rings[i].used = pos;
	}
}

static void
bench_open(struct bench *b, bool packed, bool put, struct vstate_pos start)
{
	struct vstate_conf conf = ut_conf(1, 9000);

	memset(b, 0, sizeof(*b));
	b->packed = packed;
	b->put = put;
	ring_open(&b->ring, packed, SIZE);
	ring_seek(&b->ring, start.idx, start.wrap);
	memset(guest_at(&b->ring.guest, RING_BUF_GPA), 0, RING_BUF_SIZE);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->dev = ut_device_make("test_inflight", &conf);
	assert_non_null(b->dev);
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	vstate_start_connect(b->dev);
	b->setup.features = RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) |
		(packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0);
	vstate_start_negotiate(b->dev, b->setup.features, false);
	b->setup.mem = b->ring.guest.mem;
	/* queue 1 is in the ring; queue 0 stays away */
	ring_describe(&b->ring, &b->setup.rings[1]);
	b->setup.rings[1].ready = true;
	base_set(b, start);
	b->vq = b->dev->vqs[1];
	b->nq = vstate_net_vq_of(b->vq);
}

static void
bench_close(struct bench *b)
{
	vstate_start_disconnect(b->dev, false);
	ut_device_unmake(b->dev);
	vstate_watch_put();
	if (b->region != NULL)
		munmap(b->region, b->g.mmap_size);
	ring_close(&b->ring);
}

#define BUFFERS 10

/* Some of several descriptors. */
static void
buffers_add(struct bench *b, uint16_t nb)
{
	static const uint16_t lens[BUFFERS] = { 1, 2, 1, 1, 1, 3, 1, 1, 1, 1 };

	b->nb = nb;
	ring_add_buffers(&b->ring, lens, b->nb, b->put, b->ids);
}

static struct rte_vhost_state_desc
desc_of(const struct bench *b, uint16_t at)
{
	struct rte_vhost_state_desc d;
	uint64_t gpa = RING_DESC_GPA + 16ull * at;

	guest_read(&b->ring.guest, gpa, &d.addr, 8);
	guest_read(&b->ring.guest, gpa + 8, &d.len, 4);
	guest_read(&b->ring.guest, gpa + 12, &d.id, 2);
	guest_read(&b->ring.guest, gpa + 14, &d.flags, 2);
	d.flags &= VRING_DESC_F_NEXT | VRING_DESC_F_WRITE;
	return d;
}

/* The state of a device that took the first LISTED buffers and was stopped. */
static struct rte_vhost_state *
state_make(struct bench *b, struct vstate_pos start)
{
	struct rte_vhost_state *st = vstate_state_collect(b->dev);
	struct rte_vhost_state_vq *sv;
	uint16_t i, k, at = start.idx;

	assert_non_null(st);
	sv = &st->vqs[1];
	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, 1, LISTED), 0);
	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, 1, b->packed ? 5 : 0), 0);
	for (i = 0; i < LISTED; i++) {
		const uint16_t num = b->packed ? b->ring.num_of[b->ids[i]] : 1;

		sv->inflight[i] = (struct rte_vhost_state_inflight){ .id = b->ids[i],
			.head = b->packed ? at : b->ids[i], .num = num, .counter = 7 + 2 * i };
		for (k = 0; b->packed && k < num; k++, at = (at + 1) % SIZE) {
			sv->inflight_descs[(SIZE + at - start.idx) % SIZE] = desc_of(b, at);
			/* a device that uses out of order writes here */
			memset(guest_at(&b->ring.guest, RING_DESC_GPA + 16ull * at), 0x5a, 12);
		}
	}
	sv->used_idx = start.idx;
	sv->used_wrap = start.wrap;
	sv->avail_idx = b->packed ? at : start.idx + LISTED;
	sv->avail_wrap = b->packed ? start.wrap ^ (at < start.idx) : 0;
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	return st;
}

/* A front end brings the state, and hands over a region. */
static void
device_arrive_with(struct bench *b, uint16_t nb, bool packed, bool put, bool region,
		struct vstate_pos start)
{
	struct rte_vhost_state *st;

	bench_open(b, packed, put, start);
	buffers_add(b, nb);
	vstate_start(b->dev, &b->setup);
	st = state_make(b, start);
	vstate_start_disconnect(b->dev, false);
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, b->setup.features, false);
	if (region)
		region_open(b);
	assert_int_equal(vstate_state_load(b->dev, st, NULL), 0);
	rte_vhost_state_free(st);
	vstate_start(b->dev, &b->setup);
	assert_int_equal(vstate_inflight_count(b->vq), LISTED);
}

static void
device_arrive(struct bench *b, bool packed, bool put, bool region, struct vstate_pos start)
{
	device_arrive_with(b, BUFFERS, packed, put, region, start);
}

/* Used buffers from number @p done on, in order; @return how many. */
static uint16_t
used_in_order(struct bench *b, uint16_t done, bool *empty)
{
	uint32_t len[SIZE];
	uint16_t i, n = ring_get_used_in_order(&b->ring, b->ids + done, b->nb - done, len);

	*empty = false;
	for (i = 0; i < n; i++) {
		*empty |= b->put && len[i] == 0;
		if (!b->put)
			assert_int_equal(len[i], 0);
	}
	return n;
}

static uint16_t
frames_pass(struct bench *b, uint16_t n)
{
	struct rte_mbuf *pkts[SIZE];
	uint16_t i, got;

	if (!b->put) {
		got = b->nq->ops->take(b->nq, b->ring.pool, pkts, n);
		b->nq->ops->give(b->nq, got);
		rte_pktmbuf_free_bulk(pkts, got);
		return got;
	}
	assert_int_equal(rte_pktmbuf_alloc_bulk(b->ring.pool, pkts, n), 0);
	for (i = 0; i < n; i++)
		memset(rte_pktmbuf_append(pkts[i], FRAME), 0, FRAME);
	got = vq_put(b->nq, pkts, n);
	rte_pktmbuf_free_bulk(pkts, n);
	return got;
}

static void
buffers_in_flight_are_finished_first_and_from_copies(void **state)
{
	static const struct vstate_pos starts[2] = { { 65533, 0 }, { 13, 1 } };
	struct bench b;
	bool empty;
	int way;

	for (way = 0; way < 4; way++) {
		device_arrive(&b, way & 1, way & 2, false, starts[way & 1]);
		assert_int_equal(b.nq->ops->count(b.nq, 3), 3);
		assert_false(vstate_vq_is_empty(b.vq));
		/* one, then the rest of them with some of the ring, then the others */
		assert_int_equal(frames_pass(&b, 1), 1);
		assert_int_equal(vstate_inflight_count(b.vq), LISTED - 1);
		assert_int_equal(frames_pass(&b, 5), 5);
		assert_null(b.vq->inflight);
		assert_int_equal(b.vq->avail.idx, b.vq->used.idx);
		assert_int_equal(frames_pass(&b, SIZE), b.nb - 6);
		assert_int_equal(used_in_order(&b, 0, &empty), b.nb);
		assert_false(empty);
		assert_int_equal(b.vq->fault, VSTATE_FAULT_NONE);
		bench_close(&b);
	}
}

static void
buffers_in_flight_are_seen_where_the_ring_has_no_others(void **state)
{
	static const struct vstate_pos starts[2] = { { 65533, 0 }, { 13, 1 } };
	struct bench b;
	bool empty;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		device_arrive_with(&b, LISTED, packed, false, false, starts[packed]);
		assert_false(vstate_vq_is_empty(b.vq));
		assert_int_equal(frames_pass(&b, 1), 1);
		assert_false(vstate_vq_is_empty(b.vq));
		assert_int_equal(frames_pass(&b, SIZE), LISTED - 1);
		assert_true(vstate_vq_is_empty(b.vq));
		assert_int_equal(used_in_order(&b, 0, &empty), LISTED);
		bench_close(&b);
	}
}

static void
ring_beside_buffers_in_flight_is_no_longer_than_it_is(void **state)
{
	static const struct vstate_pos starts[2] = { { 65533, 0 }, { 13, 1 } };
	struct bench b;
	uint16_t idx;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		device_arrive(&b, packed, false, false, starts[packed]);
		idx = b.vq->avail.idx + SIZE - LISTED + 1;
		/* 13 descriptors are in the ring already, 5 of them in flight */
		if (packed)
			ring_add_buffers(&b.ring, (const uint16_t[]){ 1, 1, 1, 1, 1 }, 5, false,
					b.ids);
		else
			guest_write(&b.ring.guest, RING_DRIVER_GPA + 2, &idx, 2);
		assert_int_equal(frames_pass(&b, SIZE), packed ? BUFFERS + 3 : LISTED);
		assert_int_equal(b.vq->fault, packed ? VSTATE_FAULT_NONE :
				VSTATE_FAULT_AVAIL_DISTANCE);
		assert_true(!packed || (b.vq->used.idx == starts[1].idx && b.vq->used.wrap == 0));
		bench_close(&b);
	}
}

/* The front end does not say where the ring begins, or says what it was. */
static void
buffers_in_flight_belong_to_one_ring(void **state)
{
	static const struct vstate_pos starts[2] = { { 3, 0 }, { 2, 1 } };
	struct vstate_ring_setup *ring;
	struct bench b;
	int way;

	for (way = 0; way < 8; way++) {
		device_arrive(&b, way & 1, false, false, starts[way & 1]);
		ring = &b.setup.rings[1];
		ring->base_fresh = way & 2;
		ring->avail = ring->used = b.vq->avail;
		if (way & 4)
			ring->size = SIZE / 2;
		else
			b.setup.features ^= RTE_BIT64(VIRTIO_F_RING_PACKED);
		vstate_start_end(b.dev, false);
		vstate_start_negotiate(b.dev, b.setup.features, false);
		vstate_start(b.dev, &b.setup);
		/* a split ring's areas are larger: there it has no ring at all */
		assert_int_equal(vstate_run_vq_is_ready(b.vq), way != 1 && way != 3);
		if (vstate_run_vq_is_ready(b.vq)) {
			assert_int_equal(vstate_inflight_count(b.vq), 0);
			assert_int_equal(b.vq->avail.idx, b.vq->used.idx);
			assert_int_equal(b.vq->avail.wrap, b.vq->used.wrap);
		}
		bench_close(&b);
	}
}

static void
frames_that_are_not_given_back_stay_in_flight(void **state)
{
	static const struct vstate_pos starts[2] = { { 3, 0 }, { 14, 0 } };
	struct rte_mbuf *pkts[SIZE];
	struct bench b;
	bool empty;
	int packed, n;

	for (packed = 0; packed < 2; packed++) {
		device_arrive(&b, packed, false, false, starts[packed]);
		for (n = 0; n < 3; n++) {
			assert_int_equal(b.nq->ops->take(b.nq, b.ring.pool, pkts, 6), 6);
			b.nq->ops->give(b.nq, n);
			rte_pktmbuf_free_bulk(pkts, 6);
		}
		assert_int_equal(vstate_inflight_count(b.vq), LISTED - 3);
		assert_int_equal(frames_pass(&b, SIZE), b.nb - 3);
		assert_int_equal(used_in_order(&b, 0, &empty), b.nb);
		bench_close(&b);
	}
}

static bool
mark_is_set(const struct bench *b, uint16_t i)
{
	const uint8_t *r = b->region + b->g.mmap_size / 2;

	return r[b->packed ? 32 + 32 * i : 16 + 16 * i] == 1;
}

static unsigned int
marks_count(const struct bench *b)
{
	unsigned int i, n = 0;

	for (i = 0; i < SIZE; i++)
		n += mark_is_set(b, i);
	return n;
}

static void
stop_with_some_left_keeps_them(void **state)
{
	static const struct vstate_pos starts[2] = { { 3, 0 }, { 14, 0 } };
	struct rte_vhost_state *st;
	struct bench b;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		device_arrive(&b, packed, true, true, starts[packed]);
		assert_int_equal(marks_count(&b), LISTED);
		frames_pass(&b, 1);
		assert_int_equal(marks_count(&b), LISTED - 1);
		assert_int_equal(rte_vhost_state_suspend("test_inflight", 0, NULL), 0);
		st = rte_vhost_state_capture("test_inflight", NULL);
		assert_non_null(st);
		assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
		assert_int_equal(st->vqs[1].nb_inflight, LISTED - 1);
		assert_int_equal(st->vqs[1].inflight[0].id, b.ids[1]);
		assert_int_equal(st->vqs[1].inflight[0].counter, 9);
		rte_vhost_state_free(st);
		/* taken back, and given again at the available position */
		vstate_start_end(b.dev, false);
		base_set(&b, b.vq->avail);
		vstate_start(b.dev, &b.setup);
		assert_int_equal(vstate_inflight_count(b.vq), LISTED - 1);
		bench_close(&b);
	}
}

/* ---- killed ---- */

struct crash {
	struct bench b;
	/** The queue as the child has it: EAL's memory is shared with a child. */
	struct vstate_vq *of_child;
	struct rte_mbuf *pkts[3];
	/** The burst uses buffers in flight only, and not all of them. */
	bool listed_only;
	uint8_t desc[16 * SIZE], device[6 + 8 * SIZE], region[REGION_MAX];
	uint8_t seen_desc[16 * SIZE], seen_device[6 + 8 * SIZE], seen_region[REGION_MAX];
	unsigned int seen, emptied;
};

static size_t
device_len(const struct crash *c)
{
	return c->b.packed ? 4 : 6 + 8 * SIZE;
}

static void
burst_run(void *arg)
{
	struct crash *c = arg;
	struct vstate_vq *vq = c->b.vq;

	if (c->b.put)
		vq_put(vstate_net_vq_of(vq), c->pkts, 3);
	else
		c->b.nq->ops->give(c->b.nq, c->listed_only ? 3 : 6);
}

/* What is there if the child is killed now; true if it differs from what was there before. */
static bool
child_read(struct crash *c, pid_t pid)
{
	struct ring *r = &c->b.ring;
	bool same;

	assert_true(step_read(pid, c->desc, guest_at(&r->guest, RING_DESC_GPA), sizeof(c->desc)));
	assert_true(step_read(pid, c->device, guest_at(&r->guest, RING_DEVICE_GPA), device_len(c)));
	memcpy(c->region, c->b.region, c->b.g.mmap_size); /* shared */
	same = c->seen != 0 && memcmp(c->desc, c->seen_desc, sizeof(c->desc)) == 0 &&
		memcmp(c->device, c->seen_device, device_len(c)) == 0 &&
		memcmp(c->region, c->seen_region, c->b.g.mmap_size) == 0;
	memcpy(c->seen_desc, c->desc, sizeof(c->desc));
	memcpy(c->seen_device, c->device, device_len(c));
	memcpy(c->seen_region, c->region, c->b.g.mmap_size);
	return !same;
}

/* A new process gets the region of the front end, which knows no base. */
static void
region_recover(void *arg, pid_t pid)
{
	struct crash *c = arg;
	struct bench *b = &c->b;
	const struct vstate_pos next = b->ring.next, used = b->ring.used;
	struct vstate_ring_setup ring = { .base_fresh = true, .avail = { 0, b->packed } };
	uint8_t log[RING_LOG_SIZE] = { 0 };
	uint16_t nb_used, nb_more;
	const char *why;
	bool empty, none;

	if (!child_read(c, pid))
		return;
	c->seen++;
	*c->of_child = *b->vq;
	b->vq->inflight = b->vq->inflight_own = NULL;
	memcpy(guest_at(&b->ring.guest, RING_DESC_GPA), c->desc, sizeof(c->desc));
	memcpy(guest_at(&b->ring.guest, RING_DEVICE_GPA), c->device, device_len(c));
	b->vq->used = b->vq->avail = (struct vstate_pos){ 1, b->packed };
	b->vq->nb_shadow = 0;
	/* what is settled or undone is in the log of a guest that migrates */
	b->vq->dirty.base = log;
	b->vq->dirty.size = sizeof(log);
	guest_snapshot(&b->ring.guest);
	assert_int_equal(vstate_inflight_shm_keeper.apply(b->dev, b->vq, &ring, &why),
			VSTATE_KEEPER_APPLIED);
	guest_assert_logged(&b->ring.guest, log, sizeof(log));
	b->vq->dirty.base = NULL;
	nb_used = used_in_order(b, 0, &empty);
	c->emptied += empty;
	nb_more = 0;
	while (nb_used + nb_more < b->nb) {
		assert_int_equal(frames_pass(b, 1), 1);
		/* one alone: what the killed process wrote behind it must not show now */
		assert_int_equal(used_in_order(b, nb_used + nb_more, &none), 1);
		assert_false(none);
		nb_more++;
	}
	assert_int_equal(b->vq->fault, VSTATE_FAULT_NONE);
	assert_null(b->vq->inflight);
	assert_int_equal(marks_count(b), 0);
	/* the child resumes where it was */
	vstate_inflight_drop(b->vq);
	*b->vq = *c->of_child;
	memcpy(b->region, c->region, b->g.mmap_size);
	b->ring.next = next;
	b->ring.used = used;
}

static void
region_outlives_a_kill_at_every_instruction(void **state)
{
	static const struct vstate_pos starts[2] = { { 65533, 0 }, { 13, 1 } };
	struct rte_mbuf *taken[6];
	struct crash c;
	int way, i;

	for (way = 0; way < 8; way++) {
		memset(&c, 0, sizeof(c));
		c.listed_only = way & 4;
		device_arrive(&c.b, way & 1, way & 2, true, starts[way & 1]);
		/* one frame each, and one that takes buffers in flight and of the ring */
		for (i = 0; i < 3; i++) {
			const uint16_t len = i < 2 || c.listed_only ? FRAME : 0;

			c.pkts[i] = rte_pktmbuf_alloc(c.b.ring.pool);
			assert_non_null(c.pkts[i]);
			memset(rte_pktmbuf_append(c.pkts[i], len), 0, len);
		}
		for (i = 0; i < 4 && !c.listed_only; i++) {
			struct rte_mbuf *m = rte_pktmbuf_alloc(c.b.ring.pool);

			assert_non_null(m);
			memset(rte_pktmbuf_append(m, 180), 0, 180);
			rte_pktmbuf_chain(c.pkts[2], m);
		}
		if (!c.b.put)
			assert_int_equal(c.b.nq->ops->take(c.b.nq, c.b.ring.pool, taken, 6), 6);
		c.of_child = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*c.of_child));
		assert_non_null(c.of_child);
		step_through(burst_run, region_recover, &c);
		free(c.of_child);
		assert_true(c.seen >= 10);
		/* only of a frame that mixes both, lengths can be lost */
		assert_true((c.b.packed && !c.listed_only) || c.emptied == 0);
		if (!c.b.put)
			rte_pktmbuf_free_bulk(taken, 6);
		rte_pktmbuf_free_bulk(c.pkts, 3);
		bench_close(&c.b);
	}
}

/* ---- regions that do not fit ---- */

static void
wild_regions_are_survived(void **state)
{
	const char *why;
	struct vstate_ring_setup ring = { .base_fresh = true };
	unsigned int round, i, used = 0;
	struct bench b;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		device_arrive(&b, packed, false, true, (struct vstate_pos){ 5, packed });
		vstate_start_end(b.dev, false);
		srand(packed + 1);
		for (round = 0; round < 20000; round++) {
			uint8_t *r = b.region + b.g.mmap_size / 2;

			for (i = 0; i < 1u + round % 7; i++)
				r[(unsigned int)rand() % (b.g.mmap_size / 2)] =
					rand() % 4 == 0 ? rand() : rand() % 8;
			/* nearly right, for the most part */
			r[8] = 1;
			r[9] = 0;
			if (round % 8 != 0) {
				r[10] = SIZE;
				r[11] = 0;
			}
			b.vq->used = b.vq->avail = (struct vstate_pos){ 0, packed };
			b.vq->nb_shadow = 0;
			b.vq->fault = VSTATE_FAULT_NONE;
			used += vstate_inflight_shm_keeper.apply(b.dev, b.vq, &ring, &why) ==
				VSTATE_KEEPER_APPLIED;
			assert_true(!packed || (b.vq->used.idx < SIZE && b.vq->avail.idx < SIZE));
			assert_true(vstate_inflight_count(b.vq) <= SIZE);
			if (round % 16 == 0)
				frames_pass(&b, 4);
		}
		assert_true(used > 100);
		bench_close(&b);
	}
}

/* Found by the fuzzer of recoveries: such a region gave a state that no one accepts. */
static void
table_in_a_chain_of_a_region_is_refused(void **state)
{
	const struct vstate_pos start = { 5, 1 };
	const struct vstate_ring_setup ring = { .base_fresh = true };
	struct vstate_inflight_packed_desc *entry;
	struct vstate_inflight_packed *r;
	const char *why = NULL;
	struct bench b;
	uint16_t num;

	RTE_SET_USED(state);
	device_arrive(&b, true, false, true, start);
	vstate_start_end(b.dev, false);
	for (num = 1; num <= 2; num++) {
		r = (void *)(b.region + b.g.mmap_size / 2);
		memset(r, 0, b.g.mmap_size / 2);
		r->version = 1;
		r->desc_num = SIZE;
		r->pos = vstate_inflight_head_word(start, start);
		/* no entry is free, so that the marks stay */
		r->free_head = r->old_free_head = SIZE;
		entry = vstate_inflight_packed_descs(r);
		entry[3] = (struct vstate_inflight_packed_desc){ .inflight = 1, .num = num,
			.next = 4, .last = 3 + num - 1, .addr = RING_BUF_GPA, .len = 16,
			.flags = VRING_DESC_F_INDIRECT };
		assert_int_equal(vstate_inflight_shm_keeper.apply(b.dev, b.vq, &ring, &why),
				num == 1 ? VSTATE_KEEPER_APPLIED : VSTATE_KEEPER_REFUSED);
		/* refused: the queue is unchanged */
		assert_int_equal(vstate_inflight_count(b.vq), 1);
	}
	assert_string_equal(why, "its entries are not valid, or no memory");
	bench_close(&b);
}

static void
geometry_out_of_bounds_is_refused(void **state)
{
	static const struct vstate_inflight_shm_geometry bad_get[] = {
		{ 0, 0, 0, SIZE }, { 0, 0, 3, SIZE }, { 0, 0, UINT16_MAX, UINT16_MAX },
		{ 0, 0, 2, 0 }, { 0, 0, 2, 32769 },
	};
	struct vstate_inflight_shm_geometry g;
	struct bench b;
	size_t i;
	int fd;

	bench_open(&b, false, false, (struct vstate_pos){ 0, 0 });
	for (i = 0; i < RTE_DIM(bad_get); i++) {
		g = bad_get[i];
		assert_int_equal(vstate_inflight_shm_make(b.dev, &g, false), -EINVAL);
	}
	g = (struct vstate_inflight_shm_geometry){ 0, 0, 2, SIZE };
	fd = vstate_inflight_shm_make(b.dev, &g, false);
	assert_true(fd >= 0);
	/* nobody can pull it from under a poll thread */
	assert_int_not_equal(ftruncate(fd, 0), 0);
	{
		const struct vstate_inflight_shm_geometry bad_set[] = {
			{ g.mmap_size, 0, 3, SIZE }, { g.mmap_size, 0, 2, 4 * SIZE },
			{ g.mmap_size - 1, 0, 2, SIZE }, { g.mmap_size + 1, 0, 2, SIZE },
			{ g.mmap_size, 4096, 2, SIZE }, { g.mmap_size, 1, 2, SIZE },
			{ g.mmap_size, UINT64_MAX - 4095, 2, SIZE }, { UINT64_MAX, 0, 2, SIZE },
			{ UINT64_MAX, UINT64_MAX, 2, SIZE }, { 0, 0, 2, SIZE },
		};

		for (i = 0; i < RTE_DIM(bad_set); i++)
			assert_int_equal(vstate_inflight_shm_set(b.dev, &bad_set[i], fd, false),
					-EINVAL);
	}
	assert_null(b.dev->handover->inflight_shm);
	assert_int_equal(vstate_inflight_shm_set(b.dev, &g, fd, false), 0);
	/* one in place of another */
	assert_int_equal(vstate_inflight_shm_set(b.dev, &g, fd, false), 0);
	close(fd);
	bench_close(&b);
}

static void
list_without_memory_leaves_nothing(void **state)
{
	const unsigned int before = fail_call_allocated();
	struct vstate_inflight *list;
	const char *failed;
	unsigned int n = 0;

	RTE_SET_USED(state);
	do {
		fail_call_arm(++n);
		list = vstate_inflight_alloc(LISTED, 2 * LISTED, true);
		failed = fail_call_disarm();
		assert_true((list == NULL) == (failed != NULL));
		vstate_inflight_free(list);
		assert_int_equal(fail_call_allocated(), before);
	} while (failed != NULL);
	/* the list, its descriptors, their entries */
	assert_int_equal(n, 4);
}

int
test_vstate_inflight(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_in_flight_are_finished_first_and_from_copies),
		cmocka_unit_test(buffers_in_flight_are_seen_where_the_ring_has_no_others),
		cmocka_unit_test(ring_beside_buffers_in_flight_is_no_longer_than_it_is),
		cmocka_unit_test(buffers_in_flight_belong_to_one_ring),
		cmocka_unit_test(frames_that_are_not_given_back_stay_in_flight),
		cmocka_unit_test(stop_with_some_left_keeps_them),
		cmocka_unit_test(region_outlives_a_kill_at_every_instruction),
		cmocka_unit_test(wild_regions_are_survived),
		cmocka_unit_test(table_in_a_chain_of_a_region_is_refused),
		cmocka_unit_test(geometry_out_of_bounds_is_refused),
		cmocka_unit_test(list_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests_name("vstate_inflight", tests, NULL, NULL);
}

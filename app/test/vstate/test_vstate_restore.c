/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file What a restored state must fit, and what it does to the rings of a device. */

#include <errno.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_device.h"
#include "ut_fail.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_restore.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"

#define NAME "test_restore"
#define SIZE 256
#define NB_VQS 4
/** Position of the captured rings. */
#define IDX 40000
#define V1 RTE_BIT64(VIRTIO_F_VERSION_1)

/* A device with two queue pairs, whose queues use the same ring. */
struct bench {
	struct vstate_dev *dev;
	struct ring ring;
	struct vstate_setup setup;
	/** State of the four queues at IDX, and no buffers in flight. */
	struct rte_vhost_state *st;
};

/* Describe four ready rings with a base at @p idx. */
static void
rings_describe(struct bench *b, uint16_t idx)
{
	unsigned int i;

	b->setup.mem = b->ring.guest.mem;
	for (i = 0; i < NB_VQS; i++) {
		struct vstate_ring_setup *s = &b->setup.rings[i];

		ring_describe(&b->ring, s);
		s->ready = true;
		s->size = SIZE;
		s->base_fresh = s->callfd_fresh = true;
		s->callfd = b->ring.callfd;
		s->avail = s->used = (struct vstate_pos){ idx, 0 };
	}
}

/* The front end disconnects and connects again. */
static void
front_end_change(struct bench *b)
{
	vstate_start_disconnect(b->dev, false);
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, V1, false);
	b->setup.features = V1;
	rings_describe(b, 0);
}

static int
bench_open(void **state)
{
	static struct bench bench;
	struct vstate_conf conf = ut_conf(NB_VQS / 2, 1500);
	struct bench *b = &bench;

	memset(b, 0, sizeof(*b));
	ring_open(&b->ring, false, SIZE);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->dev = ut_device_make(NAME, &conf);
	assert_non_null(b->dev);
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	front_end_change(b);
	rings_describe(b, IDX);
	assert_int_equal(vstate_start(b->dev, &b->setup), 0);
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	b->st = rte_vhost_state_capture(NAME, NULL);
	assert_non_null(b->st);
	assert_int_equal(b->st->nb_vqs, NB_VQS);
	front_end_change(b);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	rte_vhost_state_free(b->st);
	vstate_start_disconnect(b->dev, false);
	ut_device_unmake(b->dev);
	vstate_watch_put();
	ring_close(&b->ring);
	return 0;
}

/* Two buffers of queue @p i are in flight. */
static void
inflight_add(struct rte_vhost_state *st, uint16_t i)
{
	struct rte_vhost_state_vq *sv = &st->vqs[i];
	uint16_t n;

	assert_int_equal(rte_vhost_state_vq_inflight_alloc(st, i, 2), 0);
	for (n = 0; n < 2; n++)
		sv->inflight[n] = (struct rte_vhost_state_inflight){ .head = 7 + n, .id = 7 + n,
			.num = 1, .counter = n };
	sv->used_idx = IDX - 2;
}

static bool
is_at(const struct bench *b, uint16_t qid, uint16_t avail, uint16_t used)
{
	return b->dev->vqs[qid]->avail.idx == avail && b->dev->vqs[qid]->used.idx == used;
}

static void
restore_check(const struct bench *b, enum rte_vhost_state_reason reason, int vq, uint64_t expected,
		uint64_t found)
{
	struct rte_vhost_state_error err = { 0 };

	assert_true(rte_vhost_state_restore(NAME, b->st, &err) < 0);
	assert_int_equal(err.reason, reason);
	assert_int_equal(err.vq, vq);
	assert_int_equal(err.expected, expected);
	assert_int_equal(err.found, found);
	assert_null(b->dev->resume_point.restored);
}

static void
state_of_another_size_than_announced_is_refused(void **state)
{
	struct bench *b = *state;
	uint16_t i;

	for (i = 0; i < NB_VQS; i++) {
		vstate_start_announce_size(b->dev, i, SIZE / 2);
		restore_check(b, RTE_VHOST_STATE_R_FIT_VQ_SIZE, i, SIZE / 2, SIZE);
		vstate_start_announce_size(b->dev, i, SIZE);
	}
	/* a ring that the driver never set up fits any */
	vstate_start_announce_size(b->dev, 3, SIZE / 2);
	memset(&b->st->vqs[3], 0, sizeof(b->st->vqs[3]));
	memset(&b->st->vqs[2], 0, sizeof(b->st->vqs[2]));
	assert_int_equal(rte_vhost_state_restore(NAME, b->st, NULL), 0);
}

static void
state_of_other_addresses_than_announced_is_refused(void **state)
{
	struct bench *b = *state;
	const struct rte_vhost_state_vq *sv;
	uint16_t i;

	for (i = 0; i < NB_VQS; i++) {
		sv = &b->st->vqs[i];
		vstate_start_announce_addr(b->dev, i, sv->desc_addr + 16, sv->driver_addr,
				sv->device_addr);
		restore_check(b, RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, i, sv->desc_addr + 16,
				sv->desc_addr);
		vstate_start_announce_addr(b->dev, i, sv->desc_addr, sv->driver_addr + 16,
				sv->device_addr);
		restore_check(b, RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, i, sv->driver_addr + 16,
				sv->driver_addr);
		vstate_start_announce_addr(b->dev, i, sv->desc_addr, sv->driver_addr,
				sv->device_addr - 16);
		restore_check(b, RTE_VHOST_STATE_R_FIT_VQ_ADDRESS, i, sv->device_addr - 16,
				sv->device_addr);
		vstate_start_announce_addr(b->dev, i, sv->desc_addr, sv->driver_addr,
				sv->device_addr);
	}
	assert_int_equal(rte_vhost_state_restore(NAME, b->st, NULL), 0);
}

/* The state and the front end's bases differ, in one ring only. The state is right. */
static void
state_has_priority_over_a_base(void **state)
{
	struct rte_vhost_state_error err = { 0 };
	struct bench *b = *state;
	uint16_t i;

	assert_int_equal(vstate_restore_set(b->dev, b->st, true, &err), 0);
	rings_describe(b, IDX);
	b->setup.rings[3].avail.idx = b->setup.rings[3].used.idx = 0;
	assert_int_equal(vstate_start(b->dev, &b->setup), 0);
	for (i = 0; i < NB_VQS; i++) {
		assert_true(is_at(b, i, IDX, IDX));
		assert_true(vstate_lease_is_granted(&b->dev->vqs[i]->lease));
	}
}

/*
 * A guest that was reset before it migrated sets up new rings. A state that was loaded before they
 * came describes none of them. A state that was restored afterwards does.
 */
static void
state_loaded_early_is_dropped_for_new_rings(void **state)
{
	struct rte_vhost_state_error err = { 0 };
	struct bench *b = *state;
	int early;

	for (early = 0; early <= 1; early++) {
		assert_int_equal(vstate_restore_set(b->dev, b->st, early, &err), 0);
		assert_int_equal(vstate_start(b->dev, &b->setup), 0);
		assert_true(early ? is_at(b, 0, 0, 0) : is_at(b, 0, IDX, IDX));
		assert_true(early ? is_at(b, 3, 0, 0) : is_at(b, 3, IDX, IDX));
		assert_true(vstate_lease_is_granted(&b->dev->vqs[0]->lease));
		front_end_change(b);
	}
}

/* Only what the state has of a queue, and no queue that it does not have. */
static void
state_of_fewer_queues_leaves_the_others_at_their_bases(void **state)
{
	struct rte_vhost_state *st;
	struct bench *b = *state;

	assert_int_equal(rte_vhost_state_restore(NAME, b->st, NULL), 0);
	st = b->dev->resume_point.restored;
	st->nb_vqs = 2;
	rings_describe(b, 5);
	assert_int_equal(vstate_start(b->dev, &b->setup), 0);
	st->nb_vqs = NB_VQS;
	assert_true(is_at(b, 0, IDX, IDX));
	assert_true(is_at(b, 1, IDX, IDX));
	assert_true(is_at(b, 2, 5, 5));
	assert_true(is_at(b, 3, 5, 5));
}

static void
state_brings_calls_that_were_due(void **state)
{
	struct bench *b = *state;

	assert_int_equal(rte_vhost_state_restore(NAME, b->st, NULL), 0);
	assert_int_equal(vstate_start(b->dev, &b->setup), 0);
	ring_calls(&b->ring);
	front_end_change(b);
	b->st->vqs[2].notify_pending = true;
	b->st->vqs[3].signalled_used = 39000;
	b->st->vqs[3].signalled_valid = true;
	assert_int_equal(rte_vhost_state_restore(NAME, b->st, NULL), 0);
	assert_int_equal(ring_calls(&b->ring), 0);
	assert_int_equal(vstate_start(b->dev, &b->setup), 0);
	assert_int_equal(ring_calls(&b->ring), 1);
	assert_int_equal(b->dev->vqs[2]->counters.calls, 1);
	assert_int_equal(b->dev->vqs[3]->signalled_used, 39000);
	assert_true(b->dev->vqs[3]->signalled_valid);
	assert_false(b->dev->vqs[2]->signalled_valid);
}

/* Each queue can be the one without memory. The driver must reset the device then. */
static void
state_that_finds_no_memory_fails_the_device(void **state)
{
	struct bench *b = *state;
	unsigned int n, refused;
	const char *failed;
	uint16_t i, qid;
	int ret;

	for (qid = 0; qid < NB_VQS; qid++) {
		inflight_add(b->st, qid);
		refused = n = 0;
		do {
			assert_int_equal(rte_vhost_state_restore(NAME, b->st, NULL), 0);
			fail_call_arm(++n);
			ret = vstate_start(b->dev, &b->setup);
			failed = fail_call_disarm();
			if (ret == 0) {
				assert_true(is_at(b, qid, IDX, IDX - 2));
				assert_non_null(b->dev->vqs[qid]->inflight);
				assert_int_equal(b->dev->vqs[qid]->inflight->nb, 2);
				assert_int_equal(b->dev->vqs[qid]->inflight->bufs[1].head, 8);
			} else {
				assert_int_equal(ret, -ENOMEM);
				assert_null(b->dev->resume_point.restored);
				assert_int_equal(vstate_run_status(b->dev) &
						(RTE_VHOST_STATE_S_NEEDS_RESET |
						 RTE_VHOST_STATE_S_DRIVER_OK),
						RTE_VHOST_STATE_S_NEEDS_RESET);
				for (i = 0; i < NB_VQS; i++)
					assert_false(vstate_lease_is_granted(
							&b->dev->vqs[i]->lease));
				refused++;
			}
			front_end_change(b);
		} while (failed != NULL);
		assert_true(refused > 0);
		assert_int_equal(rte_vhost_state_vq_inflight_alloc(b->st, qid, 0), 0);
		b->st->vqs[qid].used_idx = IDX;
	}
}

int
test_vstate_restore(void)
{
	static const struct CMUnitTest tests[] = {
#define RESTORE_TEST(f) cmocka_unit_test_setup_teardown(f, bench_open, bench_close)
		RESTORE_TEST(state_of_another_size_than_announced_is_refused),
		RESTORE_TEST(state_of_other_addresses_than_announced_is_refused),
		RESTORE_TEST(state_has_priority_over_a_base),
		RESTORE_TEST(state_loaded_early_is_dropped_for_new_rings),
		RESTORE_TEST(state_of_fewer_queues_leaves_the_others_at_their_bases),
		RESTORE_TEST(state_brings_calls_that_were_due),
		RESTORE_TEST(state_that_finds_no_memory_fails_the_device),
	};

	return cmocka_run_group_tests_name("vstate_restore", tests, NULL, NULL);
}

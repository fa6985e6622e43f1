/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Every call to the system that can fail: while a device is made and closed, starts and stops,
 * moves, and recovers from a crash. One call after the other fails. Nothing is left open or
 * allocated, what the guest had is not lost, and the second try works.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_string_fns.h>

#include "rte_vhost_state.h"
#include "ut_device.h"
#include "ut_fail.h"
#include "ut_fds.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_state.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_inflight_shm.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"
#include "vhost/vstate_door.h"

#define NAME "test_fail_calls"
#define SIZE 64
#define FRAMES 40
#define CALLS_MAX 2000
/* As in vstate_state_file.c: where the two states are. */
#define MAP_SIZE 65536
#define PLACE_SIZE (16l << 20)
#define STATE_MAX 4096

struct bench {
	char dir[64], path[128], socket[128];
	struct vstate_conf conf;
	struct vstate_dev *dev;
	struct ring ring;
	struct vstate_setup setup;
	/** The state file of a process that was killed. */
	uint8_t left[MAP_SIZE + 2 * STATE_MAX];
	int pair[2];
};

/* ---- the device ---- */

static int
bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct vstate_ring_setup *ring;

	assert_non_null(b);
	rte_strscpy(b->dir, "/tmp/vstate-calls.XXXXXX", sizeof(b->dir));
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/" NAME ".vstate", b->dir);
	snprintf(b->socket, sizeof(b->socket), "%s/socket", b->dir);
	b->conf = ut_conf(1, 1500);
	ring_open(&b->ring, true, SIZE);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->setup.features = RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) |
		RTE_BIT64(VIRTIO_F_RING_PACKED);
	b->setup.mem = b->ring.guest.mem;
	ring = &b->setup.rings[1];
	ring_describe(&b->ring, ring);
	ring->ready = ring->base_fresh = true;
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	if (b->dev != NULL)
		ut_device_unmake(b->dev);
	vstate_watch_put();
	ring_close(&b->ring);
	unlink(b->path);
	unlink(b->socket);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	return 0;
}

static int
device_make(struct bench *b)
{
	b->dev = ut_device_make(NAME, &b->conf);
	if (b->dev == NULL)
		return -rte_errno;
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	return 0;
}

static void
device_unmake(struct bench *b)
{
	ut_device_unmake(b->dev);
	b->dev = NULL;
}

static void
ring_at(struct bench *b, uint16_t idx, uint8_t wrap)
{
	ring_seek(&b->ring, idx, wrap);
	b->setup.rings[1].avail = b->setup.rings[1].used = (struct vstate_pos){ idx, wrap };
}

static void
connect_and_negotiate(struct bench *b)
{
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, b->setup.features, false);
}

/* Pass frames of the guest. @return 0; -EIO: the queue does not run */
static int
frames_pass(struct bench *b)
{
	const struct piece small = { RING_BUF_GPA, RING_HDR + 60 };
	struct vstate_net_vq *nq = vstate_net_vq_of(b->dev->vqs[1]);
	struct rte_mbuf *pkts[FRAMES];
	uint16_t i, id;
	uint32_t len;

	if (vstate_run_vq_blocks(b->dev, &nq->vq) != 0)
		return -EIO;
	for (i = 0; i < FRAMES; i++)
		ring_add(&b->ring, &small, 1, false);
	if (nq->ops->take(nq, b->ring.pool, pkts, FRAMES) != FRAMES)
		fail_msg("the queue runs at a wrong position, %u", nq->vq.avail.idx);
	nq->ops->give(nq, FRAMES);
	rte_pktmbuf_free_bulk(pkts, FRAMES);
	for (i = 0; i < FRAMES; i++)
		assert_true(ring_get_used(&b->ring, &id, &len));
	assert_false(ring_get_used(&b->ring, &id, &len));
	return 0;
}

static int
device_start(struct bench *b)
{
	int ret = vstate_start(b->dev, &b->setup);

	return ret == 0 ? frames_pass(b) : ret;
}

/* ---- one call fails ---- */

/*
 * Run @p run again and again, and let one call after the other fail. @p before makes all as it was,
 * and no call fails then.
 */
static void
every_call_fails(struct bench *b, void (*before)(struct bench *b), int (*run)(struct bench *b))
{
	unsigned int n, fds, allocated, refused = 0;
	const char *name;
	int ret;

	/* what is made once in a process */
	before(b);
	assert_int_equal(run(b), 0);
	fds = fds_count();
	allocated = fail_call_allocated();
	for (n = 1; n < CALLS_MAX; n++) {
		before(b);
		fail_call_arm(n);
		ret = run(b);
		name = fail_call_disarm();
		if (name == NULL)
			break;
		refused += ret != 0;
		if (fds_count() != fds)
			fail_msg("%s fails (call %u): a descriptor is left open", name, n);
		if (fail_call_allocated() != allocated)
			fail_msg("%s fails (call %u): memory is not freed", name, n);
		before(b);
		ret = run(b);
		if (ret != 0)
			fail_msg("%s failed (call %u): the second try fails: %d", name, n, ret);
	}
	assert_int_equal(ret, 0);
	/* each scenario has calls that it cannot do without */
	assert_in_range(n, 2, CALLS_MAX - 1);
	assert_true(refused > 0);
	assert_int_equal(fail_call_allocated(), allocated);
}

static void
nothing_before(struct bench *b)
{
	ring_at(b, 0, 1);
}

/* ---- make and close ---- */

static int
make_and_close(struct bench *b)
{
	int ret = device_make(b);

	if (ret != 0)
		return ret;
	ret = b->dev->front_ops->open(b->dev);
	vstate_door_close(b->dev);
	device_unmake(b);
	return ret;
}

static void
device_that_cannot_be_made_leaves_nothing(void **state)
{
	struct bench *b = *state;

	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	rte_strscpy(b->conf.iface, b->socket, sizeof(b->conf.iface));
	every_call_fails(b, nothing_before, make_and_close);
}

/* ---- start and stop, with a state file and an in-flight region ---- */

static int
start_and_stop(struct bench *b)
{
	struct vstate_inflight_shm_geometry g = { .num_queues = 2, .queue_size = SIZE };
	int fd, ret = 0;

	connect_and_negotiate(b);
	fd = vstate_inflight_shm_make(b->dev, &g, true);
	if (fd >= 0) {
		ret = vstate_inflight_shm_set(b->dev, &g, fd, true);
		close(fd);
	}
	if (fd < 0 || ret != 0) {
		/* the front end was refused, and may continue without a region */
		ret = fd < 0 ? fd : ret;
		assert_int_equal(device_start(b), 0);
	} else {
		ret = device_start(b);
	}
	vstate_start_end(b->dev, false);
	vstate_start_disconnect(b->dev, false);
	vstate_inflight_shm_drop(b->dev);
	return ret;
}

static void
device_starts_without_what_it_can_do_without(void **state)
{
	struct bench *b = *state;

	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	assert_int_equal(device_make(b), 0);
	every_call_fails(b, nothing_before, start_and_stop);
}

/* ---- a move ---- */

static int
state_move(struct bench *b)
{
	struct rte_vhost_state *st = NULL;
	int ret;

	vstate_start_end(b->dev, false);
	ret = vstate_state_save(b->dev, &st, NULL);
	/* a device that ran has a state, or the save is answered with an error */
	if (ret == 0 && st == NULL)
		fail_msg("no state, and no error");
	if (ret == 0) {
		/* the destination: the same device without its front end */
		vstate_start_disconnect(b->dev, false);
		connect_and_negotiate(b);
		ret = vstate_state_load(b->dev, st, NULL);
	}
	/* with another base the guest would start from scratch */
	b->setup.rings[1].avail = b->setup.rings[1].used = (struct vstate_pos){ FRAMES, 1 };
	if (ret == 0)
		ret = device_start(b);
	if (ret == 0) {
		assert_int_equal(b->dev->vqs[1]->used.idx, 2 * FRAMES - SIZE);
		assert_int_equal(b->dev->vqs[1]->used.wrap, 0);
	}
	rte_vhost_state_free(st);
	vstate_start_disconnect(b->dev, false);
	return ret;
}

static void
source_runs(struct bench *b)
{
	vstate_start_disconnect(b->dev, false);
	ring_at(b, 0, 1);
	connect_and_negotiate(b);
	assert_int_equal(device_start(b), 0);
}

static void
move_that_fails_can_be_made_again(void **state)
{
	struct bench *b = *state;

	assert_int_equal(device_make(b), 0);
	every_call_fails(b, source_runs, state_move);
	vstate_start_disconnect(b->dev, false);
}

/* ---- crash recovery ---- */

/* Read or write what matters of the state file. */
static void
file_copy(struct bench *b, bool back)
{
	static const off_t at[3] = { 0, MAP_SIZE, MAP_SIZE + PLACE_SIZE };
	static const size_t len[3] = { MAP_SIZE, STATE_MAX, STATE_MAX };
	int fd = open(b->path, O_RDWR | O_CREAT, 0600);
	uint8_t *bytes = b->left;
	unsigned int i;

	assert_true(fd >= 0);
	for (i = 0; i < RTE_DIM(at); bytes += len[i++]) {
		if (back)
			assert_int_equal(pwrite(fd, bytes, len[i], at[i]), len[i]);
		else
			assert_true(pread(fd, bytes, len[i], at[i]) >= 0);
	}
	assert_int_equal(ftruncate(fd, MAP_SIZE + 2 * PLACE_SIZE), 0);
	close(fd);
}

/* The file and the ring of a process that was killed after FRAMES frames. */
static void
process_was_killed(struct bench *b)
{
	ring_at(b, FRAMES, 1);
	/* QEMU sets the base where the ring once started */
	b->setup.rings[1].avail = b->setup.rings[1].used = (struct vstate_pos){ 0, 1 };
	file_copy(b, true);
}

static int
process_recovers(struct bench *b)
{
	int ret = device_make(b);

	if (ret != 0)
		return ret;
	connect_and_negotiate(b);
	/* a device that runs without it would get the guest's frames a second time */
	if (b->dev->handover->recovery == NULL)
		fail_msg("%s fails: the device is made without what the old process left",
				fail_call_disarm());
	ret = vstate_start(b->dev, &b->setup);
	if (ret == 0)
		ret = frames_pass(b);
	vstate_start_disconnect(b->dev, false);
	device_unmake(b);
	return ret;
}

static void
recovery_that_fails_can_be_made_again(void **state)
{
	struct bench *b = *state;

	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	ring_at(b, 0, 1);
	assert_int_equal(device_make(b), 0);
	connect_and_negotiate(b);
	assert_int_equal(device_start(b), 0);
	file_copy(b, false);
	vstate_start_disconnect(b->dev, false);
	device_unmake(b);
	every_call_fails(b, process_was_killed, process_recovers);
}

/* ---- a takeover's messages ---- */

static int
message_passes(struct bench *b)
{
	struct vstate_handover_msg msg = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, 1), got;
	const int fds[2] = { STDERR_FILENO, STDERR_FILENO };
	int listener, from = -1, to = -1, ret;

	listener = vstate_handover_msg_listen(b->socket);
	if (listener < 0)
		return listener;
	from = vstate_handover_msg_connect(b->socket);
	ret = RTE_MIN(from, 0);
	if (ret == 0) {
		to = vstate_handover_msg_accept(listener);
		ret = RTE_MIN(to, 0);
	}
	if (ret == 0)
		ret = vstate_handover_msg_add(&msg, 1, "bytes", 5, fds, 2);
	if (ret == 0)
		ret = vstate_handover_msg_add(&msg, 2, NULL, 0, fds, 1);
	if (ret == 0)
		ret = vstate_handover_msg_send(from, &msg, UINT64_MAX);
	if (ret == 0) {
		ret = vstate_handover_msg_receive(to, &got, UINT64_MAX, -1);
		if (ret == 0)
			assert_int_equal(got.nb_fds, 3);
		vstate_handover_msg_drop(&got);
	}
	vstate_handover_msg_drop(&msg);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	close(listener);
	return ret;
}

static void
handover_message_that_fails_leaves_nothing(void **state)
{
	every_call_fails(*state, nothing_before, message_passes);
}

int
test_vstate_fail_calls(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(device_that_cannot_be_made_leaves_nothing,
				bench_open, bench_close),
		cmocka_unit_test_setup_teardown(device_starts_without_what_it_can_do_without,
				bench_open, bench_close),
		cmocka_unit_test_setup_teardown(move_that_fails_can_be_made_again,
				bench_open, bench_close),
		cmocka_unit_test_setup_teardown(recovery_that_fails_can_be_made_again,
				bench_open, bench_close),
		cmocka_unit_test_setup_teardown(handover_message_that_fails_leaves_nothing,
				bench_open, bench_close),
	};

	return cmocka_run_group_tests_name("vstate_fail_calls", tests, NULL, NULL);
}

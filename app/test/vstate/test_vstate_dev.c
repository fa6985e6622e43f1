/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file A device under any order of front-end messages and state operations. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_alarm.h>
#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_thread.h>
#include <rte_vhost.h>

#include <bus_vdev_driver.h>

#include <vstate_compat.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_device.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "ut_socket.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_status.h"
#include "dev/vstate_watch.h"
#include "net/vstate_net.h"
#include "ring/vstate_call.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_vdpa_msg.h"
#include "vhost/vstate_vhost_user.h"

#define V1 RTE_BIT64(VIRTIO_F_VERSION_1)
#define PACKED_V1 (V1 | RTE_BIT64(VIRTIO_F_RING_PACKED))

/* A device with two queue pairs. All four queues use the same ring, as no thread polls them. */
struct bench {
	struct vstate_dev *dev;
	struct ring ring;
	struct vstate_setup setup;
};

static void
bench_rings(struct bench *b, unsigned int ready, uint16_t size)
{
	unsigned int i;

	b->setup.mem = b->ring.guest.mem;
	for (i = 0; i < 4; i++) {
		struct vstate_ring_setup *s = &b->setup.rings[i];

		ring_describe(&b->ring, s);
		s->ready = i < ready;
		s->size = size;
	}
}

static void
bases_set(struct bench *b, bool fresh, uint16_t idx)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		b->setup.rings[i].base_fresh = fresh;
		b->setup.rings[i].avail = b->setup.rings[i].used = (struct vstate_pos){ idx, 0 };
	}
}

static void
bench_open(struct bench *b, uint64_t features)
{
	struct vstate_conf conf = ut_conf(2, 9000);

	memset(b, 0, sizeof(*b));
	ring_open(&b->ring, features & RTE_BIT64(VIRTIO_F_RING_PACKED), 256);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->dev = ut_device_make("test_dev", &conf);
	assert_non_null(b->dev);
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, features, false);
	b->setup.features = features;
	bench_rings(b, 4, 256);
	bases_set(b, true, 0);
}

static void
bench_close(struct bench *b)
{
	vstate_start_disconnect(b->dev, false);
	ut_device_unmake(b->dev);
	vstate_watch_put();
	ring_close(&b->ring);
}

static bool
vq_is_granted(const struct bench *b, uint16_t qid)
{
	return vstate_lease_is_granted(&b->dev->vqs[qid]->lease);
}

static void
message_to_a_suspended_device_does_not_resume_it(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	assert_true(vq_is_granted(&b, 0));
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	assert_false(vq_is_granted(&b, 0));
	bases_set(&b, false, 0);
	vstate_start_sync(b.dev, &b.setup);
	assert_false(vq_is_granted(&b, 0));
	assert_false(vstate_run_status(b.dev) & RTE_VHOST_STATE_S_DRIVER_OK);
	st = rte_vhost_state_capture("test_dev", NULL);
	assert_non_null(st);
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	rte_vhost_state_free(st);
	assert_int_equal(rte_vhost_state_resume("test_dev", NULL), 0);
	assert_true(vq_is_granted(&b, 3));
	bench_close(&b);
}

static void
smaller_ring_keeps_no_position_beyond_its_end(void **state)
{
	struct bench b;

	bench_open(&b, PACKED_V1);
	bases_set(&b, true, 200);
	vstate_start(b.dev, &b.setup);
	assert_int_equal(b.dev->vqs[1]->avail.idx, 200);
	bench_rings(&b, 4, 64);
	bases_set(&b, false, 0);
	vstate_start_pause(b.dev);
	vstate_start_sync(b.dev, &b.setup);
	assert_true(b.dev->vqs[1]->avail.idx < 64);
	assert_int_equal(b.dev->vqs[1]->used.idx, b.dev->vqs[1]->avail.idx);
	bench_close(&b);
}

/* Capture a state of four queues of size 256 whose positions are @p idx. */
static struct rte_vhost_state *
state_capture_at(struct bench *b, uint16_t idx)
{
	struct rte_vhost_state *st;
	uint16_t i;

	bases_set(b, true, idx);
	vstate_start(b->dev, &b->setup);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	st = rte_vhost_state_capture("test_dev", NULL);
	assert_non_null(st);
	for (i = 0; i < 4; i++)
		assert_int_equal(st->vqs[i].avail_idx, idx);
	/* the front end disconnects and connects again */
	vstate_start_disconnect(b->dev, false);
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, b->setup.features, false);
	bases_set(b, true, 0);
	return st;
}

static void
restored_positions_wait_for_rings_that_are_ready_later(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;

	bench_open(&b, V1);
	st = state_capture_at(&b, 40000);
	assert_int_equal(rte_vhost_state_restore("test_dev", st, NULL), 0);
	rte_vhost_state_free(st);
	bench_rings(&b, 2, 256);
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	assert_int_equal(b.dev->vqs[0]->avail.idx, 40000);
	assert_int_equal(b.dev->vqs[1]->used.idx, 40000);
	assert_false(vq_is_granted(&b, 2));
	bench_rings(&b, 4, 256);
	b.setup.rings[0].base_fresh = b.setup.rings[1].base_fresh = false;
	vstate_start_sync(b.dev, &b.setup);
	assert_true(vq_is_granted(&b, 2));
	assert_int_equal(b.dev->vqs[2]->avail.idx, 40000);
	assert_int_equal(b.dev->vqs[3]->used.idx, 40000);
	bench_close(&b);
}

static void
state_of_another_layout_than_that_of_the_rings_is_refused(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;
	uint16_t i;

	bench_open(&b, V1);
	st = state_capture_at(&b, 40000);
	assert_int_equal(rte_vhost_state_restore("test_dev", st, NULL), 0);
	rte_vhost_state_free(st);
	/* the front end negotiates another layout after the restore was accepted */
	vstate_start_negotiate(b.dev, PACKED_V1, false);
	b.setup.features = PACKED_V1;
	assert_int_equal(vstate_start(b.dev, &b.setup), -EXDEV);
	assert_true(vstate_run_status(b.dev) & RTE_VHOST_STATE_S_NEEDS_RESET);
	for (i = 0; i < 4; i++) {
		assert_true(b.dev->vqs[i]->avail.idx < 256);
		assert_false(vq_is_granted(&b, i));
	}
	/* a later message does not start the device either */
	vstate_start_sync(b.dev, &b.setup);
	assert_false(vq_is_granted(&b, 0));
	bench_close(&b);
}

static void
new_front_end_begins_with_the_devices_mtu_and_no_queues(void **state)
{
	struct bench b;

	bench_open(&b, V1);
	b.setup.mtu = 1280;
	vstate_start(b.dev, &b.setup);
	assert_int_equal(vstate_net_of(b.dev)->mtu, 1280);
	assert_int_equal(b.dev->vqs[3]->size, 256);
	vstate_start_disconnect(b.dev, false);
	vstate_start_connect(b.dev);
	assert_int_equal(vstate_net_of(b.dev)->mtu, 9000);
	assert_int_equal(b.dev->vqs[3]->size, 0);
	bench_close(&b);
}

/* The front end takes the rings back, sets an MTU, and starts the rings again: a resume. */
static void
mtu_set_between_stop_and_start_is_applied_at_the_start(void **state)
{
	struct bench b;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	vstate_start_end(b.dev, false);
	vstate_start_message(b.dev, VSTATE_CLASS_MSG_SET_MTU, 1400);
	assert_int_equal(vstate_net_of(b.dev)->mtu, 9000);
	vstate_start(b.dev, &b.setup);
	assert_int_equal(vstate_net_of(b.dev)->mtu, 1400);
	/* it is applied once: a later resume does not replace a newer MTU */
	vstate_start_message(b.dev, VSTATE_CLASS_MSG_SET_MTU, 4000);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	assert_int_equal(rte_vhost_state_resume("test_dev", NULL), 0);
	assert_int_equal(vstate_net_of(b.dev)->mtu, 4000);
	bench_close(&b);
}

static void
queue_not_set_up_after_a_reset_is_not_captured(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	/* stop and start without a reset: a queue that is not ready stays in the state */
	vstate_start_end(b.dev, false);
	bench_rings(&b, 2, 256);
	vstate_start(b.dev, &b.setup);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	st = rte_vhost_state_capture("test_dev", NULL);
	assert_non_null(st);
	assert_int_equal(st->vqs[3].size, 256);
	rte_vhost_state_free(st);
	/* a reset, and a driver that sets up one pair only */
	vstate_start_end(b.dev, false);
	vstate_status_write(b.dev, 0);
	vstate_start_negotiate(b.dev, V1, false);
	vstate_start(b.dev, &b.setup);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	st = rte_vhost_state_capture("test_dev", NULL);
	assert_non_null(st);
	assert_int_equal(st->vqs[1].size, 256);
	assert_int_equal(st->vqs[2].size, 0);
	assert_int_equal(st->vqs[3].size, 0);
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	rte_vhost_state_free(st);
	bench_close(&b);
}

static void
ring_outside_the_guest_or_of_a_bad_size_is_not_granted(void **state)
{
	struct bench b;

	bench_open(&b, V1);
	b.setup.rings[0].desc = &b;
	b.setup.rings[1].size = 255;
	b.setup.rings[2].device = guest_at(&b.ring.guest, RING_DEVICE_GPA + 8);
	b.setup.rings[3].driver = NULL;
	vstate_start(b.dev, &b.setup);
	assert_false(vq_is_granted(&b, 0) || vq_is_granted(&b, 1));
	assert_false(vq_is_granted(&b, 2) || vq_is_granted(&b, 3));
	bench_close(&b);
}

static void
suspend_fails_without_effect_if_a_poll_thread_stays_inside(void **state)
{
	struct rte_vhost_state_error err = { 0 };
	struct bench b;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	assert_true(vstate_lease_take(&b.dev->vqs[2]->lease));
	assert_int_equal(rte_vhost_state_suspend("test_dev", 2000, &err), -ETIMEDOUT);
	assert_int_equal(err.vq, 2);
	assert_true(vq_is_granted(&b, 0) && vq_is_granted(&b, 3));
	assert_true(vstate_run_status(b.dev) & RTE_VHOST_STATE_S_DRIVER_OK);
	vstate_lease_give(&b.dev->vqs[2]->lease);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	bench_close(&b);
}

/* The driver suspends the device by its status. A thread that stays inside fails the device. */
static void
suspend_by_status_that_fails_needs_a_reset(void **state)
{
	const uint64_t features = V1 | RTE_BIT64(RTE_VHOST_STATE_F_SUSPEND);
	struct bench b;
	uint8_t running;

	bench_open(&b, features);
	vstate_start(b.dev, &b.setup);
	running = vstate_status_read(b.dev);
	assert_true(running & RTE_VHOST_STATE_S_DRIVER_OK);
	vstate_status_write(b.dev, running | RTE_VHOST_STATE_S_SUSPEND);
	assert_true(vstate_status_read(b.dev) & RTE_VHOST_STATE_S_SUSPEND);
	assert_false(vq_is_granted(&b, 0));
	vstate_status_write(b.dev, running);
	assert_int_equal(vstate_status_read(b.dev) & (RTE_VHOST_STATE_S_SUSPEND |
			RTE_VHOST_STATE_S_DRIVER_OK | RTE_VHOST_STATE_S_NEEDS_RESET),
			RTE_VHOST_STATE_S_DRIVER_OK);
	assert_true(vq_is_granted(&b, 0));
	assert_true(vstate_lease_take(&b.dev->vqs[2]->lease));
	vstate_status_write(b.dev, running | RTE_VHOST_STATE_S_SUSPEND);
	assert_int_equal(vstate_status_read(b.dev) & (RTE_VHOST_STATE_S_SUSPEND |
			RTE_VHOST_STATE_S_DRIVER_OK | RTE_VHOST_STATE_S_NEEDS_RESET),
			RTE_VHOST_STATE_S_DRIVER_OK | RTE_VHOST_STATE_S_NEEDS_RESET);
	vstate_lease_give(&b.dev->vqs[2]->lease);
	bench_close(&b);
}

static void
lease_release(void *lease)
{
	vstate_lease_give(lease);
}

/* A message about one queue does not wait for a poll thread that is inside another queue. */
static void
message_about_one_queue_does_not_wait_for_the_others(void **state)
{
	struct vstate_lease *lease;
	struct bench b;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	bases_set(&b, false, 0);
	lease = &b.dev->vqs[2]->lease;
	assert_true(vstate_lease_take(lease));
	assert_int_equal(rte_eal_alarm_set(10 * US_PER_S, lease_release, lease), 0);

	vstate_start_ring_end(b.dev, 0);
	assert_false(vq_is_granted(&b, 0));
	assert_true(vq_is_granted(&b, 1) && vq_is_granted(&b, 2) && vq_is_granted(&b, 3));
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 0);
	assert_int_equal(vstate_start_ring(b.dev, 0, &b.setup.rings[0]), 0);
	assert_true(vq_is_granted(&b, 0));
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 2);

	ring_calls(&b.ring);
	vstate_start_ring_call(b.dev, 1, b.ring.callfd);
	/* an earlier call may be lost with the old eventfd, so the driver is called */
	assert_int_equal(ring_calls(&b.ring), 1);
	assert_true(vq_is_granted(&b, 0) && vq_is_granted(&b, 1));
	vstate_start_ring_call(b.dev, 1, -1);
	assert_int_equal(b.dev->vqs[1]->callfd, -1);
	assert_int_equal(ring_calls(&b.ring), 0);

	assert_true(vstate_lease_is_inside(lease));
	assert_int_equal(rte_eal_alarm_cancel(lease_release, lease), 1);
	vstate_lease_give(lease);
	bench_close(&b);
}

static void
message_about_one_queue_does_not_resume_it(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	bases_set(&b, false, 0);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	vstate_start_ring_end(b.dev, 0);
	assert_int_equal(vstate_start_ring(b.dev, 0, &b.setup.rings[0]), 0);
	ring_calls(&b.ring);
	vstate_start_ring_call(b.dev, 0, b.ring.callfd);
	assert_false(vq_is_granted(&b, 0));
	/* a suspended device defers the call, and the state contains it */
	assert_int_equal(ring_calls(&b.ring), 0);
	st = rte_vhost_state_capture("test_dev", NULL);
	assert_non_null(st);
	assert_true(st->vqs[0].notify_pending);
	assert_false(st->vqs[1].notify_pending);
	rte_vhost_state_free(st);
	assert_int_equal(rte_vhost_state_resume("test_dev", NULL), 0);
	assert_int_equal(ring_calls(&b.ring), 1);
	assert_true(vq_is_granted(&b, 0));
	/* during a message that changes more than one queue, all queues wait for its end */
	vstate_start_pause(b.dev);
	assert_int_equal(vstate_start_ring(b.dev, 0, &b.setup.rings[0]), -EAGAIN);
	assert_false(vq_is_granted(&b, 0) || vq_is_granted(&b, 1));
	bench_close(&b);
}

static void
deferred_call_is_dropped_for_the_next_guest(void **state)
{
	struct bench b;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	vstate_start_ring_call(b.dev, 0, b.ring.callfd);
	vstate_start_disconnect(b.dev, false);
	vstate_start_connect(b.dev);
	vstate_start_negotiate(b.dev, V1, false);
	vstate_call_fd_set(b.dev->vqs[0], b.ring.callfd);
	ring_calls(&b.ring);
	vstate_start(b.dev, &b.setup);
	assert_true(vq_is_granted(&b, 0));
	assert_int_equal(ring_calls(&b.ring), 0);
	bench_close(&b);
}

/* A queue breaks, and the guest resets the device before any thread has reported the fault. */
static void
reset_clears_a_fault_that_was_not_reported(void **state)
{
	struct bench b;
	int tries;

	bench_open(&b, V1);
	/* several times, as the watch thread may report the fault first */
	for (tries = 0; tries < 20; tries++) {
		vstate_start(b.dev, &b.setup);
		assert_true(vstate_run_status(b.dev) & RTE_VHOST_STATE_S_DRIVER_OK);
		vstate_vq_break(b.dev->vqs[1], VSTATE_FAULT_ADDRESS);
		vstate_status_write(b.dev, 0);
		assert_int_equal(vstate_run_status(b.dev), 0);
		assert_int_equal(b.dev->vqs[1]->fault, VSTATE_FAULT_NONE);
		/* the fault is counted nevertheless */
		assert_int_equal(b.dev->history.faults[VSTATE_FAULT_ADDRESS], tries + 1);
		vstate_start_negotiate(b.dev, V1, true);
		vstate_status_write(b.dev, RTE_VHOST_STATE_S_FEATURES_OK);
		assert_true(vstate_run_status(b.dev) & RTE_VHOST_STATE_S_FEATURES_OK);
	}
	bench_close(&b);
}

/* A front end that was replaced by another one may still send messages with descriptors. */
static void
message_without_a_device_is_refused_and_its_descriptor_closed(void **state)
{
	struct msg msg = { .request = MSG_SET_VRING_CALL, .size = sizeof(msg.u64) };
	uint8_t context[2048] = { 0 };
	int *fds, *nb_fds, fd;

	fd = dup(STDERR_FILENO);
	assert_true(fd >= 0);
	memcpy(context, &msg, sizeof(msg));
	fds = vstate_msg_fds(context, &nb_fds);
	fds[0] = fd;
	*nb_fds = 1;
	assert_int_equal(vstate_vdpa_msg_ops.pre_msg_handle(0, context), RTE_VHOST_MSG_RESULT_ERR);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	/* rte_vhost must not close it once more */
	assert_int_equal(*nb_fds, 0);
	assert_int_equal(fds[0], -1);
}

static uint32_t
pause_main(void *dev)
{
	vstate_start_pause(dev);
	return 0;
}

#define NEIGHBOUR "net_vstate7"

/* Create, use and remove another device, as an application would. */
static void
neighbour_use(void)
{
	char path[] = "/tmp/vstate-autotest-XXXXXX", args[64];
	const struct rte_eth_conf conf = { 0 };
	struct rte_vhost_state_info info;
	struct rte_eth_stats stats;
	struct rte_mempool *pool;
	struct rte_eth_link link;
	uint16_t port;

	pool = rte_pktmbuf_pool_create("neighbour", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	assert_non_null(pool);
	assert_non_null(mkdtemp(path));
	rmdir(path);
	snprintf(args, sizeof(args), "iface=%s", path);
	assert_int_equal(rte_vdev_init(NEIGHBOUR, args), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(NEIGHBOUR, &port), 0);
	assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
	/* a start is refused before its queues are set up */
	assert_int_equal(rte_eth_dev_start(port), -EINVAL);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, 64, SOCKET_ID_ANY, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, 64, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(rte_vhost_state_info_get(NEIGHBOUR, &info), 0);
	assert_int_equal(vstate_status_read(vstate_dev_find(NEIGHBOUR)), 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_close(port), 0);
	assert_int_equal(rte_vdev_uninit(NEIGHBOUR), 0);
	rte_mempool_free(pool);
}

static void
device_that_waits_for_its_poll_thread_does_not_delay_another(void **state)
{
	struct vstate_conf conf = ut_conf(1, 1500);
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state_info info;
	struct vstate_lease *lease;
	struct vstate_dev *stuck;
	struct bench b;
	rte_thread_t t;

	bench_open(&b, V1);
	vstate_start(b.dev, &b.setup);
	stuck = ut_device_make("test_stuck", &conf);
	assert_non_null(stuck);
	/* its poll thread stays inside a queue while a message remaps its memory */
	lease = &stuck->vqs[1]->lease;
	vstate_lease_grant(lease);
	assert_true(vstate_lease_take(lease));
	assert_int_equal(rte_thread_create(&t, NULL, pause_main, stuck), 0);
	while (vstate_lease_is_granted(lease))
		usleep(1000);
	/* the alarm ends an operation that waits without a bound, so that the test fails */
	assert_int_equal(rte_eal_alarm_set(30 * US_PER_S, lease_release, lease), 0);
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, &err), 0);
	assert_int_equal(rte_vhost_state_info_get("test_dev", &info), 0);
	assert_true(info.status & RTE_VHOST_STATE_S_SUSPEND);
	assert_int_equal(rte_vhost_state_resume("test_dev", &err), 0);
	neighbour_use();
	/* an operation on the stuck device itself ends within its bound */
	assert_int_equal(rte_vhost_state_suspend("test_stuck", 50000, &err), -ETIMEDOUT);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_TIMEOUT);
	assert_true(vstate_lease_is_inside(lease));
	assert_int_equal(rte_eal_alarm_cancel(lease_release, lease), 1);
	lease_release(lease);
	assert_int_equal(rte_thread_join(t, NULL), 0);
	ut_device_unmake(stuck);
	bench_close(&b);
}

/* A packed ring with buffers 0 to 3 available, and a front end that says where it stopped. */
static struct vstate_pos
packed_base_resume(struct vstate_pos avail, struct vstate_pos used)
{
	struct vstate_pos pos;
	struct bench b;
	uint16_t i;

	bench_open(&b, V1 | RTE_BIT64(VIRTIO_F_RING_PACKED));
	for (i = 0; i < 4; i++)
		ring_add(&b.ring, &(struct piece){ RING_BUF_GPA + 64 * i, 64 }, 1, false);
	b.setup.rings[1].avail = avail;
	b.setup.rings[1].used = used;
	vstate_start(b.dev, &b.setup);
	pos = b.dev->vqs[1]->avail;
	assert_true(vstate_pos_same(pos, b.dev->vqs[1]->used));
	bench_close(&b);
	return pos;
}

static void
packed_base_that_cannot_be_true_resumes_at_its_available_position(void **state)
{
	const struct vstate_pos first = { 0, 1 }, third = { 2, 1 }, invented = { 0, 0 },
		outside = { 256, 1 }, empty = { 5, 1 };

	RTE_SET_USED(state);
	/* both positions agree */
	assert_true(vstate_pos_same(packed_base_resume(third, third), third));
	/* the device before had two buffers in flight */
	assert_true(vstate_pos_same(packed_base_resume(third, first), first));
	/* no buffer is available at the used position */
	assert_true(vstate_pos_same(packed_base_resume(third, invented), third));
	assert_true(vstate_pos_same(packed_base_resume(third, empty), third));
	assert_true(vstate_pos_same(packed_base_resume(third, outside), third));
}

#define AVAIL (1 << VRING_PACKED_DESC_F_AVAIL)
#define USED (1 << VRING_PACKED_DESC_F_USED)

/*
 * The front end took the ring back at index 2, used up the buffer there in a wrong place, at index
 * 0 with wrap counter 0, and starts again.
 */
static void
packed_base_that_cannot_be_true_resumes_where_the_device_stopped(void **state)
{
	const struct vstate_pos third = { 2, 1 };
	struct vring_packed_desc *d;
	struct bench b;
	uint16_t i;

	RTE_SET_USED(state);
	bench_open(&b, V1 | RTE_BIT64(VIRTIO_F_RING_PACKED));
	for (i = 0; i < 3; i++)
		ring_add(&b.ring, &(struct piece){ RING_BUF_GPA + 64 * i, 64 }, 1, false);
	b.setup.rings[1].avail = b.setup.rings[1].used = third;
	vstate_start(b.dev, &b.setup);
	vstate_start_end(b.dev, false);
	d = b.dev->vqs[1]->packed.desc;
	d[0].flags = 0;
	d[1].flags = AVAIL | USED;
	b.setup.rings[1].avail = (struct vstate_pos){ 3, 1 };
	b.setup.rings[1].used = (struct vstate_pos){ 1, 0 };
	vstate_start(b.dev, &b.setup);
	assert_true(vstate_pos_same(b.dev->vqs[1]->avail, third));
	/* when the ring wraps, the driver would take it for a used buffer */
	assert_int_equal(d[0].flags, AVAIL | USED);
	assert_int_equal(d[2].flags & (AVAIL | USED), AVAIL);
	/* a driver that may have wrapped may have made the descriptor available: it stays */
	vstate_start_end(b.dev, false);
	d[0].flags = 0;
	d[255].flags = AVAIL;
	vstate_start(b.dev, &b.setup);
	assert_int_equal(d[0].flags, 0);
	d[255].flags = 0;
	/* after a new connection the position is not known any more */
	vstate_start_end(b.dev, false);
	vstate_start_disconnect(b.dev, false);
	vstate_start_connect(b.dev);
	vstate_start_negotiate(b.dev, b.setup.features, false);
	vstate_start(b.dev, &b.setup);
	assert_true(vstate_pos_same(b.dev->vqs[1]->avail, b.setup.rings[1].avail));
	bench_close(&b);
}

static void
reasons_of_a_queue_that_is_not_polled_have_names(void **state)
{
	struct bench b;
	char text[128];

	RTE_SET_USED(state);
	bench_open(&b, V1);
	vstate_blocks_format(vstate_run_vq_blocks(b.dev, b.dev->vqs[1]), text, sizeof(text));
	assert_string_equal(text, "not_started,no_driver_ok,not_ready");
	vstate_start(b.dev, &b.setup);
	vstate_blocks_format(vstate_run_vq_blocks(b.dev, b.dev->vqs[1]), text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(rte_vhost_state_suspend("test_dev", 0, NULL), 0);
	vstate_start_pause(b.dev);
	vstate_poller_set(b.dev, VSTATE_POLLER_NONE, NULL, NULL);
	vstate_blocks_format(vstate_run_vq_blocks(b.dev, b.dev->vqs[1]), text, sizeof(text));
	assert_string_equal(text, "message,suspended,no_poller");
	vstate_poller_set(b.dev, VSTATE_POLLER_PORT, NULL, NULL);
	vstate_start_sync(b.dev, &b.setup);
	assert_int_equal(rte_vhost_state_resume("test_dev", NULL), 0);
	vstate_vq_break(b.dev->vqs[1], VSTATE_FAULT_ADDRESS);
	vstate_status_read(b.dev);
	vstate_blocks_format(vstate_run_vq_blocks(b.dev, b.dev->vqs[1]), text, sizeof(text));
	assert_string_equal(text, "broken");
	vstate_start_end(b.dev, false);
	vstate_blocks_format(vstate_run_vq_blocks(b.dev, b.dev->vqs[0]), text, sizeof(text));
	assert_string_equal(text, "not_started,rings_taken,not_ready");
	/* a short buffer gets a cut text that is terminated */
	vstate_blocks_format(UINT32_MAX, text, 10);
	assert_int_equal(strlen(text), 9);
	bench_close(&b);
}

static void
device_made_again_attaches_its_guest(void **state)
{
	char path[] = "/tmp/vstate-autotest-XXXXXX", args[64];
	struct vstate_dev *dev;
	int round, tries, fd;

	assert_non_null(mkdtemp(path));
	rmdir(path);
	snprintf(args, sizeof(args), "iface=%s", path);
	for (round = 0; round < 3; round++) {
		assert_int_equal(rte_vdev_init("net_vstate7", args), 0);
		fd = socket_connect(path);
		dev = vstate_dev_find("net_vstate7");
		assert_non_null(dev);
		for (tries = 0; tries < 500 && vstate_run_is_blocked(dev,
				VSTATE_BLOCK_NOT_CONNECTED); tries++)
			usleep(10000);
		assert_false(vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_CONNECTED));
		assert_true(dev->connection->vid >= 0);
		assert_int_equal(rte_vdev_uninit("net_vstate7"), 0);
		close(fd);
	}
}

/* ---- the control lock ---- */

#define TURNS 20

/* Whose operations ran, in their order. Control lock. */
struct turns {
	struct vstate_dev *dev;
	struct vstate_thread waiter;
	bool waits;
	unsigned int nb;
	char who[2 * TURNS];
};

static int
do_turn_of_waiter(struct vstate_dev *dev, void *arg)
{
	struct turns *t = arg;

	t->who[t->nb++] = 'w';
	return 0;
}

static void *
waiter_main(void *arg)
{
	struct turns *t = arg;

	vstate_control_run(do_turn_of_waiter, t->dev, t);
	return NULL;
}

static bool
somebody_waits(struct vstate_dev *dev)
{
	bool waits;

	pthread_mutex_lock(&dev->control.lock);
	waits = dev->control.waiting > 0;
	pthread_mutex_unlock(&dev->control.lock);
	return waits;
}

/* Another thread comes while this one holds the lock. */
static int
do_turn_with_waiter(struct vstate_dev *dev, void *arg)
{
	struct turns *t = arg;
	unsigned int ms;

	assert_int_equal(vstate_thread_create(&t->waiter, "waiter", waiter_main, t), 0);
	for (ms = 0; ms < 20000 && !somebody_waits(dev); ms++)
		usleep(1000);
	t->waits = somebody_waits(dev);
	return 0;
}

static int
do_turn(struct vstate_dev *dev, void *arg)
{
	struct turns *t = arg;

	t->who[t->nb++] = 'm';
	return 0;
}

static void
thread_that_comes_again_does_not_overtake_one_that_waits(void **state)
{
	struct vstate_conf conf = ut_conf(1, 1500);
	struct turns t = { 0 };
	unsigned int i;

	t.dev = ut_device_make("test_turns", &conf);
	assert_non_null(t.dev);
	for (i = 0; i < TURNS; i++) {
		vstate_control_run(do_turn_with_waiter, t.dev, &t);
		vstate_control_run(do_turn, t.dev, &t);
		vstate_thread_join(&t.waiter);
		assert_true(t.waits);
		assert_memory_equal(t.who + 2 * i, "wm", 2);
	}
	ut_device_unmake(t.dev);
}

int
test_vstate_dev(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_to_a_suspended_device_does_not_resume_it),
		cmocka_unit_test(smaller_ring_keeps_no_position_beyond_its_end),
		cmocka_unit_test(restored_positions_wait_for_rings_that_are_ready_later),
		cmocka_unit_test(state_of_another_layout_than_that_of_the_rings_is_refused),
		cmocka_unit_test(new_front_end_begins_with_the_devices_mtu_and_no_queues),
		cmocka_unit_test(mtu_set_between_stop_and_start_is_applied_at_the_start),
		cmocka_unit_test(queue_not_set_up_after_a_reset_is_not_captured),
		cmocka_unit_test(ring_outside_the_guest_or_of_a_bad_size_is_not_granted),
		cmocka_unit_test(suspend_fails_without_effect_if_a_poll_thread_stays_inside),
		cmocka_unit_test(suspend_by_status_that_fails_needs_a_reset),
		cmocka_unit_test(message_about_one_queue_does_not_wait_for_the_others),
		cmocka_unit_test(message_about_one_queue_does_not_resume_it),
		cmocka_unit_test(deferred_call_is_dropped_for_the_next_guest),
		cmocka_unit_test(reset_clears_a_fault_that_was_not_reported),
		cmocka_unit_test(message_without_a_device_is_refused_and_its_descriptor_closed),
		cmocka_unit_test(device_that_waits_for_its_poll_thread_does_not_delay_another),
		cmocka_unit_test(packed_base_that_cannot_be_true_resumes_at_its_available_position),
		cmocka_unit_test(packed_base_that_cannot_be_true_resumes_where_the_device_stopped),
		cmocka_unit_test(reasons_of_a_queue_that_is_not_polled_have_names),
		cmocka_unit_test(device_made_again_attaches_its_guest),
		cmocka_unit_test(thread_that_comes_again_does_not_overtake_one_that_waits),
	};

	return cmocka_run_group_tests_name("vstate_dev", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Statistics of the port: one meaning for each name, and each name that net_vhost has. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <bus_vdev_driver.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_dev.h"
#include "net/vstate_net.h"
#include "net/vstate_net_casts.h"
#include "net/vstate_net_vq.h"

#define NAME "net_vstate3"
#define PAIRS 4

/* Counters of a queue of net_vhost in DPDK 22.11, without those of a guest's IOMMU and of DMA. */
static const char *const vhost_names[] = { "good_packets", "good_bytes", "multicast_packets",
	"broadcast_packets", "undersize_packets", "size_64_packets", "size_65_127_packets",
	"size_128_255_packets", "size_256_511_packets", "size_512_1023_packets",
	"size_1024_1518_packets", "size_1519_max_packets", "guest_notifications" };

static struct rte_mempool *pool;
static struct vstate_dev *dev;
static uint16_t port;

static int
stats_setup(void **state)
{
	char args[80];

	RTE_SET_USED(state);
	snprintf(args, sizeof(args), "iface=/tmp/vstate-stats-%d.sock,queues=%u", getpid(), PAIRS);
	assert_int_equal(rte_vdev_init(NAME, args), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &port), 0);
	dev = vstate_dev_find(NAME);
	pool = rte_pktmbuf_pool_create("stats", 7, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(pool);
	return 0;
}

static int
stats_teardown(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vdev_uninit(NAME), 0);
	rte_mempool_free(pool);
	return 0;
}

static void
port_configure(uint16_t nb_rxq, uint16_t nb_txq)
{
	const struct rte_eth_conf conf = { 0 };

	assert_int_equal(rte_eth_dev_configure(port, nb_rxq, nb_txq, &conf), 0);
}

/* A statistic by its name; UINT64_MAX if there is none. */
static uint64_t
xstat_get(const char *name)
{
	uint64_t id, value;

	if (rte_eth_xstats_get_id_by_name(port, name, &id) != 0)
		return UINT64_MAX;
	assert_int_equal(rte_eth_xstats_get_by_id(port, &id, &value, 1), 1);
	return value;
}

static uint64_t
queue_xstat_get(const char *kind, unsigned int q, const char *counter)
{
	char name[RTE_ETH_XSTATS_NAME_SIZE];

	snprintf(name, sizeof(name), "%s%u_%s", kind, q, counter);
	return xstat_get(name);
}

static void
each_name_of_net_vhost_is_there(void **state)
{
	size_t i;

	RTE_SET_USED(state);
	port_configure(2, 2);
	for (i = 0; i < RTE_DIM(vhost_names); i++) {
		assert_int_equal(queue_xstat_get("rx_q", 1, vhost_names[i]), 0);
		assert_int_equal(queue_xstat_get("tx_q", 1, vhost_names[i]), 0);
		assert_int_equal(queue_xstat_get("vq", 2 * PAIRS - 1, vhost_names[i]), 0);
	}
	/* the queues of the port, and no more */
	assert_true(queue_xstat_get("rx_q", 2, "good_packets") == UINT64_MAX);
	assert_true(queue_xstat_get("vq", 2 * PAIRS, "good_packets") == UINT64_MAX);
}

/* Pair i has counted 10 ^ i frames in each direction. */
static void
queues_of_the_port_are_sums_of_virtqueues(void **state)
{
	uint64_t n = 1;
	unsigned int pair;

	RTE_SET_USED(state);
	for (pair = 0; pair < PAIRS; pair++, n *= 10) {
		vstate_net_vq_of(dev->vqs[VSTATE_TXQ(pair)])->counters.packets = n;
		vstate_net_vq_of(dev->vqs[VSTATE_RXQ(pair)])->counters.packets = 2 * n;
	}
	port_configure(2, 1);
	assert_int_equal(queue_xstat_get("rx_q", 0, "good_packets"), 101);
	assert_int_equal(queue_xstat_get("rx_q", 1, "good_packets"), 1010);
	assert_int_equal(queue_xstat_get("tx_q", 0, "good_packets"), 2222);
	assert_int_equal(queue_xstat_get("vq", VSTATE_TXQ(2), "good_packets"), 100);
	assert_int_equal(queue_xstat_get("vq", VSTATE_RXQ(2), "good_packets"), 200);
	/* more queues than the guest has */
	port_configure(6, 6);
	assert_int_equal(queue_xstat_get("rx_q", 3, "good_packets"), 1000);
	assert_int_equal(queue_xstat_get("rx_q", 4, "good_packets"), 0);
	assert_int_equal(queue_xstat_get("tx_q", 3, "good_packets"), 2000);
	assert_int_equal(rte_eth_xstats_reset(port), 0);
	assert_int_equal(queue_xstat_get("rx_q", 3, "good_packets"), 0);
	assert_int_equal(queue_xstat_get("vq", VSTATE_RXQ(2), "good_packets"), 0);
}

/* ---- multicast and broadcast ---- */

static const uint8_t addresses[3][6] = {
	{ 0x52, 0x54, 0, 0, 0, 1 }, { 0x01, 0, 0x5e, 0, 0, 1 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
};

/* One unicast frame, two multicast frames, three broadcast frames, each way. */
static void
receivers_are_counted(void **state)
{
	struct rte_mbuf *pkts[6];
	unsigned int i, packed;
	struct ring r;

	RTE_SET_USED(state);
	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 16);
		vstate_net_casts_begin(r.nq);
		for (i = 0; i < 6; i++) {
			const struct piece p = { RING_BUF_GPA + 1024 * i, RING_HDR + 60 };

			memcpy(guest_at(&r.guest, p.gpa + RING_HDR),
					addresses[i == 0 ? 0 : i < 3 ? 1 : 2], 6);
			ring_add(&r, &p, 1, false);
		}
		assert_int_equal(r.nq->ops->take(r.nq, r.pool, pkts, 6), 6);
		/* the last one is not given: it is taken again, and counted once */
		r.nq->ops->give(r.nq, 5);
		rte_pktmbuf_free(pkts[5]);
		assert_int_equal(r.nq->counters.broadcast, 2);
		assert_int_equal(r.nq->ops->take(r.nq, r.pool, &pkts[5], 1), 1);
		r.nq->ops->give(r.nq, 1);
		assert_int_equal(r.nq->counters.multicast, 2);
		assert_int_equal(r.nq->counters.broadcast, 3);
		assert_int_equal(r.nq->counters.packets, 6);
		for (i = 0; i < 5; i++) {
			const struct piece p = { RING_BUF_GPA + 1024 * i, 1024 };

			ring_add(&r, &p, 1, true);
		}
		/* back, and only what was sent counts */
		assert_int_equal(vq_put(r.nq, pkts, 6), 5);
		assert_int_equal(r.nq->counters.multicast, 4);
		assert_int_equal(r.nq->counters.broadcast, 5);
		rte_pktmbuf_free_bulk(pkts, 6);
		assert_int_equal(ring_mbufs_out(&r), 0);
		ring_close(&r);
	}
}

int
test_vstate_port_stats(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_name_of_net_vhost_is_there, stats_setup,
				stats_teardown),
		cmocka_unit_test_setup_teardown(queues_of_the_port_are_sums_of_virtqueues,
				stats_setup, stats_teardown),
		cmocka_unit_test(receivers_are_counted),
	};

	return cmocka_run_group_tests_name("vstate_port_stats", tests, NULL, NULL);
}

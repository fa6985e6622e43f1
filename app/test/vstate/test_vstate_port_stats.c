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

#include <vstate_compat.h>

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

static struct vstate_net_vq_counters *
counters_of(uint16_t qid)
{
	return &vstate_net_vq_of(dev->vqs[qid])->counters;
}

/* Each of the sums of the port, and those of its queues. Pair i has counted 100 ^ i frames. */
static void
port_has_the_sums_of_all_pairs(void **state)
{
	struct rte_eth_stats stats;
	unsigned int pair;
	uint64_t n = 1;

	RTE_SET_USED(state);
	port_configure(2, 3);
	for (pair = 0; pair < PAIRS; pair++, n *= 100) {
		*counters_of(VSTATE_TXQ(pair)) = (struct vstate_net_vq_counters){ .packets = n,
			.bytes = 2 * n, .runt = 3 * n, .oversize = 4 * n, .bad_offload = 5 * n,
			.nombuf = 6 * n };
		*counters_of(VSTATE_RXQ(pair)) = (struct vstate_net_vq_counters){ .packets = 7 * n,
			.bytes = 8 * n, .small_buffer = 9 * n, .bad_offload = 10 * n };
	}
	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(stats.ipackets, 1010101);
	assert_int_equal(stats.ibytes, 2020202);
	assert_int_equal(stats.ierrors, 12121212);
	assert_int_equal(stats.rx_nombuf, 6060606);
	assert_int_equal(stats.opackets, 7070707);
	assert_int_equal(stats.obytes, 8080808);
	assert_int_equal(stats.oerrors, 19191919);
#if VSTATE_STATS_HAVE_QUEUES
	assert_int_equal(stats.q_ipackets[0], 10001);
	assert_int_equal(stats.q_ibytes[1], 2000200);
	assert_int_equal(stats.q_opackets[0], 7000007);
	assert_int_equal(stats.q_opackets[1], 700);
	assert_int_equal(stats.q_obytes[2], 80000);
	assert_int_equal(stats.q_obytes[3], 0);
#endif
	assert_int_equal(rte_eth_stats_reset(port), 0);
	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(stats.ipackets + stats.ibytes + stats.ierrors + stats.rx_nombuf, 0);
	assert_int_equal(stats.opackets + stats.obytes + stats.oerrors, 0);
}

/* Each extended statistic has the number of its name. A short array is not written. */
static void
extended_statistics_are_numbered(void **state)
{
	struct rte_eth_xstat xstats[512];
	struct rte_eth_xstat_name names[512];
	int n, i;

	RTE_SET_USED(state);
	port_configure(1, 3);
	for (i = 0; i < 2 * PAIRS; i++)
		counters_of(i)->oversize = 100 + i;
	memset(xstats, 0xff, sizeof(xstats));
	n = rte_eth_xstats_get(port, NULL, 0);
	assert_in_range(n, 2 * PAIRS, RTE_DIM(xstats) - 1);
	assert_int_equal(rte_eth_xstats_get(port, xstats, n - 1), n);
	assert_true(xstats[n - 2].value == UINT64_MAX);
	assert_int_equal(rte_eth_xstats_get_names(port, NULL, 0), n);
	assert_int_equal(rte_eth_xstats_get_names(port, names, n), n);
	assert_int_equal(rte_eth_xstats_get(port, xstats, n), n);
	assert_true(xstats[n].id == UINT64_MAX && xstats[n].value == UINT64_MAX);
	for (i = 0; i < n; i++) {
		assert_int_equal(xstats[i].id, i);
		assert_int_equal(xstats[i].value, xstat_get(names[i].name));
	}
	assert_int_equal(queue_xstat_get("vq", 3, "dropped_oversize"), 103);
	assert_int_equal(queue_xstat_get("tx_q", 1, "dropped_oversize"), 102);
	assert_int_equal(xstat_get(names[n - 1].name), 0);
	assert_int_equal(strncmp(names[n - 1].name, "broken_", 7), 0);
}

/* ---- frames by size ---- */

/* The sizes at each border, and how many of them each counter has. */
static const uint16_t sizes[] = { 14, 63, 64, 65, 127, 128, 255, 256, 511, 512, 1023, 1024, 1518,
	1519, 1600 };
static const uint8_t of_size[VSTATE_SIZE_BINS] = { 2, 1, 2, 2, 2, 2, 2, 2 };

/* Check that @p times of each size were counted. */
static void
sizes_check(const struct ring *r, unsigned int times)
{
	unsigned int bin;

	for (bin = 0; bin < VSTATE_SIZE_BINS; bin++)
		assert_int_equal(r->nq->counters.size_bins[bin], times * of_size[bin]);
}

/* Frames by size, each way: in runs of two of one size, and then one of each. */
static void
frames_are_counted_by_size(void **state)
{
	struct rte_mbuf *pkts[3 * RTE_DIM(sizes)];
	unsigned int i, n, packed;
	struct ring r;

	RTE_SET_USED(state);
	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 64);
		for (i = 0; i < RTE_DIM(pkts); i++) {
			const struct piece p = { RING_BUF_GPA + 2048 * i, RING_HDR +
				sizes[i < 30 ? i / 2 : i - 30] };

			ring_add(&r, &p, 1, false);
		}
		for (i = 0; i < RTE_DIM(pkts); i += n) {
			n = r.nq->ops->take(r.nq, r.pool, &pkts[i],
					RTE_MIN(RTE_DIM(pkts) - i, 32u));
			assert_true(n > 0);
			r.nq->ops->give(r.nq, n);
		}
		sizes_check(&r, 3);
		for (i = 0; i < RTE_DIM(pkts); i++) {
			const struct piece p = { RING_BUF_GPA + 2048 * i, 2048 };

			ring_add(&r, &p, 1, true);
		}
		for (i = 0; i < RTE_DIM(pkts); i += n) {
			n = vq_put(r.nq, &pkts[i], RTE_MIN(RTE_DIM(pkts) - i, 32u));
			assert_true(n > 0);
		}
		sizes_check(&r, 6);
		rte_pktmbuf_free_bulk(pkts, RTE_DIM(pkts));
		assert_int_equal(ring_mbufs_out(&r), 0);
		ring_close(&r);
	}
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
		cmocka_unit_test_setup_teardown(port_has_the_sums_of_all_pairs, stats_setup,
				stats_teardown),
		cmocka_unit_test_setup_teardown(extended_statistics_are_numbered, stats_setup,
				stats_teardown),
		cmocka_unit_test(frames_are_counted_by_size),
		cmocka_unit_test(receivers_are_counted),
	};

	return cmocka_run_group_tests_name("vstate_port_stats", tests, NULL, NULL);
}

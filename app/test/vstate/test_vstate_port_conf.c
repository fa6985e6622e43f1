/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * What an application may configure: each setting of ethdev is served as it says, or refused. The
 * table of the guide (vdpadevs/port) names these tests.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <bus_vdev_driver.h>

#include "ut_groups.h"
#include "dev/vstate_dev.h"
#include "net/vstate_net_vq.h"

#define NAME "net_vstate5"

static struct rte_mempool *pool;
static uint16_t port;

static void
port_open(const char *args)
{
	char all[96];

	snprintf(all, sizeof(all), "iface=/tmp/vstate-conf-%d.sock%s", getpid(), args);
	assert_int_equal(rte_vdev_init(NAME, all), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &port), 0);
}

static void
port_close(void)
{
	assert_int_equal(rte_vdev_uninit(NAME), 0);
}

static int
conf_setup(void **state)
{
	RTE_SET_USED(state);
	pool = rte_pktmbuf_pool_create("conf", 7, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	return pool != NULL ? 0 : -1;
}

static int
conf_teardown(void **state)
{
	RTE_SET_USED(state);
	rte_mempool_free(pool);
	return 0;
}

static void
port_begin(const struct rte_eth_conf *conf)
{
	assert_int_equal(rte_eth_dev_configure(port, 1, 1, conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(port, 0, 64, SOCKET_ID_ANY, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(port, 0, 64, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
}

/* Each bit of the offloads alone. */
static void
exactly_the_offloads_offered_can_be_enabled(void **state)
{
	const uint64_t rx = RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
		RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER;
	const uint64_t tx = RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |
		RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	unsigned int tso, i;
	uint64_t rx_all, tx_all;

	RTE_SET_USED(state);
	for (tso = 0; tso < 2; tso++) {
		rx_all = rx;
		if (tso)
			rx_all |= RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
		tx_all = tx | (tso ? RTE_ETH_TX_OFFLOAD_TCP_TSO : 0);
		port_open(tso ? ",tso=1,ipv4-cksum=1" : "");
		for (i = 0; i < 64; i++) {
			struct rte_eth_conf conf = { .rxmode.offloads = RTE_BIT64(i) };

			assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf),
					rx_all & RTE_BIT64(i) ? 0 : -EINVAL);
			conf = (struct rte_eth_conf){ .txmode.offloads = RTE_BIT64(i) };
			assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf),
					tx_all & RTE_BIT64(i) ? 0 : -EINVAL);
		}
		port_close();
	}
}

static void
settings_without_support_are_refused(void **state)
{
	static const struct rte_eth_conf confs[] = {
		{ .rxmode.mq_mode = RTE_ETH_MQ_RX_DCB },
		{ .rxmode.mq_mode = RTE_ETH_MQ_RX_VMDQ_ONLY },
		{ .txmode.mq_mode = RTE_ETH_MQ_TX_DCB },
		{ .txmode.hw_vlan_insert_pvid = 1 },
		{ .txmode.hw_vlan_reject_tagged = 1 },
		{ .txmode.hw_vlan_reject_untagged = 1 },
		{ .lpbk_mode = 1 },
	};
	/* these ethdev itself refuses */
	static const struct rte_eth_conf checked[] = {
		{ .rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
			.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_IP },
		{ .intr_conf.rmv = 1 },
		{ .rxmode.mtu = 20 },
	};
	struct rte_eth_conf rss = { .rxmode.mq_mode = RTE_ETH_MQ_RX_RSS };
	size_t i;

	RTE_SET_USED(state);
	port_open("");
	for (i = 0; i < RTE_DIM(confs); i++)
		assert_int_equal(rte_eth_dev_configure(port, 1, 1, &confs[i]), -ENOTSUP);
	for (i = 0; i < RTE_DIM(checked); i++)
		assert_int_equal(rte_eth_dev_configure(port, 1, 1, &checked[i]), -EINVAL);
	/* RSS without a hash function, as l3fwd asks */
	assert_int_equal(rte_eth_dev_configure(port, 2, 2, &rss), 0);
	port_close();
}

static void
calls_without_support_say_so(void **state)
{
	struct rte_eth_rss_reta_entry64 reta[1] = { { .mask = 1 } };
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 1 } };
	struct rte_eth_rss_conf rss = { 0 };
	const struct rte_eth_conf conf = { 0 };
	struct rte_eth_fc_conf fc = { 0 };
	struct rte_flow_error error;
	struct rte_power_monitor_cond monitor;
	struct timespec ts;

	RTE_SET_USED(state);
	port_open("");
	port_begin(&conf);
	/* the port is promiscuous, and stays so */
	assert_int_equal(rte_eth_promiscuous_get(port), 1);
	assert_int_equal(rte_eth_promiscuous_enable(port), 0);
	assert_int_equal(rte_eth_promiscuous_disable(port), -ENOTSUP);
	assert_int_equal(rte_eth_promiscuous_get(port), 1);
	assert_int_equal(rte_eth_allmulticast_enable(port), 0);
	assert_int_equal(rte_eth_allmulticast_disable(port), -ENOTSUP);
	assert_int_equal(rte_eth_allmulticast_get(port), 1);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(port, &mac, 1), -ENOTSUP);
	assert_int_equal(rte_eth_dev_mac_addr_add(port, &mac, 0), -ENOTSUP);
	assert_true(rte_eth_dev_uc_hash_table_set(port, &mac, 1) < 0);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(port, &mac), 0);
	assert_int_equal(rte_eth_dev_rss_reta_query(port, reta, 64), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rss_reta_update(port, reta, 64), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rss_hash_update(port, &rss), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(port, &rss), -ENOTSUP);
	assert_int_equal(rte_eth_dev_set_vlan_offload(port, RTE_ETH_VLAN_STRIP_OFFLOAD), -ENOTSUP);
	assert_int_equal(rte_eth_dev_vlan_filter(port, 1, 1), -ENOSYS);
	assert_int_equal(rte_eth_dev_flow_ctrl_get(port, &fc), -ENOTSUP);
	assert_int_equal(rte_eth_dev_set_link_up(port), -ENOTSUP);
	assert_int_equal(rte_eth_dev_set_link_down(port), -ENOTSUP);
	assert_int_equal(rte_eth_timesync_enable(port), -ENOTSUP);
	assert_int_equal(rte_eth_timesync_read_time(port, &ts), -ENOTSUP);
	assert_int_equal(rte_eth_led_on(port), -ENOTSUP);
	assert_int_equal(rte_eth_get_monitor_addr(port, 0, &monitor), -ENOTSUP);
	assert_int_equal(rte_flow_isolate(port, 1, &error), -ENOSYS);
	port_close();
}

/* MTU, max_rx_pktlen and max_mtu, as ethdev and testpmd (--max-pkt-len) compute them. */
static void
lengths_agree(void **state)
{
	static const char *const args[] = { "", ",mtu=1500", ",mtu=9000", ",mtu=68", ",mtu=65535" };
	const uint32_t mtus[] = { 65535, 1500, 9000, 68, 65535 };
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	uint32_t overhead;
	uint16_t mtu;
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(args); i++) {
		port_open(args[i]);
		assert_int_equal(rte_eth_dev_info_get(port, &info), 0);
		assert_int_equal(info.max_mtu, mtus[i]);
		overhead = info.max_rx_pktlen - info.max_mtu;
		assert_int_equal(overhead, RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN);
		/* the longest packet, and one more */
		memset(&conf, 0, sizeof(conf));
		conf.rxmode.mtu = mtus[i];
		assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
		conf.rxmode.mtu = mtus[i] + 1;
		if (mtus[i] < 65535)
			assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), -EINVAL);
		/* without an MTU: 1500, or what there is */
		conf.rxmode.mtu = 0;
		assert_int_equal(rte_eth_dev_configure(port, 1, 1, &conf), 0);
		assert_int_equal(rte_eth_dev_get_mtu(port, &mtu), 0);
		assert_int_equal(mtu, RTE_MIN(mtus[i], 1500u));
		port_close();
	}
}

static uint32_t
frame_max_get(void)
{
	return vstate_net_vq_of(vstate_dev_find(NAME)->vqs[1])->frame_max;
}

static void
mtu_limits_frames_as_with_a_nic(void **state)
{
	const struct rte_eth_conf conf = { 0 }, jumbo = { .rxmode.mtu = 9000 };
	const uint32_t l2 = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;

	RTE_SET_USED(state);
	port_open(",mtu=9000");
	port_begin(&conf);
	assert_int_equal(frame_max_get(), 1500 + l2);
	assert_int_equal(rte_eth_dev_set_mtu(port, 4000), 0);
	assert_int_equal(frame_max_get(), 4000 + l2);
	assert_int_equal(rte_eth_dev_set_mtu(port, 9001), -EINVAL);
	assert_int_equal(frame_max_get(), 4000 + l2);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, 2000), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(frame_max_get(), 2000 + l2);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	port_begin(&jumbo);
	assert_int_equal(frame_max_get(), 9000 + l2);
	port_close();
}

static uint32_t
lro_max_get(void)
{
	return vstate_net_vq_of(vstate_dev_find(NAME)->vqs[1])->lro_max;
}

static void
large_frames_are_received_only_with_lro(void **state)
{
	const struct rte_eth_conf conf = { 0 };
	struct rte_eth_conf lro = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_TCP_LRO };

	RTE_SET_USED(state);
	port_open(",tso=1");
	port_begin(&conf);
	assert_int_equal(lro_max_get(), 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	/* ethdev's default is max_rx_pktlen */
	port_begin(&lro);
	assert_int_equal(lro_max_get(), 1518);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	lro.rxmode.max_lro_pkt_size = 32000;
	port_begin(&lro);
	assert_int_equal(lro_max_get(), 32000);
	lro.rxmode.max_lro_pkt_size = VSTATE_MAX_FRAME + 1;
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_configure(port, 1, 1, &lro), -EINVAL);
	port_close();
}

/* Whether the port completes partial checksums, with these offloads. */
static bool
checksums_are_completed(uint64_t offloads)
{
	const struct rte_eth_conf conf = { .rxmode.offloads = offloads };
	bool complete;

	port_begin(&conf);
	complete = vstate_net_vq_of(vstate_dev_find(NAME)->vqs[1])->complete_csum;
	assert_int_equal(rte_eth_dev_stop(port), 0);
	return complete;
}

/*
 * An application leaves a frame as it is unless it knows partial checksums: those of net_vhost and
 * net_virtio do, and enable what these offer. OVS and l3fwd enable all three, as of a NIC.
 */
static void
partial_checksums_are_left_only_to_an_application_that_knows_them(void **state)
{
	RTE_SET_USED(state);
	port_open(",ipv4-cksum=1");
	assert_true(checksums_are_completed(0));
	assert_true(checksums_are_completed(RTE_ETH_RX_OFFLOAD_UDP_CKSUM));
	assert_true(checksums_are_completed(RTE_ETH_RX_OFFLOAD_TCP_CKSUM));
	assert_false(checksums_are_completed(RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
			RTE_ETH_RX_OFFLOAD_TCP_CKSUM));
	assert_true(checksums_are_completed(RTE_ETH_RX_OFFLOAD_CHECKSUM));
	port_close();
}

int
test_vstate_port_conf(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_the_offloads_offered_can_be_enabled),
		cmocka_unit_test(settings_without_support_are_refused),
		cmocka_unit_test(calls_without_support_say_so),
		cmocka_unit_test(lengths_agree),
		cmocka_unit_test(mtu_limits_frames_as_with_a_nic),
		cmocka_unit_test(partial_checksums_are_left_only_to_an_application_that_knows_them),
		cmocka_unit_test(large_frames_are_received_only_with_lro),
	};

	return cmocka_run_group_tests_name("vstate_port_conf", tests, conf_setup, conf_teardown);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The representor's bursts beyond the rings: the announcement of a guest that moved. */

#include <string.h>

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "test.h"
#include "vstate_port.h"

static const struct rte_ether_addr guest_mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };

/* A port queue on a device whose rings are not granted: only announcements can come. */
struct fixture {
	struct vstate_dev dev;
	struct vstate_vq vq;
	struct vstate_port_rxq rxq;
};

static int
setup(void **state)
{
	struct fixture *f = aligned_alloc(RTE_CACHE_LINE_SIZE,
			RTE_ALIGN(sizeof(*f), RTE_CACHE_LINE_SIZE));

	assert_non_null(f);
	memset(f, 0, sizeof(*f));
	f->dev.nb_vqs = 2;
	f->dev.vqs[0] = &f->vq;
	f->dev.vqs[1] = &f->vq;
	f->vq.port_id = 7;
	f->rxq.dev = &f->dev;
	f->rxq.nb_rxq = 1;
	f->rxq.only = &f->vq;
	f->rxq.rarp_pending = &f->dev.rarp_pending;
	f->rxq.pool = rte_pktmbuf_pool_create("port", 3, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	assert_non_null(f->rxq.pool);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rte_mempool_avail_count(f->rxq.pool), 3);
	rte_mempool_free(f->rxq.pool);
	free(f);
	return 0;
}

static void
announce(struct fixture *f)
{
	f->dev.rarp_mac = guest_mac;
	f->dev.rarp_pending = 1;
}

static void
guest_that_moved_is_announced_once(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *pkts[4];
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
	announce(f);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 1);
	eth = rte_pktmbuf_mtod(pkts[0], struct rte_ether_hdr *);
	arp = (struct rte_arp_hdr *)(eth + 1);
	assert_int_equal(pkts[0]->port, 7);
	assert_int_equal(eth->ether_type, rte_cpu_to_be_16(RTE_ETHER_TYPE_RARP));
	assert_true(rte_is_broadcast_ether_addr(&eth->dst_addr));
	assert_true(rte_is_same_ether_addr(&eth->src_addr, &guest_mac));
	assert_true(rte_is_same_ether_addr(&arp->arp_data.arp_sha, &guest_mac));
	rte_pktmbuf_free(pkts[0]);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
}

static void
announcement_waits_for_an_mbuf_and_for_room(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *pkts[4], *hoard[3];

	announce(f);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 0), 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(f->rxq.pool, hoard, 3), 0);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
	rte_pktmbuf_free_bulk(hoard, 3);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 1);
	rte_pktmbuf_free(pkts[0]);
}

int
test_vstate_port(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(guest_that_moved_is_announced_once, setup,
				teardown),
		cmocka_unit_test_setup_teardown(announcement_waits_for_an_mbuf_and_for_room, setup,
				teardown),
	};

	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}

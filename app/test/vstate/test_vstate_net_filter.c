/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The receive filter of a driver: which frames pass, and what becomes of the others. */

#include <string.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_mbuf.h>

#include "rte_vhost_state.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "net/vstate_net_filter.h"
#include "net/vstate_net_ops.h"
#include "net/vstate_net_vq.h"

#define CTRL(name) RTE_VHOST_STATE_NET_CTRL_##name

static const struct rte_ether_addr mac_a = { { 0x02, 1, 2, 3, 4, 5 } };
static const struct rte_ether_addr mac_b = { { 0x02, 1, 2, 3, 4, 6 } };
static const struct rte_ether_addr group = { { 0x33, 0x33, 0, 0, 0, 7 } };

static struct rte_mbuf *
frame_make(struct ring *r, const struct rte_ether_addr *to, int vlan)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);
	uint8_t *p;

	assert_non_null(m);
	p = (uint8_t *)rte_pktmbuf_append(m, 64);
	assert_non_null(p);
	memset(p, 0, 64);
	memcpy(p, to, 6);
	if (vlan >= 0) {
		p[12] = 0x81;
		p[14] = 0x20 | vlan >> 8;
		p[15] = vlan;
	}
	return m;
}

static bool
frame_passes(struct ring *r, const struct vstate_net_filter *f, const struct rte_ether_addr *to,
		int vlan)
{
	struct rte_mbuf *m = frame_make(r, to, vlan);
	bool passes = vstate_net_filter_passes(f, m);

	rte_pktmbuf_free(m);
	return passes;
}

static const struct rte_ether_addr broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
static const struct rte_ether_addr other = { { 0x02, 9, 9, 9, 9, 9 } };
static const struct rte_ether_addr other_group = { { 0x33, 0x33, 0, 0, 0, 8 } };

static void
each_mode_decides_about_its_frames(void **state)
{
	/* own address; one of the table; another one; group of the table; another one; broadcast */
	static const struct rte_ether_addr *const to[] = { &mac_a, &mac_b, &other, &group,
		&other_group, &broadcast };
	static const struct {
		uint8_t modes, passing;
	} rows[] = {
		{ 0, 0x2b },
		{ 1 << CTRL(ALLMULTI), 0x3b },
		{ 1 << CTRL(ALLUNI), 0x2f },
		{ 1 << CTRL(NOMULTI), 0x23 },
		{ 1 << CTRL(NOUNI), 0x28 },
		{ 1 << CTRL(NOBCAST), 0x0b },
		{ 1 << CTRL(ALLMULTI) | 1 << CTRL(NOMULTI), 0x23 },
	};
	struct rte_vhost_state_net_ctrl ctrl = { .accepted = 0x7f, .nb_unicast = 1,
		.nb_multicast = 1, .macs = { mac_b, group } };
	static struct vstate_net_filter f;
	struct ring r;
	unsigned int i, k;

	ring_open(&r, false, 16);
	for (i = 0; i < RTE_DIM(rows); i++) {
		ctrl.rx_mode = rows[i].modes;
		assert_true(vstate_net_filter_build(&f, &ctrl, &mac_a, false));
		for (k = 0; k < RTE_DIM(to); k++)
			if (frame_passes(&r, &f, to[k], -1) != (rows[i].passing >> k & 1))
				fail_msg("row %u, address %u", i, k);
	}
	/* promiscuous mode, also by default */
	ctrl.rx_mode = 1 << CTRL(PROMISC) | 1 << CTRL(NOUNI);
	assert_false(vstate_net_filter_build(&f, &ctrl, &mac_a, true));
	ctrl.accepted = 0;
	ctrl.rx_mode = 0;
	assert_false(vstate_net_filter_build(&f, &ctrl, &mac_a, true));
	ring_close(&r);
}

static void
tagged_frames_need_their_vlan(void **state)
{
	struct rte_vhost_state_net_ctrl ctrl = { .accepted = 1 };
	static struct vstate_net_filter f;
	struct ring r;

	ring_open(&r, false, 16);
	ctrl.vlans[4095 / 64] |= RTE_BIT64(4095 % 64);
	assert_true(vstate_net_filter_build(&f, &ctrl, &mac_a, true));
	assert_true(frame_passes(&r, &f, &mac_a, -1));
	assert_true(frame_passes(&r, &f, &mac_a, 4095));
	assert_false(frame_passes(&r, &f, &mac_a, 4094));
	/* the tag has a priority only */
	assert_true(frame_passes(&r, &f, &mac_a, 0));
	assert_true(vstate_net_filter_build(&f, &ctrl, &mac_a, false));
	assert_true(frame_passes(&r, &f, &mac_a, 4094));
	ring_close(&r);
}

/* Frames 1 and 3 of four do not pass; the driver has buffers for @p room frames. */
static void
burst_filter(uint16_t room, uint16_t done, uint16_t put, uint64_t filtered)
{
	struct rte_vhost_state_net_ctrl ctrl = { .accepted = 1 };
	static struct vstate_net_filter f;
	struct rte_mbuf *pkts[4];
	uint16_t lens[4] = { 1, 1, 1, 1 }, ids[4];
	uint32_t used[4];
	struct ring r;
	uint16_t i;

	ring_open(&r, false, 16);
	assert_true(vstate_net_filter_build(&f, &ctrl, &mac_a, false));
	vstate_net_filter_set(r.nq, &f);
	ring_add_buffers(&r, lens, room, true, ids);
	for (i = 0; i < 4; i++)
		pkts[i] = frame_make(&r, i % 2 == 0 ? &mac_a : &other, -1);
	assert_int_equal(vq_put(r.nq, pkts, 4), done);
	assert_int_equal(ring_get_used_in_order(&r, ids, room, used), put);
	assert_int_equal(r.nq->filtered, filtered);
	assert_int_equal(r.nq->counters.packets, put);
	rte_pktmbuf_free_bulk(pkts, 4);
	vstate_net_filter_set(r.nq, NULL);
	assert_ptr_equal(r.nq->ops, vstate_net_ops_choose(false));
	ring_close(&r);
}

static void
filtered_frames_are_taken_and_counted(void **state)
{
	burst_filter(4, 4, 2, 2);
}

static void
frames_behind_a_full_ring_are_left(void **state)
{
	/* frame 2 has no buffer: frame 1 in front of it is done */
	burst_filter(1, 2, 1, 1);
	burst_filter(0, 0, 0, 0);
}

int
test_vstate_net_filter(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mode_decides_about_its_frames),
		cmocka_unit_test(tagged_frames_need_their_vlan),
		cmocka_unit_test(filtered_frames_are_taken_and_counted),
		cmocka_unit_test(frames_behind_a_full_ring_are_left),
	};

	return cmocka_run_group_tests_name("vstate_net_filter", tests, NULL, NULL);
}

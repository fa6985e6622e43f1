/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file What the frames of a burst have in common, as each build of the ring code finds it. */

#include <stdlib.h>

#include <rte_mbuf.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "net/vstate_net_mbuf.h"
#include "ring/vstate_vq.h"

#define ROUNDS 20000

/* The same by the words of its description. */
static uint8_t
plain_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	bool whole = true, alike = true, special = false;
	uint16_t i;

	for (i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];

		whole &= m->pool == pkts[0]->pool && m->nb_segs == 1 && m->refcnt == 1 &&
			RTE_MBUF_DIRECT(m);
		alike &= m->nb_segs == 1 && m->pkt_len == pkts[0]->pkt_len &&
			!(m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK & ~RTE_MBUF_F_TX_VLAN);
		special |= (m->ol_flags & (RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_TCP_SEG |
				RTE_MBUF_F_TX_UDP_SEG)) != 0;
	}
	return (whole ? VSTATE_NET_MBUF_WHOLE : 0) | (alike ? VSTATE_NET_MBUF_ALIKE : 0) |
		(special ? VSTATE_NET_MBUF_SPECIAL : 0);
}

/* Something that makes this frame another one, or does not. */
static void
make_odd(struct rte_mbuf *m, struct rte_mempool *other)
{
	static const uint64_t flags[] = { RTE_MBUF_F_TX_TCP_CKSUM, RTE_MBUF_F_TX_UDP_CKSUM,
		RTE_MBUF_F_TX_IP_CKSUM, RTE_MBUF_F_TX_TCP_SEG, RTE_MBUF_F_TX_UDP_SEG,
		RTE_MBUF_F_TX_VLAN, RTE_MBUF_F_RX_RSS_HASH, RTE_MBUF_F_RX_VLAN,
		RTE_MBUF_F_EXTERNAL, RTE_MBUF_F_INDIRECT };

	switch (random() % 9) {
	case 0:
		m->pool = other;
		break;
	case 1:
		m->refcnt = 2;
		break;
	case 2:
		m->nb_segs = 2;
		break;
	case 3:
		m->pkt_len++;
		break;
	case 4:
		m->data_off += 2;
		m->port++;
		m->packet_type = RTE_PTYPE_L3_IPV4;
		m->vlan_tci = 7;
		m->hash.rss = random();
		break;
	default:
		m->ol_flags |= flags[random() % RTE_DIM(flags)];
		break;
	}
}

/* What a look finds in frames of which some are odd, or all in the same way. */
static void
round_look(const struct vstate_net_ops *ops, struct rte_mempool *pool, struct rte_mempool *other)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t n = 1 + random() % VSTATE_BURST, odd = random() % 4, i;
	unsigned int seed = random();

	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, pkts, n), 0);
	for (i = 0; i < n; i++)
		pkts[i]->data_len = pkts[i]->pkt_len = 60;
	for (i = 0; odd == 3 && i < n; i++) {
		srandom(seed);
		make_odd(pkts[i], other);
	}
	for (i = 0; odd < 3 && i < odd; i++)
		make_odd(pkts[random() % n], other);
	assert_int_equal(ops->look(pkts, n), plain_look(pkts, n));
	for (i = 0; i < n; i++) {
		pkts[i]->pool = pool;
		pkts[i]->nb_segs = pkts[i]->refcnt = 1;
		pkts[i]->ol_flags = 0;
	}
	rte_pktmbuf_free_bulk(pkts, n);
}

static void
every_build_finds_what_frames_have_in_common(void **state)
{
	const struct vstate_net_ops *ops[3];
	unsigned int packed, nb, i, round;
	struct rte_mempool *other;
	struct ring r;

	RTE_SET_USED(state);
	other = rte_pktmbuf_pool_create("other", 1, 0, 0, 256, SOCKET_ID_ANY);
	assert_non_null(other);
	srandom(43);
	for (packed = 0; packed < 2; packed++) {
		nb = vq_builds(packed, ops);
		ring_open(&r, packed, 4);
		for (i = 0; i < nb; i++)
			for (round = 0; round < ROUNDS / nb; round++)
				round_look(ops[i], r.pool, other);
		ring_close(&r);
	}
	rte_mempool_free(other);
}

int
test_vstate_net_mbuf(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_build_finds_what_frames_have_in_common),
	};

	return cmocka_run_group_tests_name("vstate_net_mbuf", tests, NULL, NULL);
}

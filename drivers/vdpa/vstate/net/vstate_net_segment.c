/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <rte_ethdev.h>
#include <rte_gso.h>

#include <vstate_compat.h>

#include "vstate_net_offload.h"
#include "vstate_net_segment.h"

bool
vstate_net_segment_can(const struct rte_mbuf *m)
{
	if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0)
		return false;
	return (m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0 || VSTATE_GSO_TCP6;
}

/* Ask for the checksums of a segment. Its length field differs from that of the frame. */
static void
checksums_request(struct rte_mbuf *seg)
{
	seg->ol_flags &= ~(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG);
	seg->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	if (seg->ol_flags & RTE_MBUF_F_TX_IPV4)
		seg->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
}

/* @param m  its first mbuf is direct */
static int
frame_segment(struct rte_mbuf *m, struct rte_mempool *pool, struct rte_mbuf **segs)
{
	const uint64_t flags = m->ol_flags;
	const struct rte_gso_ctx ctx = {
		.direct_pool = pool,
		.indirect_pool = pool,
		.gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO,
		/* lib/gso counts the headers too */
		.gso_size = m->l2_len + m->l3_len + m->l4_len + m->tso_segsz,
	};
	int ret, i;

	/* lib/gso knows the frame by these flags only */
	m->ol_flags &= ~(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_VLAN);
	ret = rte_gso_segment(m, &ctx, segs, VSTATE_NET_SEGMENTS);
	m->ol_flags = flags;
	if (ret == 0) {
		/* one segment: the frame itself, which is freed twice then, with all mbufs */
		rte_pktmbuf_refcnt_update(m, 1);
		segs[0] = m;
		ret = 1;
	}
	for (i = 0; i < ret; i++)
		checksums_request(segs[i]);
	return ret;
}

/*
 * lib/gso copies the flags of the frame's first mbuf to the header mbuf of each segment. With the
 * flag of a clone such an mbuf is freed twice. With that of an external buffer it frees a buffer
 * that it does not have. So a frame whose first mbuf is not direct is copied.
 */
static int
frame_copy_segment(const struct rte_mbuf *m, struct rte_mempool *pool, struct rte_mbuf **segs)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
	int ret;

	if (copy == NULL)
		return -ENOMEM;
	ret = frame_segment(copy, pool, segs);
	/* the segments refer to its mbufs */
	rte_pktmbuf_free(copy);
	return ret;
}

int
vstate_net_segment(struct rte_mbuf *m, struct rte_mbuf **segs)
{
	struct rte_mempool *pool = vstate_net_offload_pool(m);

	if (!vstate_net_segment_can(m))
		return -ENOTSUP;
	if (vstate_net_offload_prepare(m) != 0)
		return -EINVAL;
	if (pool == NULL)
		return -ENOMEM;
	/* lib/gso copies the headers to one mbuf, and does not check that they fit */
	if (m->l2_len + m->l3_len + m->l4_len >
			rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM)
		return -EINVAL;
	return RTE_MBUF_DIRECT(m) ? frame_segment(m, pool, segs) :
		frame_copy_segment(m, pool, segs);
}

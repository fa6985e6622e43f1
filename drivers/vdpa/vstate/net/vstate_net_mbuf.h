/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_MBUF_H
#define VSTATE_NET_MBUF_H

/**
 * @file
 * Helpers for the mbufs of a burst. One function takes many mbufs from a pool at once. Another one
 * reads each mbuf once and returns the properties that all share: the burst that puts the frames
 * and the port that frees them use these.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_memcpy.h>
#include <rte_mempool.h>
#include <rte_prefetch.h>

#include "vstate_compat.h"

/** Direct mbufs of one segment, one pool and one reference: they can return to the pool as is. */
#define VSTATE_NET_MBUF_WHOLE 1u
/** One segment each, all of one length, without offloads. A VLAN tag is not an offload here. */
#define VSTATE_NET_MBUF_ALIKE 2u
/** One mbuf at least wants a VLAN tag inserted, or asks for segmentation. */
#define VSTATE_NET_MBUF_SPECIAL 4u
/** No property is known. Always valid. */
#define VSTATE_NET_MBUF_UNKNOWN 0u

/** Transmit flags for which a copy of the frame is not enough. */
#define VSTATE_TX_OFFLOADS \
	(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG | \
	 RTE_MBUF_F_TX_UDP_SEG)

/** Transmit flags of frames that the port handles before it puts them. */
#define VSTATE_TX_SPECIAL \
	(RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

/* Half of the first cache line of an mbuf. */
typedef uint64_t vstate_half_line VSTATE_VECTOR_AT(32, 8);

/** Read the properties of @p n >= 1 frames and prefetch their data. @return VSTATE_NET_MBUF_* */
static vstate_inline uint8_t
vstate_net_mbuf_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	const struct rte_mbuf *first = pkts[0];
	const vstate_half_line *line = (const void *)first;
	const vstate_half_line low = line[0], high = line[1];
	vstate_half_line low_differ = low ^ low, high_differ = high ^ high;
	/* A bit is set if it differs between the first mbuf and another one. */
	union {
		vstate_half_line half[2];
		struct rte_mbuf mbuf;
	} differ;
	uint64_t flags;
	uint8_t look = 0;
	unsigned int i;

	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, pool) + sizeof(first->pool) > 2 * sizeof(low));
	for (i = 0; i < n; i++) {
		line = (const void *)pkts[i];
		low_differ |= line[0] ^ low;
		high_differ |= line[1] ^ high;
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], const void *));
	}
	differ.half[0] = low_differ;
	differ.half[1] = high_differ;
	/* A flag of any mbuf is a flag of the first one, or a bit in which they differ. */
	flags = first->ol_flags | differ.mbuf.ol_flags;
	if (flags & VSTATE_TX_SPECIAL)
		look |= VSTATE_NET_MBUF_SPECIAL;
	if (first->nb_segs != 1 || differ.mbuf.nb_segs != 0)
		return look;
	if (differ.mbuf.pkt_len == 0 && (flags & VSTATE_TX_OFFLOADS) == 0)
		look |= VSTATE_NET_MBUF_ALIKE;
	if (differ.mbuf.pool == NULL && first->refcnt == 1 && differ.mbuf.refcnt == 0 &&
			(flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) == 0)
		look |= VSTATE_NET_MBUF_WHOLE;
	return look;
}

/**
 * Take @p n mbufs from the pool, or none. No field of them is initialized. The cache of this lcore
 * is copied as a block, which is faster than the pool's own loop over single mbufs.
 * @return false: the pool has too few
 */
static vstate_inline bool
vstate_net_mbuf_get(struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
#ifndef RTE_LIBRTE_MEMPOOL_DEBUG
	struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());

	if (likely(cache != NULL && cache->len >= n)) {
		cache->len -= n;
		rte_memcpy(pkts, &cache->objs[cache->len], n * sizeof(*pkts));
		return true;
	}
#endif
	return rte_mempool_get_bulk(pool, (void **)pkts, n) == 0;
}

#endif /* VSTATE_NET_MBUF_H */

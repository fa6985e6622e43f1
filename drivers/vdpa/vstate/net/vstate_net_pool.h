/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_POOL_H
#define VSTATE_NET_POOL_H

/** @file Mbufs from a pool, many at once. */

#include <stdbool.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

/**
 * Take @p n mbufs as they lie in the pool: nothing in them is set. As many as are needed or
 * none. The cache of this lcore is read as a block, where the pool's own function goes through
 * it one by one and backwards.
 */
static __rte_always_inline bool
vstate_pool_get(struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
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

#endif /* VSTATE_NET_POOL_H */

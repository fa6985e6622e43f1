/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <sanitizer/asan_interface.h>

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include "fuzz_in.h"
#include "fuzz_pool.h"

/* Behind the data room: padding, and the header of the next object, which only lib/mempool uses. */
static void
tail_poison(struct rte_mempool *pool, void *arg, void *obj, unsigned int idx)
{
	struct rte_mbuf *m = obj;
	uint8_t *end = (uint8_t *)m->buf_addr + m->buf_len;

	RTE_SET_USED(arg);
	RTE_SET_USED(idx);
	ASAN_POISON_MEMORY_REGION(end, (uint8_t *)obj + pool->elt_size + pool->trailer_size - end);
}

struct rte_mempool *
fuzz_pool_make(void)
{
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create("fuzz", FUZZ_POOL_MBUFS, 64, 0,
			RTE_PKTMBUF_HEADROOM + FUZZ_POOL_ROOM, SOCKET_ID_ANY);
	fuzz_require(pool != NULL, "a pool can be made");
	rte_mempool_obj_iter(pool, tail_poison, NULL);
	return pool;
}

struct rte_mbuf *
fuzz_frame_make(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len, uint32_t seg_len)
{
	struct rte_mbuf *m = NULL, *last = NULL, *seg;
	uint32_t n;

	seg_len = RTE_MIN(seg_len, (uint32_t)FUZZ_POOL_ROOM);
	do {
		seg = rte_pktmbuf_alloc(pool);
		if (seg == NULL) {
			rte_pktmbuf_free(m);
			return NULL;
		}
		n = RTE_MIN(len, seg_len);
		memcpy(rte_pktmbuf_mtod(seg, void *), bytes, n);
		seg->data_len = n;
		if (m == NULL) {
			m = seg;
		} else {
			last->next = seg;
			m->nb_segs++;
		}
		last = seg;
		m->pkt_len += n;
		bytes += n;
		len -= n;
	} while (len > 0);
	return m;
}

void
fuzz_frame_guard(const struct rte_mbuf *m)
{
	uint8_t *data;

	for (; m != NULL; m = m->next) {
		data = rte_pktmbuf_mtod(m, uint8_t *);
		ASAN_POISON_MEMORY_REGION(m->buf_addr, m->data_off);
		ASAN_POISON_MEMORY_REGION(data + m->data_len,
				m->buf_len - m->data_off - m->data_len);
	}
}

void
fuzz_frame_unguard(const struct rte_mbuf *m)
{
	for (; m != NULL; m = m->next)
		ASAN_UNPOISON_MEMORY_REGION(m->buf_addr, m->buf_len);
}

/* What rte_pktmbuf_alloc() relies on. A frame freed twice, or only in part, shows here. */
static void
free_mbuf_require(struct rte_mempool *pool, void *arg, void *obj, unsigned int idx)
{
	const struct rte_mbuf *m = obj;

	RTE_SET_USED(pool);
	RTE_SET_USED(arg);
	RTE_SET_USED(idx);
	fuzz_require(rte_mbuf_refcnt_read(m) == 1 && m->next == NULL && m->nb_segs == 1 &&
			RTE_MBUF_DIRECT(m), "an mbuf in the pool is one segment of one owner");
}

/*
 * Not by rte_mempool_avail_count(): it reports at most the size of the pool, which hides an mbuf
 * that was freed twice. The default mempool is a ring.
 */
int
fuzz_pool_out(const struct rte_mempool *pool)
{
	return (int)pool->size - (int)(rte_ring_count(pool->pool_data) +
			pool->local_cache[rte_lcore_id()].len);
}

void
fuzz_pool_require_full(struct rte_mempool *pool)
{
	fuzz_require(fuzz_pool_out(pool) <= 0, "all mbufs are back");
	fuzz_require(fuzz_pool_out(pool) >= 0, "no mbuf is freed twice");
	rte_mempool_obj_iter(pool, free_mbuf_require, NULL);
}

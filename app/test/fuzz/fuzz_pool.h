/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FUZZ_POOL_H
#define FUZZ_POOL_H

/**
 * @file
 * Mbufs between which the address sanitizer sees every access: what lies behind the data room of
 * an mbuf is poisoned, and of a frame to be sent also what lies around its data.
 */

#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

/** Data room of an mbuf, in bytes, without headroom: no multiple of a vector's length. */
#define FUZZ_POOL_ROOM 250
/** Number of mbufs: more than one burst of the longest frames needs. */
#define FUZZ_POOL_MBUFS 1023

/** Make the pool. EAL runs. */
struct rte_mempool *fuzz_pool_make(void);

/**
 * Make a frame of @p len bytes at @p bytes, with @p seg_len bytes in each mbuf.
 * @return NULL: no mbufs
 */
struct rte_mbuf *fuzz_frame_make(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len,
		uint32_t seg_len);
/** Poison the data room of a frame's mbufs but for the data. */
void fuzz_frame_guard(const struct rte_mbuf *m);
/** Undo fuzz_frame_guard(). */
void fuzz_frame_unguard(const struct rte_mbuf *m);
/** Number of mbufs that are not in the pool; below 0 if one was freed twice. */
int fuzz_pool_out(const struct rte_mempool *pool);
/** Require that all mbufs are in the pool, and that each can be allocated again. */
void fuzz_pool_require_full(struct rte_mempool *pool);

#endif /* FUZZ_POOL_H */

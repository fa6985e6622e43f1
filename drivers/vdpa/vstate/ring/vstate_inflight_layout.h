/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INFLIGHT_LAYOUT_H
#define VSTATE_INFLIGHT_LAYOUT_H

/**
 * @file
 * The record in shared memory with which a ring can resume after its process was killed: the
 * header of a vhost-user in-flight region ("Inflight I/O tracking"). It is in a region of the front
 * end, in the device's state file, or in the queue itself if no other process reads it. The ring
 * code always writes the record and has no branch for it.
 *
 * Bursts mark no descriptor in flight: they hold no buffer when the lease is free, and publish in
 * order. Buffers that a killed process had dequeued and not published are still available in the
 * ring, and are read again. Only buffers that another device had in flight are marked one by one
 * (vstate_inflight.h).
 *
 * Split: used->idx in guest memory is the used position, and used_idx is a copy. Packed: the ring
 * does not have the used position, so the record has it. A publication writes
 *
 *   W1  {old = used position now, now = used position behind the publication}, as one word
 *   W2  the used descriptors, the last one first: the first one, which shows them all to
 *       the driver, is written last
 *   W3  {old = now}, as one word
 *
 * A killed process has done everything before some point of this program order and nothing behind
 * it. Only the order in which the compiler emits the stores matters. Between W1 and W3 the first
 * descriptor shows whether the driver saw the publication; see vstate_interrupted.h.
 */

#include <stdint.h>

#include <rte_atomic.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "vstate_compat.h"
#include "vstate_pos.h"

/** As vhost-user defines it, in host byte order: only processes of one host share it. */
struct vstate_inflight_split_desc {
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;
	uint64_t counter;
};

/** One entry for each descriptor follows. */
struct vstate_inflight_split {
	uint64_t features;
	/** 1, or 0 if no device has used the region yet. */
	uint16_t version;
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx;
};

struct vstate_inflight_packed_desc {
	uint8_t inflight;
	uint8_t padding;
	uint16_t next;
	uint16_t last;
	uint16_t num;
	uint64_t counter;
	uint16_t id;
	uint16_t flags;
	uint32_t len;
	uint64_t addr;
};

/** One entry for each descriptor follows. */
struct vstate_inflight_packed {
	uint64_t features;
	uint16_t version;
	uint16_t desc_num;
	uint16_t free_head;
	uint16_t old_free_head;
	/**
	 * {u16 used_idx, old_used_idx; u8 used_wrap_counter, old_used_wrap_counter} and two
	 * bytes of the padding: one word, so that old and new change together.
	 */
	uint64_t pos;
	uint64_t padding;
};

#define VSTATE_INFLIGHT_VERSION 1

static inline struct vstate_inflight_split_desc *
vstate_inflight_split_descs(const struct vstate_inflight_split *r)
{
	return (struct vstate_inflight_split_desc *)(uintptr_t)(r + 1);
}

static inline struct vstate_inflight_packed_desc *
vstate_inflight_packed_descs(const struct vstate_inflight_packed *r)
{
	return (struct vstate_inflight_packed_desc *)(uintptr_t)(r + 1);
}

/** The header that both layouts have, in every place of the record. */
union vstate_inflight_head {
	struct vstate_inflight_split split;
	struct vstate_inflight_packed packed;
	uint64_t words[4];
};

#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
#define VSTATE_INFLIGHT_HEAD_SHIFTS { 0, 16, 32, 40 }
#else
#define VSTATE_INFLIGHT_HEAD_SHIFTS { 48, 32, 24, 16 }
#endif

static vstate_inline uint64_t
vstate_inflight_head_word(struct vstate_pos old, struct vstate_pos now)
{
	const unsigned int shift[] = VSTATE_INFLIGHT_HEAD_SHIFTS;

	return (uint64_t)now.idx << shift[0] | (uint64_t)old.idx << shift[1] |
		(uint64_t)now.wrap << shift[2] | (uint64_t)old.wrap << shift[3];
}

static inline void
vstate_inflight_head_read(uint64_t word, struct vstate_pos *old, struct vstate_pos *now)
{
	const unsigned int shift[] = VSTATE_INFLIGHT_HEAD_SHIFTS;

	now->idx = word >> shift[0];
	old->idx = word >> shift[1];
	now->wrap = word >> shift[2];
	old->wrap = word >> shift[3];
}

/** W1 and W3. The barriers are for the compiler only; see above. */
static vstate_inline void
vstate_inflight_head_step(union vstate_inflight_head *rec, struct vstate_pos old,
		struct vstate_pos now)
{
	rte_compiler_barrier();
	rte_atomic_store_explicit(&rec->packed.pos, vstate_inflight_head_word(old, now),
			rte_memory_order_relaxed);
	rte_compiler_barrier();
}

/** Record the used index of a split ring. */
static vstate_inline void
vstate_inflight_head_used(union vstate_inflight_head *rec, uint16_t used)
{
	rte_compiler_barrier();
	rte_atomic_store_explicit(&rec->split.used_idx, used, rte_memory_order_relaxed);
}

#endif /* VSTATE_INFLIGHT_LAYOUT_H */

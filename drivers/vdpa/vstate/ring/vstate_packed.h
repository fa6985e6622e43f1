/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PACKED_H
#define VSTATE_PACKED_H

/**
 * @file
 * Layout of packed rings (VIRTIO 1.4 "Packed Virtqueues"). Descriptors are made available and
 * used in place. The flags of a descriptor say which of the two it is, together with a wrap
 * counter that changes at each turn of the ring. vstate_layout.h has one name for each function
 * here and its twin in vstate_split.h.
 */

#include <linux/virtio_ring.h>

#include "vstate_chain.h"
#include "vstate_compat.h"

#define DESC_AVAIL RTE_BIT32(VRING_PACKED_DESC_F_AVAIL)
#define DESC_USED RTE_BIT32(VRING_PACKED_DESC_F_USED)

static vstate_inline bool
packed_pos_is_avail(const struct vstate_vq *vq, const struct vstate_pos *pos)
{
	/* Acquire: the other fields, and the rest of the chain, are read after the flags that
	 * announce them; else they may be those of an earlier turn. Partner: the driver's write
	 * barrier before it stores the flags (Linux: virtqueue_add_packed()).
	 */
	uint16_t flags = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->packed.desc[pos->idx].flags,
			rte_memory_order_acquire));

	return !!(flags & DESC_AVAIL) == pos->wrap && !!(flags & DESC_USED) != pos->wrap;
}

/* Descriptors that are available, up to @p max; buffers are known only after a walk. */
static vstate_inline uint16_t
packed_avail_count(const struct vstate_vq *vq, uint16_t max)
{
	struct vstate_pos pos = vq->avail;
	unsigned int i;

	for (i = 0; i < max && packed_pos_is_avail(vq, &pos); i++)
		vstate_pos_step(&pos, 1, vq->size);
	return i;
}

/*
 * Whether at least @p n descriptors are available, 0 < n <= size. A driver makes them available
 * in order, so only the last one is read: a hint, which no access to them relies on.
 */
static vstate_inline bool
packed_avail_reaches(const struct vstate_vq *vq, uint16_t n)
{
	struct vstate_pos pos = vq->avail;

	vstate_pos_step(&pos, n - 1, vq->size);
	return packed_pos_is_avail(vq, &pos);
}

/* The same for a thread without the lease: an estimate. */
static inline uint16_t
packed_avail_estimate(const struct vstate_vq *vq)
{
	return packed_avail_count(vq, vq->size);
}

/* Descriptors that can be available; one that the driver has not got back cannot. */
static vstate_inline uint16_t
packed_avail_room(const struct vstate_vq *vq)
{
	return vstate_pos_room(vq->avail, vq->used, vq->size);
}

/* Begin a walk at vq->avail. 1: a buffer is there; 0: none; -1: fault. */
static vstate_inline int
packed_chain_begin(struct vstate_vq *vq, struct vstate_chain *c,
		const enum vstate_chain_parts parts)
{
	const uint16_t room = packed_avail_room(vq);
	struct vstate_desc d;

	if (room == 0 || !packed_pos_is_avail(vq, &vq->avail))
		return 0;
	vstate_desc_read(&d, &vq->packed.desc[vq->avail.idx], true);
	c->pos = vq->avail;
	c->id = d.link;
	if (unlikely(!vstate_chain_begin(vq, c, &d, parts, true)))
		return -1;
	if (c->table_size == 0)
		c->left = room - 1;
	return 1;
}

/* Move vq->avail behind @p n descriptors. */
static vstate_inline void
packed_avail_skip(struct vstate_vq *vq, uint16_t n)
{
	vstate_pos_step(&vq->avail, n, vq->size);
}

/* The first descriptor of the next buffer, which is there. */
static vstate_inline struct vstate_hint
packed_hint_read(const struct vstate_vq *vq)
{
	const struct vring_packed_desc *d = &vq->packed.desc[vq->avail.idx];

	return (struct vstate_hint){
		.len = rte_le_to_cpu_32(rte_atomic_load_explicit(&d->len,
				rte_memory_order_relaxed)),
		.flags = rte_le_to_cpu_16(rte_atomic_load_explicit(&d->flags,
				rte_memory_order_relaxed)),
	};
}

static vstate_inline uint16_t
packed_used_flags(uint8_t wrap, uint32_t len)
{
	uint16_t flags = wrap ? DESC_AVAIL | DESC_USED : 0;

	return len != 0 ? flags | VRING_DESC_F_WRITE : flags;
}

/*
 * The last eight bytes of a descriptor, {le32 len; le16 id; le16 flags}, as one word: read
 * and written whole, so that a used descriptor costs one store.
 */
static vstate_inline uint64_t *
packed_desc_tail(struct vring_packed_desc *d)
{
	return (uint64_t *)(void *)&d->len;
}

/*
 * Write all used descriptors but the first, down from @p end. The driver looks at used
 * descriptors in order. So all but the first may be written in any order, before the flags of
 * the first one show them. They are written from the last one down: a process that is killed
 * here leaves whole chains up to some place, and used descriptors only from there on.
 * @param alike  the device wrote to all of these buffers or to none
 */
static vstate_inline void
packed_used_write(struct vstate_vq *vq, struct vstate_pos end, const bool alike)
{
	struct vring_packed_desc *ring = vq->packed.desc;
	const struct vstate_used *shadow = vq->shadow;
	const uint16_t size = vq->size;
	uint64_t flags = (uint64_t)packed_used_flags(end.wrap, shadow[0].len) << 48;
	uint8_t wrap = end.wrap;
	int32_t idx = end.idx;
	unsigned int i;

	for (i = vq->nb_shadow - 1; i > 0; i--) {
		uint64_t word = vstate_used_word(&shadow[i]);

		idx -= word >> 48;
		if (unlikely(idx < 0)) {
			idx += size;
			wrap = !end.wrap;
			flags = (uint64_t)packed_used_flags(wrap, shadow[0].len) << 48;
		}
		if (!alike)
			flags = (uint64_t)packed_used_flags(wrap, word) << 48;
		word = rte_cpu_to_le_64((word & (RTE_BIT64(48) - 1)) | flags);
		rte_atomic_store_explicit(packed_desc_tail(&ring[idx]), word,
				rte_memory_order_relaxed);
		rte_compiler_barrier(); /* in this order, see vstate_inflight_layout.h */
	}
}

/* Note the used descriptors [old, now), of which there is one, in the dirty log. */
static inline void
packed_used_dirty(struct vstate_vq *vq, struct vstate_pos old, struct vstate_pos now)
{
	const uint64_t desc = sizeof(struct vring_packed_desc);

	if (old.wrap == now.wrap) {
		vstate_dirty_mark(&vq->dirty, vq->used_gpa + old.idx * desc,
				(now.idx - old.idx) * desc);
		return;
	}
	vstate_dirty_mark(&vq->dirty, vq->used_gpa + old.idx * desc,
			(vq->size - old.idx) * desc);
	vstate_dirty_mark(&vq->dirty, vq->used_gpa, now.idx * desc);
}

/*
 * Write the used descriptors of the shadow, up to position @p now, and show them to the driver.
 * @param alike  the device wrote to all of these buffers or to none
 */
static vstate_inline void
packed_used_publish(struct vstate_vq *vq, struct vstate_pos now, const bool alike)
{
	const uint64_t first = vstate_used_word(&vq->shadow[0]);
	const uint64_t flags = packed_used_flags(vq->used.wrap, first);
	const struct vstate_pos old = vq->used;

	vstate_inflight_head_step(vq->inflight_head, old, now); /* W1 */
	packed_used_write(vq, now, alike); /* W2 */
	/* Release: buffers and all other used descriptors are written before the flags that
	 * announce them; else the driver would read old bytes. Partner: the driver's read
	 * barrier after it loads the flags (Linux: virtqueue_get_buf_ctx_packed()).
	 */
	rte_atomic_store_explicit(packed_desc_tail(&vq->packed.desc[old.idx]),
			rte_cpu_to_le_64((first & (RTE_BIT64(48) - 1)) | flags << 48),
			rte_memory_order_release);
	/* Only now: a full cache puts its words into the log before all are noted. */
	if (unlikely(vq->dirty.base != NULL))
		packed_used_dirty(vq, old, now);
	vq->used = now;
}

/* W3: note for a process that comes after a kill that the publication is complete. */
static vstate_inline void
packed_used_record(struct vstate_vq *vq)
{
	vstate_inflight_head_step(vq->inflight_head, vq->used, vq->used);
}

/* Whether the driver wants a call for what was published from index @p old on. */
static vstate_inline bool
packed_call_wanted(struct vstate_vq *vq, uint16_t old)
{
	uint16_t flags, off_wrap;

	/* Acquire: off_wrap is loaded after the flags that make it valid; else it may be older
	 * than they are. Partner: the driver's write barrier between the two stores (Linux:
	 * virtqueue_enable_cb_prepare_packed()).
	 */
	flags = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->packed.driver->flags,
			rte_memory_order_acquire));
	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !vq->event_idx)
		return true;

	if (unlikely(!vq->signalled_valid)) {
		/* After a start the device does not know for which place it called last. */
		vq->signalled_valid = true;
		return true;
	}
	off_wrap = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->packed.driver->off_wrap,
			rte_memory_order_relaxed));
	return vstate_packed_event_passed(off_wrap, vq->used, old, vq->size);
}

/* Set what vstate_vq_is_empty() compares: the next buffer shows in the flags at vq->avail. */
static vstate_inline void
packed_look_ahead(struct vstate_vq *vq)
{
	vq->look_at = &vq->packed.desc[vq->avail.idx].flags;
	/* AVAIL stays as it is until the driver writes it; USED does not matter then. */
	vq->look_mask = rte_cpu_to_le_16(DESC_AVAIL);
	vq->look_value = rte_cpu_to_le_16(vq->avail.wrap ? 0 : DESC_AVAIL);
}

/* Ask the driver for no kicks: the device polls. */
static inline void
packed_kicks_suppress(struct vstate_vq *vq)
{
	rte_atomic_store_explicit(&vq->packed.device->flags,
			rte_cpu_to_le_16(VRING_PACKED_EVENT_FLAG_DISABLE),
			rte_memory_order_relaxed);
	vstate_vq_dirty(vq, vq->event_gpa, sizeof(struct vring_packed_desc_event));
}

/* Ask the driver for kicks. */
static inline void
packed_kicks_request(struct vstate_vq *vq)
{
	rte_atomic_store_explicit(&vq->packed.device->flags,
			rte_cpu_to_le_16(VRING_PACKED_EVENT_FLAG_ENABLE), rte_memory_order_relaxed);
	vstate_vq_dirty(vq, vq->event_gpa, sizeof(struct vring_packed_desc_event));
}

#endif /* VSTATE_PACKED_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SPLIT_H
#define VSTATE_SPLIT_H

/**
 * @file
 * Layout of split rings (VIRTIO 1.4 "Split Virtqueues"). Indices run freely over 16 bits; the
 * place in the ring is the index modulo the size, which is a power of two. vstate_layout.h has
 * one name for each function here and its twin in vstate_packed.h.
 */

#include <stddef.h>

#include <linux/virtio_ring.h>

#include "vstate_chain.h"
#include "vstate_compat.h"

/*
 * Buffers that the driver made available, up to @p max. Buffers that the driver has not got back
 * count too: a driver that offers more than the ring holds would make the device write used
 * elements behind the end of the ring.
 */
static vstate_inline uint16_t
split_avail_count(struct vstate_vq *vq, uint16_t max)
{
	/* Acquire: the ring entries and descriptors are read after the index that announces
	 * them; else they may be those of an earlier turn. Partner: the driver's write barrier
	 * before it stores avail->idx (Linux: virtqueue_add_split()).
	 */
	uint16_t idx = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.avail->idx,
			rte_memory_order_acquire));
	uint16_t nb = vstate_split_distance(idx, vq->avail.idx);
	uint16_t room = vq->size - vstate_split_distance(vq->avail.idx, vq->used.idx);

	if (unlikely(nb > room)) {
		vstate_vq_break(vq, VSTATE_FAULT_AVAIL_DISTANCE);
		return 0;
	}
	return RTE_MIN(nb, max);
}

/* The same for a thread without the lease: an estimate. */
static inline uint16_t
split_avail_estimate(const struct vstate_vq *vq)
{
	/* A poll thread may move vq->avail past the index that was loaded first. The difference
	 * then wraps to a large number; the size bounds it. Acquire: the loads stay in this
	 * order, so that an estimate is wrong in this way only.
	 */
	uint16_t nb = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.avail->idx,
			rte_memory_order_acquire)) -
		rte_atomic_load_explicit(&vq->avail.idx, rte_memory_order_relaxed);

	return RTE_MIN(nb, vq->size);
}

/* Whether at least @p n buffers are available: a hint, which no access to them relies on. */
static vstate_inline bool
split_avail_reaches(const struct vstate_vq *vq, uint16_t n)
{
	uint16_t idx = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.avail->idx,
			rte_memory_order_relaxed));

	return vstate_split_distance(idx, vq->avail.idx) >= n;
}

/* Begin a walk at vq->avail. 1: a buffer is there; 0: none; -1: fault. */
static vstate_inline int
split_chain_begin(struct vstate_vq *vq, struct vstate_chain *c,
		const enum vstate_chain_parts parts)
{
	struct vstate_desc d;
	uint16_t head;

	if (split_avail_count(vq, 1) == 0)
		return vq->fault != VSTATE_FAULT_NONE ? -1 : 0;
	head = rte_le_to_cpu_16(rte_atomic_load_explicit(
			&vq->split.avail->ring[vq->avail.idx & (vq->size - 1)],
			rte_memory_order_relaxed));
	if (unlikely(head >= vq->size)) {
		vstate_vq_break(vq, VSTATE_FAULT_HEAD_RANGE);
		return -1;
	}
	vstate_desc_read(&d, &vq->split.desc[head], false);
	if (unlikely(!vstate_chain_begin(vq, c, &d, parts, false)))
		return -1;
	c->id = head;
	return 1;
}

/* Move vq->avail behind @p n buffers. */
static vstate_inline void
split_avail_skip(struct vstate_vq *vq, uint16_t n)
{
	vq->avail.idx += n;
}

/* The first descriptor of the next buffer, which is there; zeros if there is none to read. */
static vstate_inline struct vstate_hint
split_hint_read(const struct vstate_vq *vq)
{
	const struct vring_desc *d;
	uint16_t head;

	head = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.avail->ring[vq->avail.idx &
			(vq->size - 1)], rte_memory_order_relaxed));
	if (unlikely(head >= vq->size))
		return (struct vstate_hint){ 0 };
	d = &vq->split.desc[head];
	return (struct vstate_hint){
		.len = rte_le_to_cpu_32(rte_atomic_load_explicit(&d->len,
				rte_memory_order_relaxed)),
		.flags = rte_le_to_cpu_16(rte_atomic_load_explicit(&d->flags,
				rte_memory_order_relaxed)),
	};
}

/* Note the used elements [from, from + n) in the dirty log, n <= size. */
static inline void
split_used_dirty(struct vstate_vq *vq, uint16_t from, uint16_t n)
{
	const size_t ring = offsetof(struct vring_used, ring);
	const size_t elem = sizeof(struct vring_used_elem);
	uint16_t at = from & (vq->size - 1);
	uint16_t first = RTE_MIN(n, (uint16_t)(vq->size - at));

	vstate_dirty_mark(&vq->dirty, vq->used_gpa + ring + at * elem, first * elem);
	vstate_dirty_mark(&vq->dirty, vq->used_gpa + ring, (n - first) * elem);
	/* flags and index */
	vstate_dirty_mark(&vq->dirty, vq->used_gpa, ring);
}

/*
 * Write used elements {le32 id; le32 len}, each as one word. Plain stores: the driver reads them
 * only after used->idx, which is stored later, with release. A driver often uses its buffers in
 * the same order in each turn. An element that stays as it is is not stored: the driver's core
 * then keeps its copy of the line.
 */
static vstate_inline void
split_used_write(struct vring_used_elem *elem, const struct vstate_used *shadow, uint16_t n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		uint64_t word = vstate_used_word(&shadow[i]), old;

		word = rte_cpu_to_le_64((word >> 32 & UINT16_MAX) | word << 32);
		memcpy(&old, &elem[i], sizeof(old));
		if (old != word)
			memcpy(&elem[i], &word, sizeof(word));
	}
}

/* Write the used elements of the shadow to the ring, and show them to the driver. */
static vstate_inline void
split_used_publish(struct vstate_vq *vq)
{
	struct vring_used *used = vq->split.used;
	const struct vstate_used *shadow = vq->shadow;
	const uint16_t mask = vq->size - 1, start = vq->used.idx, n = vq->nb_shadow;
	unsigned int i;

	/* Up to the end of the ring, and from its beginning. */
	i = RTE_MIN(n, (uint16_t)(vq->size - (start & mask)));
	split_used_write(&used->ring[start & mask], shadow, i);
	split_used_write(used->ring, shadow + i, n - i);
	if (unlikely(vq->dirty.base != NULL))
		split_used_dirty(vq, vq->used.idx, vq->nb_shadow);
	vq->used.idx += vq->nb_shadow;
	/* Release: buffers and used elements are written before the index that announces
	 * them; else the driver would read old bytes. Partner: the driver's read barrier after
	 * it loads used->idx (Linux: virtqueue_get_buf_ctx_split()).
	 */
	rte_atomic_store_explicit(&used->idx, rte_cpu_to_le_16(vq->used.idx),
			rte_memory_order_release);
}

/* Note for a process that comes after a kill that the publication is complete. */
static vstate_inline void
split_used_record(struct vstate_vq *vq)
{
	vstate_inflight_head_used(vq->inflight_head, vq->used.idx);
}

/*
 * Whether the driver wants a call for the used indices since the last call (VIRTIO "Used Buffer
 * Notification Suppression").
 */
static vstate_inline bool
split_call_wanted(struct vstate_vq *vq)
{
	uint16_t event, old, now = vq->used.idx;

	if (!vq->event_idx)
		return !(rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.avail->flags,
				rte_memory_order_relaxed)) & VRING_AVAIL_F_NO_INTERRUPT);

	if (unlikely(!vq->signalled_valid)) {
		/* After a start the device does not know for which index it called last. */
		vq->signalled_valid = true;
		vq->signalled_used = now;
		return true;
	}
	old = vq->signalled_used;
	vq->signalled_used = now;
	event = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.avail->ring[vq->size],
			rte_memory_order_relaxed));
	return vstate_split_event_passed(event, now, old);
}

/* Set what vstate_vq_is_empty() compares: the next buffer shows when avail->idx changes. */
static vstate_inline void
split_look_ahead(struct vstate_vq *vq)
{
	vq->look_at = &vq->split.avail->idx;
	vq->look_mask = UINT16_MAX;
	vq->look_value = rte_cpu_to_le_16(vq->avail.idx);
}

/* Ask the driver for as few kicks as it can be asked for: the device polls. */
static inline void
split_kicks_suppress(struct vstate_vq *vq)
{
	if (vq->event_idx) {
		/* As far away as an index can be: a kick every 65536 buffers. */
		rte_atomic_store_explicit((uint16_t *)(void *)&vq->split.used->ring[vq->size],
				rte_cpu_to_le_16(vq->avail.idx - 1), rte_memory_order_relaxed);
		vstate_vq_dirty(vq, vq->used_gpa + offsetof(struct vring_used, ring) +
				vq->size * sizeof(struct vring_used_elem), sizeof(uint16_t));
	} else {
		rte_atomic_store_explicit(&vq->split.used->flags,
				rte_cpu_to_le_16(VRING_USED_F_NO_NOTIFY), rte_memory_order_relaxed);
		vstate_vq_dirty(vq, vq->used_gpa, sizeof(uint16_t));
	}
}

/* Ask the driver for a kick when it makes the next buffer available. */
static inline void
split_kicks_request(struct vstate_vq *vq)
{
	if (vq->event_idx) {
		rte_atomic_store_explicit((uint16_t *)(void *)&vq->split.used->ring[vq->size],
				rte_cpu_to_le_16(vq->avail.idx), rte_memory_order_relaxed);
		vstate_vq_dirty(vq, vq->used_gpa + offsetof(struct vring_used, ring) +
				vq->size * sizeof(struct vring_used_elem), sizeof(uint16_t));
	} else {
		rte_atomic_store_explicit(&vq->split.used->flags, 0, rte_memory_order_relaxed);
		vstate_vq_dirty(vq, vq->used_gpa, sizeof(uint16_t));
	}
}

#endif /* VSTATE_SPLIT_H */

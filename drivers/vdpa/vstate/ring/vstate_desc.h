/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DESC_H
#define VSTATE_DESC_H

/** @file One descriptor, of both layouts and of the ring or an indirect table. */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "vstate_compat.h"

/** Parts that a buffer may have. */
enum vstate_chain_parts {
	VSTATE_CHAIN_READABLE = 1,
	VSTATE_CHAIN_WRITABLE = 2,
	VSTATE_CHAIN_BOTH = VSTATE_CHAIN_READABLE | VSTATE_CHAIN_WRITABLE,
};

/** The fields that both layouts' descriptors share, in host order. */
struct vstate_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	/** Split: next. Packed: buffer ID. */
	uint16_t link;
};

/**
 * The descriptor that a buffer begins with, or zeros. Nothing is checked. Code that dequeues the
 * buffer reads the descriptor again.
 */
struct vstate_hint {
	uint32_t len;
	uint16_t flags;
};

/*
 * Both layouts have 16-byte descriptors {le64 addr; le32 len; ...}, the last two fields
 * in another order. Guest memory is read with relaxed atomics: once, and whole.
 */
static vstate_inline void
vstate_desc_read(struct vstate_desc *d, const void *entry, const bool packed)
{
	if (packed) {
		const struct vring_packed_desc *p = entry;

		d->addr = rte_atomic_load_explicit(&p->addr, rte_memory_order_relaxed);
		d->len = rte_atomic_load_explicit(&p->len, rte_memory_order_relaxed);
		d->link = rte_atomic_load_explicit(&p->id, rte_memory_order_relaxed);
		d->flags = rte_atomic_load_explicit(&p->flags, rte_memory_order_relaxed);
	} else {
		const struct vring_desc *s = entry;

		d->addr = rte_atomic_load_explicit(&s->addr, rte_memory_order_relaxed);
		d->len = rte_atomic_load_explicit(&s->len, rte_memory_order_relaxed);
		d->flags = rte_atomic_load_explicit(&s->flags, rte_memory_order_relaxed);
		d->link = rte_atomic_load_explicit(&s->next, rte_memory_order_relaxed);
	}
	d->addr = rte_le_to_cpu_64(d->addr);
	d->len = rte_le_to_cpu_32(d->len);
	d->flags = rte_le_to_cpu_16(d->flags);
	d->link = rte_le_to_cpu_16(d->link);
}

#endif /* VSTATE_DESC_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Driver of a packed virtqueue (VIRTIO 1.x "Packed Virtqueues"). */

#include <errno.h>

#include "guest_mem.h"
#include "guest_packed.h"
#include "guest_ring.h"
#include "vstate_compat.h"

#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)
#define WRAP_BIT (1u << VRING_PACKED_EVENT_F_WRAP_CTR)

static void
packed_bytes(uint16_t size, uint64_t *desc, uint64_t *driver, uint64_t *device)
{
	*desc = 16ull * size;
	*driver = sizeof(struct vring_packed_desc_event);
	*device = sizeof(struct vring_packed_desc_event);
}

static void
packed_reset(struct guest_ring *r)
{
	r->avail_wrap = r->used_wrap = true;
}

static void
pos_forward(const struct guest_ring *r, uint16_t *pos, bool *wrap, uint16_t n)
{
	uint32_t next = *pos + n;

	if (next >= r->size) {
		next -= r->size;
		*wrap = !*wrap;
	}
	*pos = next;
}

/* Write one descriptor at the available position and move on. The head's flags come later. */
static void
put_desc(struct guest_ring *r, const struct vring_packed_desc *d, uint16_t flags, bool head)
{
	struct vring_packed_desc *slot = (struct vring_packed_desc *)r->desc + r->avail;

	slot->addr = d->addr;
	slot->len = d->len;
	slot->id = d->id;
	if (!head)
		slot->flags = flags | (r->avail_wrap ? F_AVAIL : F_USED);
	pos_forward(r, &r->avail, &r->avail_wrap, 1);
}

static void
add_chain(struct guest_ring *r, const struct guest_seg *segs, uint16_t nb, uint16_t id,
		uint16_t *head_flags)
{
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint16_t flags = (segs[i].write ? VRING_DESC_F_WRITE : 0) |
			(i + 1 < nb ? VRING_DESC_F_NEXT : 0);
		/* Only the ID of the last descriptor is valid; the others get a wrong one. */
		struct vring_packed_desc d = {
			.addr = segs[i].gpa, .len = segs[i].len, .id = i + 1 < nb ? 0xffff : id,
		};

		put_desc(r, &d, flags, i == 0);
		if (i == 0)
			*head_flags = flags;
	}
}

static void
add_indirect(struct guest_ring *r, const struct guest_seg *segs, uint16_t nb, uint16_t id,
		uint16_t *head_flags)
{
	struct vring_packed_desc table[GUEST_MAX_SEGS], d;
	uint64_t gpa = guest_ring_table(r, id);
	uint16_t i;

	for (i = 0; i < nb; i++)
		table[i] = (struct vring_packed_desc){
			.addr = segs[i].gpa, .len = segs[i].len,
			.flags = segs[i].write ? VRING_DESC_F_WRITE : 0,
		};
	guest_mem_write(r->mem, gpa, table, nb * sizeof(table[0]));
	d = (struct vring_packed_desc){ .addr = gpa, .len = nb * sizeof(table[0]), .id = id };
	*head_flags = VRING_DESC_F_INDIRECT;
	put_desc(r, &d, *head_flags, true);
}

static int
packed_add(struct guest_ring *r, const struct guest_seg *segs, uint16_t nb, uint32_t cookie,
		bool indirect)
{
	struct vring_packed_desc *head = (struct vring_packed_desc *)r->desc + r->avail;
	uint16_t descs = indirect ? 1 : nb;
	bool wrap = r->avail_wrap;
	uint16_t flags = 0, id, k;

	/* There are as many IDs as descriptors, so each descriptor of a chain reserves one. */
	if (descs > r->nb_free)
		return -ENOSPC;
	id = guest_ring_id_get(r);
	for (k = 1; k < descs; k++) {
		uint16_t spare = guest_ring_id_get(r);

		r->links[spare] = r->links[id];
		r->links[id] = spare;
	}
	if (indirect)
		add_indirect(r, segs, nb, id, &flags);
	else
		add_chain(r, segs, nb, id, &flags);
	guest_ring_buf_add(r, id, segs, nb, descs, cookie);
	/* Release: the whole chain is written before its head becomes available. */
	rte_atomic_store_explicit(&head->flags, flags | (wrap ? F_AVAIL : F_USED),
			rte_memory_order_release);
	r->pending += descs;
	return 0;
}

static bool
packed_publish(struct guest_ring *r)
{
	const struct vring_packed_desc_event *ev = r->device;
	uint16_t pending = r->pending, flags, off;
	uint32_t size = r->size;

	if (pending == 0)
		return false;
	r->pending = 0;
	/* Descriptors must be visible before the event flags are read; see split_publish(). */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	flags = rte_atomic_load_explicit(&ev->flags, rte_memory_order_acquire) & 3;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !r->event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	off = rte_atomic_load_explicit(&ev->off_wrap, rte_memory_order_relaxed);
	/* Two rounds make one cycle: one round for each value of the wrap counter. */
	return guest_ring_event_passed((off & ~WRAP_BIT) + (off & WRAP_BIT ? 0 : size),
			r->avail + (r->avail_wrap ? 0 : size), pending, 2 * size);
}

static bool
packed_used_ready(const struct guest_ring *r)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)r->desc + r->used;
	/* Acquire: ID, length and buffer contents are read after the flags. */
	uint16_t flags = rte_atomic_load_explicit(&d->flags, rte_memory_order_acquire);
	bool avail = (flags & F_AVAIL) != 0, used = (flags & F_USED) != 0;

	return r->batch || (avail == used && used == r->used_wrap);
}

static void
ids_put(struct guest_ring *r, uint16_t id)
{
	uint16_t n = r->bufs[id].descs;

	r->bufs[id].descs = 0;
	for (; n != 0; n--) {
		uint16_t next = r->links[id];

		guest_ring_id_put(r, id);
		id = next;
	}
}

static int
packed_take(struct guest_ring *r, uint32_t *cookie, uint32_t *len)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)r->desc + r->used;
	uint16_t id = 0;

	if (!packed_used_ready(r))
		return 0;
	if (!r->batch) {
		id = rte_atomic_load_explicit(&d->id, rte_memory_order_relaxed);
		*len = rte_atomic_load_explicit(&d->len, rte_memory_order_relaxed);
		/* Only the ID says where the next used buffer is, so the ring is broken. */
		if (id >= r->size || r->bufs[id].descs == 0 ||
				(r->in_order && !guest_ring_batch_start(r, id, *len)))
			return -EIO;
	}
	if (r->in_order)
		id = guest_ring_batch_next(r, len);
	*cookie = r->bufs[id].cookie;
	pos_forward(r, &r->used, &r->used_wrap, r->bufs[id].descs);
	ids_put(r, id);
	return 1;
}

static bool
packed_calls(struct guest_ring *r, bool on)
{
	struct vring_packed_desc_event *ev = r->driver;
	uint16_t flags = VRING_PACKED_EVENT_FLAG_DISABLE;

	r->calls = on;
	if (on && r->event_idx) {
		rte_atomic_store_explicit(&ev->off_wrap, r->used | (r->used_wrap ? WRAP_BIT : 0),
				rte_memory_order_relaxed);
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	} else if (on) {
		flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	}
	/* Release: the position is written before the flags that make it valid. */
	rte_atomic_store_explicit(&ev->flags, flags, rte_memory_order_release);
	if (!on)
		return true;
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	return !packed_used_ready(r);
}

const struct guest_ring_ops guest_packed_ops = {
	.bytes = packed_bytes,
	.reset = packed_reset,
	.add = packed_add,
	.publish = packed_publish,
	.take = packed_take,
	.used_ready = packed_used_ready,
	.calls = packed_calls,
};

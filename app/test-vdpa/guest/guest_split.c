/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Driver of a split virtqueue (VIRTIO 1.x "Split Virtqueues"). */

#include <errno.h>

#include "guest_mem.h"
#include "guest_ring.h"
#include "guest_split.h"
#include "vstate_compat.h"

static struct vring_avail *
avail_ring(const struct guest_ring *r)
{
	return r->driver;
}

static struct vring_used *
used_ring(const struct guest_ring *r)
{
	return r->device;
}

/* With EVENT_IDX, the 16 bits after the entries: the index that wants a call, or a kick. */
static uint16_t *
used_event(const struct guest_ring *r)
{
	return &avail_ring(r)->ring[r->size];
}

static uint16_t *
avail_event(const struct guest_ring *r)
{
	return (uint16_t *)&used_ring(r)->ring[r->size];
}

static void
split_bytes(uint16_t size, uint64_t *desc, uint64_t *driver, uint64_t *device)
{
	*desc = 16ull * size;
	*driver = 6 + 2ull * size;
	*device = 6 + 8ull * size;
}

static void
split_reset(struct guest_ring *r)
{
	r->avail_wrap = r->used_wrap = false;
}

static uint16_t
desc_get(struct guest_ring *r)
{
	uint16_t id;

	if (!r->in_order)
		return guest_ring_id_get(r);
	id = r->next_desc;
	r->next_desc = (r->next_desc + 1) & (r->size - 1);
	r->nb_free--;
	return id;
}

static void
chain_put(struct guest_ring *r, uint16_t head)
{
	struct guest_ring_buf *b = &r->bufs[head];
	uint16_t id = head, n = b->descs;

	b->descs = 0;
	if (r->in_order) {
		r->nb_free += n;
		return;
	}
	for (; n != 0; n--) {
		uint16_t next = r->links[id];

		guest_ring_id_put(r, id);
		id = next;
	}
}

static uint16_t
add_indirect(struct guest_ring *r, const struct guest_seg *segs, uint16_t nb)
{
	struct vring_desc table[GUEST_MAX_SEGS];
	struct vring_desc *desc = r->desc;
	uint16_t head = desc_get(r), i;
	uint64_t gpa = guest_ring_table(r, head);

	for (i = 0; i < nb; i++) {
		table[i].addr = segs[i].gpa;
		table[i].len = segs[i].len;
		table[i].flags = segs[i].write ? VRING_DESC_F_WRITE : 0;
		table[i].next = 0;
		if (i + 1 < nb) {
			table[i].flags |= VRING_DESC_F_NEXT;
			table[i].next = i + 1;
		}
	}
	guest_mem_write(r->mem, gpa, table, nb * sizeof(table[0]));
	desc[head] = (struct vring_desc){
		.addr = gpa, .len = nb * sizeof(table[0]), .flags = VRING_DESC_F_INDIRECT,
	};
	return head;
}

static uint16_t
add_chain(struct guest_ring *r, const struct guest_seg *segs, uint16_t nb)
{
	struct vring_desc *desc = r->desc;
	uint16_t head = desc_get(r), id = head, i;

	for (i = 0; i < nb; i++) {
		uint16_t flags = segs[i].write ? VRING_DESC_F_WRITE : 0;
		uint16_t next = 0;

		if (i + 1 < nb) {
			next = desc_get(r);
			flags |= VRING_DESC_F_NEXT;
		}
		desc[id] = (struct vring_desc){
			.addr = segs[i].gpa, .len = segs[i].len, .flags = flags, .next = next,
		};
		r->links[id] = next;
		id = next;
	}
	return head;
}

static int
split_add(struct guest_ring *r, const struct guest_seg *segs, uint16_t nb, uint32_t cookie,
		bool indirect)
{
	uint16_t descs = indirect ? 1 : nb;
	uint16_t head;

	if (descs > r->nb_free)
		return -ENOSPC;
	head = indirect ? add_indirect(r, segs, nb) : add_chain(r, segs, nb);
	guest_ring_buf_add(r, head, segs, nb, descs, cookie);
	avail_ring(r)->ring[r->avail & (r->size - 1)] = head;
	r->avail++;
	r->pending++;
	return 0;
}

static bool
split_publish(struct guest_ring *r)
{
	uint16_t pending = r->pending;

	if (pending == 0)
		return false;
	/* Release: descriptors and ring entries are written before the device sees the index. */
	rte_atomic_store_explicit(&avail_ring(r)->idx, r->avail, rte_memory_order_release);
	r->pending = 0;
	/*
	 * The index must be visible before the event index or flag is read. Otherwise the device
	 * may ask for a kick, see no new entry and sleep, and this driver has read the old flag.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	if (!r->event_idx)
		return (rte_atomic_load_explicit(&used_ring(r)->flags, rte_memory_order_relaxed) &
			VRING_USED_F_NO_NOTIFY) == 0;
	return guest_ring_event_passed(rte_atomic_load_explicit(avail_event(r),
			rte_memory_order_relaxed), r->avail, pending, 0x10000);
}

static bool
split_used_ready(const struct guest_ring *r)
{
	/* Acquire: entries and buffer contents are read after the index that covers them. */
	return r->batch || rte_atomic_load_explicit(&used_ring(r)->idx,
			rte_memory_order_acquire) != r->used;
}

static int
split_take(struct guest_ring *r, uint32_t *cookie, uint32_t *len)
{
	const struct vring_used_elem *e = &used_ring(r)->ring[r->used & (r->size - 1)];
	uint32_t id = 0;

	if (!split_used_ready(r))
		return 0;
	if (!r->batch) {
		id = rte_atomic_load_explicit(&e->id, rte_memory_order_relaxed);
		*len = rte_atomic_load_explicit(&e->len, rte_memory_order_relaxed);
		if (id >= r->size || r->bufs[id].descs == 0 ||
				(r->in_order && !guest_ring_batch_start(r, id, *len))) {
			r->used++;
			return -EBADMSG;
		}
	}
	r->used++;
	if (r->in_order)
		id = guest_ring_batch_next(r, len);
	*cookie = r->bufs[id].cookie;
	chain_put(r, id);
	return 1;
}

static bool
split_calls(struct guest_ring *r, bool on)
{
	r->calls = on;
	if (r->event_idx)
		/*
		 * No calls: half a cycle away no entry matches soon. Neither the next used entries
		 * nor those that the device has just used, and compares with this value later.
		 */
		rte_atomic_store_explicit(used_event(r),
				on ? r->used : (uint16_t)(r->used + 0x8000),
				rte_memory_order_relaxed);
	else
		rte_atomic_store_explicit(&avail_ring(r)->flags,
				on ? 0 : VRING_AVAIL_F_NO_INTERRUPT, rte_memory_order_relaxed);
	if (!on)
		return true;
	/* The request must be visible before the used index is read; see split_publish(). */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	return !split_used_ready(r);
}

const struct guest_ring_ops guest_split_ops = {
	.bytes = split_bytes,
	.reset = split_reset,
	.add = split_add,
	.publish = split_publish,
	.take = split_take,
	.used_ready = split_used_ready,
	.calls = split_calls,
};

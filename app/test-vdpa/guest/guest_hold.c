/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * The rings from the view of a stopped device. Available buffers are dequeued, some of them are
 * used, in any order, and the rest stays in flight for the next device.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_frame.h"
#include "guest_hold.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "vstate_compat.h"

#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)
#define POLL_US 20
/* An Ethernet header, and a RARP packet in the shortest frame. */
#define FOREIGN_LEN 60

static void
pos_forward(uint16_t size, struct guest_pos *pos, uint16_t n)
{
	uint32_t next = pos->idx + n;

	if (next >= size) {
		next -= size;
		pos->wrap = !pos->wrap;
	}
	pos->idx = (uint16_t)next;
}

/* ---- dequeue ---- */

static bool
split_take(const struct guest_ring *r, struct guest_pos *avail, struct guest_held *held)
{
	const struct vring_avail *ring = r->driver;

	if (rte_atomic_load_explicit(&ring->idx, rte_memory_order_acquire) == avail->idx)
		return false;
	held->head = ring->ring[avail->idx & (r->size - 1)];
	held->id = held->head;
	held->num = 1;
	avail->idx++;
	return true;
}

static bool
packed_take(const struct guest_ring *r, struct guest_pos *avail, struct guest_held *held)
{
	const struct vring_packed_desc *ring = r->desc, *d = ring + avail->idx;
	uint16_t flags = rte_atomic_load_explicit(&d->flags, rte_memory_order_acquire);

	if (((flags & F_AVAIL) != 0) != avail->wrap || ((flags & F_USED) != 0) == avail->wrap)
		return false;
	held->head = avail->idx;
	for (held->num = 1; (d->flags & VRING_DESC_F_NEXT) != 0; held->num++)
		d = ring + (held->head + held->num) % r->size;
	held->id = d->id;
	pos_forward(r->size, avail, held->num);
	return true;
}

bool
guest_hold_take(struct guest *g, uint16_t vq, struct guest_pos *avail, struct guest_held *held)
{
	const struct guest_ring *r = guest_ring_of(g, vq);

	return g->conf.packed ? packed_take(r, avail, held) : split_take(r, avail, held);
}

void
guest_hold_desc(struct guest *g, uint16_t vq, const struct guest_held *held, uint16_t n,
		struct guest_desc *desc)
{
	const struct guest_ring *r = guest_ring_of(g, vq);
	const struct vring_packed_desc *d = r->desc;

	d += (held->head + n) % r->size;
	desc->addr = d->addr;
	desc->len = d->len;
	desc->id = d->id;
	desc->flags = d->flags & ~(F_AVAIL | F_USED);
}

/* ---- use ---- */

static void
split_use(const struct guest_ring *r, struct guest_pos *used, const struct guest_held *held,
		uint32_t len)
{
	struct vring_used *ring = r->device;

	ring->ring[used->idx & (r->size - 1)] =
		(struct vring_used_elem){ .id = held->id, .len = len };
	used->idx++;
	/* Release: buffer and entry are written before the driver sees the index. */
	rte_atomic_store_explicit(&ring->idx, used->idx, rte_memory_order_release);
}

static void
packed_use(const struct guest_ring *r, struct guest_pos *used, const struct guest_held *held,
		uint32_t len)
{
	struct vring_packed_desc *d = (struct vring_packed_desc *)r->desc + used->idx;

	d->id = held->id;
	d->len = len;
	/* Release: buffer, ID and length are written before the driver sees the flags. */
	rte_atomic_store_explicit(&d->flags, used->wrap ? F_AVAIL | F_USED : 0,
			rte_memory_order_release);
	pos_forward(r->size, used, held->num);
}

void
guest_hold_use(struct guest *g, uint16_t vq, struct guest_pos *used, const struct guest_held *held,
		uint32_t len)
{
	const struct guest_ring *r = guest_ring_of(g, vq);

	if (g->conf.packed)
		packed_use(r, used, held, len);
	else
		split_use(r, used, held, len);
}

struct guest_pos
guest_hold_used(struct guest *g, uint16_t vq, uint32_t base, uint32_t descs)
{
	const struct guest_ring *r = guest_ring_of(g, vq);
	const struct vring_used *used = r->device;
	struct guest_pos pos = { .idx = base & 0x7fff, .wrap = (base >> 15 & 1) != 0 };

	if (!g->conf.packed)
		return (struct guest_pos){ .idx = rte_atomic_load_explicit(&used->idx,
				rte_memory_order_acquire) };
	/*
	 * The upper half of the base is not used: zero there means both position 0 and no
	 * information.
	 */
	if (descs > pos.idx) {
		pos.idx += r->size;
		pos.wrap = !pos.wrap;
	}
	pos.idx -= descs;
	return pos;
}

/* Copy a frame with its header to a receive buffer. @return length, or 0 if there is no room */
static uint32_t
buffer_fill(struct guest *g, uint16_t vq, const struct guest_held *held, const uint8_t *frame,
		uint32_t len)
{
	const struct guest_pair *p = &g->pairs[vq / 2];
	const struct guest_rx_slot *s = &p->rx_slot[p->rx.bufs[held->id].cookie];
	uint32_t done = 0, n;
	uint16_t i;

	if (p->rx.bufs[held->id].room < len)
		return 0;
	for (i = 0; i < s->nb && done < len; i++) {
		n = len - done < s->segs[i].len ? len - done : s->segs[i].len;
		if (!guest_mem_write(&g->mem, s->segs[i].gpa, frame + done, n))
			return 0;
		done += n;
	}
	return done;
}

/* A walk over the descriptors of a buffer, in the ring or in an indirect table. */
struct walk {
	const struct guest_ring *r;
	bool packed, table;
	uint64_t table_gpa;
	/** Entries of the table, or of a packed chain. */
	uint16_t nb;
	uint16_t pos;
};

static bool
walk_read(const struct walk *w, uint16_t n, uint64_t *addr, uint32_t *len, bool *last)
{
	struct vring_packed_desc p;
	struct vring_desc s;

	/* In both layouts a descriptor has 16 bytes and starts with address and length. */
	if (w->packed) {
		if (!w->table)
			p = ((const struct vring_packed_desc *)w->r->desc)
				[(w->pos + n) % w->r->size];
		else if (!guest_mem_read(w->r->mem, w->table_gpa + n * sizeof(p), &p, sizeof(p)))
			return false;
		*addr = p.addr;
		*len = p.len;
		*last = n + 1 == w->nb;
		return true;
	}
	if (!w->table)
		s = ((const struct vring_desc *)w->r->desc)[w->pos];
	else if (!guest_mem_read(w->r->mem, w->table_gpa + w->pos * sizeof(s), &s, sizeof(s)))
		return false;
	*addr = s.addr;
	*len = s.len;
	*last = (s.flags & VRING_DESC_F_NEXT) == 0;
	return true;
}

static void
walk_start(struct walk *w, const struct guest_ring *r, bool packed, const struct guest_held *held)
{
	const struct vring_packed_desc *p = (const struct vring_packed_desc *)r->desc + held->head;
	const struct vring_desc *s = (const struct vring_desc *)r->desc + held->head;

	*w = (struct walk){ .r = r, .packed = packed, .nb = held->num, .pos = held->head };
	w->table = ((packed ? p->flags : s->flags) & VRING_DESC_F_INDIRECT) != 0;
	if (!w->table)
		return;
	w->table_gpa = packed ? p->addr : s->addr;
	w->nb = (packed ? p->len : s->len) / sizeof(*s);
	w->pos = 0;
}

/* Go to the next descriptor of a split chain. */
static void
walk_next(struct walk *w)
{
	struct vring_desc s = { 0 };

	if (w->packed)
		return;
	if (!w->table)
		s = ((const struct vring_desc *)w->r->desc)[w->pos];
	else
		guest_mem_read(w->r->mem, w->table_gpa + w->pos * sizeof(s), &s, sizeof(s));
	w->pos = s.next;
}

/* Read a buffer that was sent. @return length, or 0 if it is unreadable or longer than @p size */
static uint32_t
read_frame(struct guest *g, uint16_t vq, const struct guest_held *held, uint8_t *buf, uint32_t size)
{
	uint32_t done = 0, len = 0;
	bool last = false;
	uint64_t addr = 0;
	struct walk w;
	uint16_t n;

	walk_start(&w, guest_ring_of(g, vq), g->conf.packed, held);
	for (n = 0; !last && n < w.r->size; n++, walk_next(&w)) {
		if (!walk_read(&w, n, &addr, &len, &last) || len > size - done ||
				!guest_mem_read(&g->mem, addr, buf + done, len))
			return 0;
		done += len;
	}
	return done;
}

uint32_t
guest_hold_fill_frame(struct guest *g, uint16_t vq, const struct guest_held *held,
		const struct guest_held *sent)
{
	uint8_t frame[GUEST_HOLD_FRAME_MAX];
	struct virtio_net_hdr_v1 hdr;
	uint32_t len;

	len = read_frame(g, vq + 1, sent, frame, sizeof(frame));
	if (len < sizeof(hdr))
		return 0;
	memcpy(&hdr, frame, sizeof(hdr));
	/* The frame leaves its checksum to the device, and no device computes it here. */
	if (hdr.flags != 0 && !guest_has(g, VIRTIO_NET_F_GUEST_CSUM))
		return 0;
	hdr.num_buffers = 1;
	memcpy(frame, &hdr, sizeof(hdr));
	return buffer_fill(g, vq, held, frame, len);
}

uint32_t
guest_hold_fill_foreign(struct guest *g, uint16_t vq, const struct guest_held *held)
{
	struct virtio_net_hdr_v1 hdr = { .num_buffers = 1 };
	uint8_t frame[GUEST_HDR_LEN + FOREIGN_LEN] = { 0 };
	uint8_t *eth = frame + GUEST_HDR_LEN;

	memcpy(frame, &hdr, sizeof(hdr));
	memset(eth, 0xff, 6);
	eth[6] = 2;
	eth[12] = GUEST_ETHERTYPE_RARP >> 8;
	eth[13] = GUEST_ETHERTYPE_RARP & 0xff;
	return buffer_fill(g, vq, held, frame, sizeof(frame));
}

/* ---- buffers that the next device must use ---- */

/* True if the driver has taken and compared all buffers before @p used. */
static bool
driver_caught_up(const struct guest_ring *r, const struct guest_pos *used)
{
	return rte_atomic_load_explicit(&r->used, rte_memory_order_acquire) == used->idx &&
		rte_atomic_load_explicit(&r->used_wrap, rte_memory_order_acquire) == used->wrap &&
		!rte_atomic_load_explicit(&r->taking, rte_memory_order_acquire);
}

int
guest_hold_await(struct guest *g, uint16_t vq, const struct guest_pos *used, int timeout_ms)
{
	const struct guest_ring *r = guest_ring_of(g, vq);
	uint64_t end = clock_ns() + (uint64_t)timeout_ms * 1000000;

	while (!driver_caught_up(r, used)) {
		if (clock_ns() >= end)
			return -ETIMEDOUT;
		usleep(POLL_US);
	}
	return 0;
}

int
guest_hold_expect(struct guest *g, uint16_t vq, const struct guest_pos *used,
		const struct guest_held *held, uint16_t nb, int timeout_ms)
{
	struct guest_ring *r = guest_ring_of(g, vq);
	uint16_t i;
	int ret;

	/* The buffers of the previous device must be compared before the list changes. */
	ret = guest_hold_await(g, vq, used, timeout_ms);
	if (ret < 0)
		return ret;
	guest_hold_forget(g, vq);
	for (i = 0; i < nb; i++)
		r->expect[i] = r->bufs[held[i].id].cookie;
	/* Release: the list is written before the traffic thread may read it. */
	rte_atomic_store_explicit(&r->nb_expect, nb, rte_memory_order_release);
	return 0;
}

uint16_t
guest_hold_left(struct guest *g, uint16_t vq)
{
	struct guest_ring *r = guest_ring_of(g, vq);

	return guest_get(&r->nb_expect) - rte_atomic_load_explicit(&r->expect_at,
			rte_memory_order_acquire);
}

void
guest_hold_forget(struct guest *g, uint16_t vq)
{
	struct guest_ring *r = guest_ring_of(g, vq);

	rte_atomic_store_explicit(&r->nb_expect, 0, rte_memory_order_release);
	rte_atomic_store_explicit(&r->expect_at, 0, rte_memory_order_release);
}

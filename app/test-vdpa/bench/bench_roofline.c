/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * The roofline: the least that any device must do. It walks the ring, copies each frame once, and
 * publishes. In a loop it copies from guest to guest, otherwise from or to its own memory. It
 * checks nothing, translates no addresses, has no mbufs, logs no dirty pages, and cannot be stopped
 * or configured.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_vect.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_guest.h"
#include "bench_ring.h"
#include "bench_roofline.h"
#include "vstate_compat.h"

/* Frames in the roofline's own memory, with an odd number of cache lines each. */
#define SCRATCH_FRAMES 64u
#define SCRATCH_STRIDE(frame) (((frame) + 63) / 64 * 64 + (((frame) + 63) / 64 % 2 == 0 ? 64 : 0))
#define MAX_PIECES 8u

/* The whole state of this device: its position in the ring. */
struct bench_roof_vq {
	uint16_t pos;
	bool wrap;
	uint8_t *scratch;
};

/* A virtqueue during one burst. */
struct view {
	struct bench_vq *q;
	struct bench_roof_vq *r;
	/* Address of guest physical address 0 in this process. */
	uintptr_t base;
	/* Split: entries available. */
	uint32_t ready;
	/* IN_ORDER: first position of the batch, and its last buffer. */
	uint16_t start, last_id, nb;
	bool start_wrap;
};

struct piece {
	uint8_t *p;
	uint32_t len;
};

static vstate_inline void
frame_copy(uint8_t *dst, const uint8_t *src, uint32_t len, const bool small)
{
	if (small) {
		/* A constant length: the compiler chooses the fastest copy of 64 bytes. */
		memcpy(dst, src, 64);
		return;
	}
	memcpy(dst, src, len);
}

static vstate_inline void
view_open(struct view *v, struct bench_side *s, uint16_t vq, const bool packed)
{
	v->q = &s->guest->vqs[vq];
	v->r = &s->roof[vq];
	v->base = (uintptr_t)v->q->buf - v->q->buf_gpa;
	v->nb = v->last_id = 0;
	v->ready = 0;
	v->start = v->r->pos;
	v->start_wrap = v->r->wrap;
	if (!packed) {
		const struct vring_avail *avail = v->q->driver;

		v->ready = (uint16_t)(rte_atomic_load_explicit(&avail->idx,
				rte_memory_order_acquire) - v->r->pos);
	}
}

/* True if @p n descriptors from the position on are available. */
static vstate_inline bool
view_has(const struct view *v, uint32_t n, const bool packed)
{
	const struct vring_packed_desc *desc = v->q->desc;
	uint32_t pos = v->r->pos + n - 1;
	bool wrap = v->r->wrap;
	uint16_t flags;

	if (!packed)
		return v->ready >= n;
	if (pos >= v->q->size) {
		pos -= v->q->size;
		wrap = !wrap;
	}
	flags = rte_atomic_load_explicit(&desc[pos].flags, rte_memory_order_acquire);
	return (flags & (BENCH_AVAIL | BENCH_USED)) == (wrap ? BENCH_AVAIL : BENCH_USED);
}

/* Descriptor @p i of the chain at the position, and the ID of the buffer. */
static vstate_inline void *
desc_at(const struct view *v, uint16_t i, const bool packed, uint16_t *id)
{
	const struct vring_avail *avail = v->q->driver;

	if (packed) {
		struct vring_packed_desc *desc = v->q->desc, *d = &desc[v->r->pos + i];

		*id = d->id;
		return d;
	}
	*id = avail->ring[v->r->pos & (v->q->size - 1)];
	return (struct vring_desc *)v->q->desc + *id + i;
}

/* Address and length have the same offsets in both kinds of descriptor. */
static vstate_inline struct piece
piece_of(const struct view *v, const void *desc)
{
	const struct vring_desc *d = desc;

	return (struct piece){ .p = (uint8_t *)(uintptr_t)(v->base + d->addr), .len = d->len };
}

static vstate_inline void
view_forward(struct view *v, uint16_t n, const bool packed)
{
	if (!packed) {
		v->r->pos++;
		v->ready--;
		return;
	}
	v->r->pos += n;
	if (v->r->pos >= v->q->size) {
		v->r->pos -= v->q->size;
		v->r->wrap = !v->r->wrap;
	}
}

static vstate_inline void
packed_used(const struct view *v, uint16_t pos, bool wrap, uint16_t id, uint32_t len)
{
	struct vring_packed_desc *d = (struct vring_packed_desc *)v->q->desc + pos;

	d->id = id;
	d->len = len;
	rte_atomic_store_explicit(&d->flags, wrap ? BENCH_AVAIL | BENCH_USED : 0,
			rte_memory_order_release);
}

/* Use the buffer at the position. With IN_ORDER only the end of a transmit batch is written. */
static vstate_inline void
view_use(struct view *v, uint16_t id, uint32_t len, uint16_t descs, const bool packed,
		const bool in_order)
{
	v->nb++;
	if (in_order && !v->q->rx) {
		v->last_id = id;
	} else if (packed) {
		packed_used(v, v->r->pos, v->r->wrap, id, len);
	} else {
		struct vring_used *used = v->q->device;
		struct vring_used_elem *e = &used->ring[v->r->pos & (v->q->size - 1)];

		e->id = id;
		e->len = len;
	}
	view_forward(v, descs, packed);
}

static vstate_inline void
view_publish(struct view *v, const bool packed, const bool in_order)
{
	struct vring_used *used = v->q->device;

	if (v->nb == 0)
		return;
	if (packed) {
		if (in_order && !v->q->rx)
			packed_used(v, v->start, v->start_wrap, v->last_id, 0);
		return;
	}
	if (in_order && !v->q->rx)
		used->ring[v->start & (v->q->size - 1)] =
			(struct vring_used_elem){ .id = v->last_id };
	rte_atomic_store_explicit(&used->idx, v->r->pos, rte_memory_order_release);
}

/* Read the frame at the position, without its header. @return number of pieces */
static vstate_inline uint32_t
frame_in(const struct view *v, struct piece *src, uint16_t *id, const bool packed,
		const bool small)
{
	const struct vring_desc *table;
	uint32_t i;

	src[0] = piece_of(v, desc_at(v, 0, packed, id));
	if (!small && v->q->indirect) {
		table = (const struct vring_desc *)src[0].p;
		src[0] = piece_of(v, &table[1]);
		return 1;
	}
	for (i = 1; !small && i < v->q->descs; i++)
		src[i] = piece_of(v, desc_at(v, i, packed, id));
	src[0].p += BENCH_HDR;
	src[0].len -= BENCH_HDR;
	return small ? 1 : v->q->descs;
}

/* Copy a frame into the guest's buffers. */
static vstate_inline void
frame_out(struct view *v, const struct piece *src, uint32_t nb, const bool packed,
		const bool in_order, const bool small)
{
	struct piece buf;
	uint16_t id, merged = 1, *num_buffers;
	uint32_t i, pos, n, written = BENCH_HDR;

	buf = piece_of(v, desc_at(v, 0, packed, &id));
	memset(buf.p, 0, BENCH_HDR);
	num_buffers = (uint16_t *)(buf.p + 10);
	for (i = 0; i < nb; i++) {
		for (pos = 0; pos < src[i].len; pos += n, written += n) {
			if (!small && written == buf.len) {
				view_use(v, id, written, 1, packed, in_order);
				buf = piece_of(v, desc_at(v, 0, packed, &id));
				written = 0;
				merged++;
			}
			n = small ? src[i].len : RTE_MIN(src[i].len - pos, buf.len - written);
			frame_copy(buf.p + written, src[i].p + pos, n, small);
		}
	}
	*num_buffers = merged;
	view_use(v, id, written, 1, packed, in_order);
}

static vstate_inline uint32_t
burst_run(struct bench_side *s, uint16_t pair, uint32_t want, const enum bench_op op,
		const bool packed, const bool in_order, const bool small)
{
	const uint32_t frame = s->c->frame, stride = SCRATCH_STRIDE(frame);
	uint8_t *scratch = s->roof[2 * pair].scratch;
	struct view rx, tx;
	uint32_t n, i, nb = 1, bufs = 1;

	view_open(&rx, s, 2 * pair, packed);
	view_open(&tx, s, 2 * pair + 1, packed);
	if (!small)
		bufs = (rx.q->frame_len + rx.q->desc_len - 1) / rx.q->desc_len;
	for (n = 0; n < want; n++) {
		/* Not initialised as a whole, because that would cost more than the rest. */
		struct piece src[MAX_PIECES];
		uint16_t id = 0;

		src[0] = (struct piece){ .p = scratch + n % SCRATCH_FRAMES * stride, .len = frame };

		if (op != BENCH_ENQUEUE && !view_has(&tx, 1, packed))
			break;
		if (op != BENCH_DEQUEUE && !view_has(&rx, bufs, packed))
			break;
		if (op != BENCH_ENQUEUE) {
			nb = frame_in(&tx, src, &id, packed, small);
			if (op == BENCH_DEQUEUE) {
				uint8_t *dst = scratch + n % SCRATCH_FRAMES * stride;

				for (i = 0; i < nb; dst += src[i].len, i++)
					frame_copy(dst, src[i].p, src[i].len, small);
			}
		}
		if (op != BENCH_DEQUEUE)
			frame_out(&rx, src, nb, packed, in_order, small);
		if (op != BENCH_ENQUEUE)
			view_use(&tx, id, 0, tx.q->descs, packed, in_order);
	}
	view_publish(&rx, packed, in_order);
	view_publish(&tx, packed, in_order);
	if (op != BENCH_ENQUEUE)
		s->taken += n;
	if (op != BENCH_DEQUEUE)
		s->given += n;
	return n;
}

/* An instance for each layout and operation, for plain frames of 64 bytes and for others. */
#define BURST(op, packed, in_order, small) \
	burst_run(s, pair, want, BENCH_##op, packed, in_order, small)
#define LAYOUT(name, packed, in_order) \
	static uint32_t \
	name(struct bench_side *s, uint16_t pair, uint32_t want) \
	{ \
		const bool small = s->c->frame == 64 && !s->c->indirect; \
		\
		switch (s->c->op) { \
		case BENCH_ENQUEUE: \
			return small ? BURST(ENQUEUE, packed, in_order, true) : \
				BURST(ENQUEUE, packed, in_order, false); \
		case BENCH_LOOP: \
			return small ? BURST(LOOP, packed, in_order, true) : \
				BURST(LOOP, packed, in_order, false); \
		default: \
			return small ? BURST(DEQUEUE, packed, in_order, true) : \
				BURST(DEQUEUE, packed, in_order, false); \
		} \
	}

LAYOUT(burst_split, false, false)
LAYOUT(burst_split_in_order, false, true)
LAYOUT(burst_packed, true, false)
LAYOUT(burst_packed_in_order, true, true)

uint32_t
bench_roof_burst(struct bench_side *s, uint16_t pair, uint32_t want)
{
	const struct bench_case *c = s->c;

	if (c->packed)
		return c->in_order ? burst_packed_in_order(s, pair, want) :
			burst_packed(s, pair, want);
	return c->in_order ? burst_split_in_order(s, pair, want) : burst_split(s, pair, want);
}

int
bench_roof_create(struct bench_side *s)
{
	const size_t stride = SCRATCH_STRIDE(s->c->frame);
	uint8_t *scratch;
	uint32_t i;

	s->roof = calloc(2 * s->c->pairs, sizeof(*s->roof));
	/* All queues share the memory, as ports share mbufs. */
	scratch = aligned_alloc(64, SCRATCH_FRAMES * stride);
	if (s->roof == NULL || scratch == NULL) {
		free(s->roof);
		free(scratch);
		s->roof = NULL;
		return -ENOMEM;
	}
	memset(scratch, 0, SCRATCH_FRAMES * stride);
	for (i = 0; i < SCRATCH_FRAMES; i++)
		bench_frame_head(scratch + i * stride, 0);
	for (i = 0; i < 2u * s->c->pairs; i++) {
		s->roof[i].wrap = s->c->packed;
		s->roof[i].scratch = scratch;
	}
	return 0;
}

void
bench_roof_free(struct bench_side *s)
{
	if (s->roof != NULL)
		free(s->roof[0].scratch);
	free(s->roof);
	s->roof = NULL;
}

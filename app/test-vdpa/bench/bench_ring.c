/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "bench_ring.h"
#include "vstate_compat.h"

/* Unused local addresses, an experimental EtherType, then number and mark. */
static const uint8_t head_template[BENCH_HEAD] = {
	0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02, 0x88, 0xb5,
	[BENCH_MARK_OFF] = BENCH_MARK & 0xff, (BENCH_MARK >> 8) & 0xff,
	(BENCH_MARK >> 16) & 0xff, BENCH_MARK >> 24,
};

void
bench_frame_head(uint8_t *frame, uint64_t seq)
{
	memcpy(frame, head_template, BENCH_HEAD);
	memcpy(frame + BENCH_SEQ_OFF, &seq, sizeof(seq));
}

bool
bench_frame_ours(const uint8_t *frame, uint64_t *seq)
{
	uint32_t mark;

	memcpy(&mark, frame + BENCH_MARK_OFF, sizeof(mark));
	memcpy(seq, frame + BENCH_SEQ_OFF, sizeof(*seq));
	return mark == BENCH_MARK;
}

static uint8_t *
slot_buf(const struct bench_vq *q, uint16_t slot)
{
	return q->buf + (size_t)slot * q->stride;
}

static uint64_t
slot_gpa(const struct bench_vq *q, uint16_t slot)
{
	return q->buf_gpa + (uint64_t)slot * q->stride;
}

static uint16_t
slot_after(const struct bench_vq *q, uint16_t slot, uint16_t n)
{
	uint32_t next = slot + n;

	return next >= q->slots ? next - q->slots : next;
}

/* ---- make buffers available ---- */

/* Address and length of descriptor @p i of a slot. */
static vstate_inline uint64_t
piece_addr(const struct bench_vq *q, uint16_t slot, uint16_t i, uint32_t *len)
{
	if (q->indirect) {
		*len = BENCH_TABLE_LEN * sizeof(struct vring_desc);
		return q->table_gpa + (uint64_t)slot * BENCH_TABLE_LEN * sizeof(struct vring_desc);
	}
	*len = q->desc_len;
	if (i > 0 && i + 1 == q->descs)
		*len = q->frame_len - i * q->desc_len;
	return slot_gpa(q, slot) + i * q->desc_len;
}

static vstate_inline uint16_t
piece_flags(const struct bench_vq *q, uint16_t i, const bool rx)
{
	if (rx)
		return VRING_DESC_F_WRITE;
	if (q->indirect)
		return VRING_DESC_F_INDIRECT;
	return i + 1 < q->descs ? VRING_DESC_F_NEXT : 0;
}

static vstate_inline void
frame_write(struct bench_vq *q, uint16_t slot)
{
	uint8_t *buf = slot_buf(q, slot);

	memset(buf, 0, BENCH_HDR);
	bench_frame_head(buf + BENCH_HDR, q->seq++);
}

static vstate_inline void
split_put(struct bench_vq *q, uint32_t n, const bool rx)
{
	struct vring_avail *avail = q->driver;
	struct vring_desc *desc = q->desc;
	uint32_t k;
	uint16_t i;

	for (k = 0; k < n; k++) {
		uint16_t head = q->next * q->descs;

		if (!rx)
			frame_write(q, q->next);
		for (i = 0; i < q->descs; i++) {
			struct vring_desc *d = &desc[head + i];

			d->addr = piece_addr(q, q->next, i, &d->len);
			d->flags = piece_flags(q, i, rx);
			d->next = head + i + 1;
		}
		avail->ring[q->avail++ & (q->size - 1)] = head;
		q->next = slot_after(q, q->next, 1);
	}
	/* Release: descriptors and entries are written before the device sees the index. */
	rte_atomic_store_explicit(&avail->idx, q->avail, rte_memory_order_release);
}

static vstate_inline void
packed_put(struct bench_vq *q, uint32_t n, const bool rx)
{
	struct vring_packed_desc *desc = q->desc, *first = desc + q->avail;
	uint16_t first_flags = 0, i;
	uint32_t k;

	for (k = 0; k < n; k++) {
		if (!rx)
			frame_write(q, q->next);
		for (i = 0; i < q->descs; i++) {
			struct vring_packed_desc *d = &desc[q->avail];
			uint16_t flags = piece_flags(q, i, rx) |
				(q->avail_wrap ? BENCH_AVAIL : BENCH_USED);

			d->addr = piece_addr(q, q->next, i, &d->len);
			d->id = q->next;
			if (k == 0 && i == 0)
				first_flags = flags;
			else
				d->flags = flags;
			if (++q->avail == q->size) {
				q->avail = 0;
				q->avail_wrap = !q->avail_wrap;
			}
		}
		q->next = slot_after(q, q->next, 1);
	}
	/* Release: the whole batch becomes visible with its first descriptor. */
	rte_atomic_store_explicit(&first->flags, first_flags, rte_memory_order_release);
}

uint32_t
bench_vq_send(struct bench_vq *q, uint32_t n)
{
	n = RTE_MIN(n, q->nb_free);
	if (n == 0)
		return 0;
	if (q->packed)
		packed_put(q, n, false);
	else
		split_put(q, n, false);
	q->nb_free -= n;
	q->frames += n;
	return n;
}

void
bench_vq_post(struct bench_vq *q)
{
	if (q->nb_free == 0)
		return;
	if (q->packed)
		packed_put(q, q->nb_free, true);
	else
		split_put(q, q->nb_free, true);
	q->nb_free = 0;
}

/* ---- take buffers back ---- */

static void
slots_back(struct bench_vq *q, uint16_t n)
{
	q->oldest = slot_after(q, q->oldest, n);
	q->nb_free += n;
}

static uint16_t
split_used(const struct bench_vq *q)
{
	const struct vring_used *used = q->device;

	/* Acquire: entries and buffers are read after the index that covers them. */
	return rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire) - q->used;
}

static bool
packed_used(const struct bench_vq *q)
{
	const struct vring_packed_desc *d = (const struct vring_packed_desc *)q->desc + q->used;
	uint16_t flags = rte_atomic_load_explicit(&d->flags, rte_memory_order_acquire);
	uint16_t both = q->used_wrap ? BENCH_AVAIL | BENCH_USED : 0;

	return (flags & (BENCH_AVAIL | BENCH_USED)) == both;
}

static void
packed_forward(struct bench_vq *q, uint16_t n)
{
	uint32_t next = q->used + n;

	if (next >= q->size) {
		next -= q->size;
		q->used_wrap = !q->used_wrap;
	}
	q->used = next;
}

static uint32_t
split_reap(struct bench_vq *q)
{
	const struct vring_used *used = q->device;
	uint16_t n = split_used(q), i;

	if (n > q->slots - q->nb_free) {
		q->errors++;
		return 0;
	}
	/* With IN_ORDER, the device may write only one entry for a whole batch. */
	for (i = 0; i < n && !q->in_order; i++)
		if (used->ring[(uint16_t)(q->used + i) & (q->size - 1)].id !=
				(uint32_t)slot_after(q, q->oldest, i) * q->descs)
			q->errors++;
	q->used += n;
	slots_back(q, n);
	return n;
}

static uint32_t
packed_reap(struct bench_vq *q)
{
	const struct vring_packed_desc *desc = q->desc;
	uint32_t n = 0;

	while (q->nb_free < q->slots && packed_used(q)) {
		uint16_t id = desc[q->used].id, batch;

		/* Only with IN_ORDER may the device skip to the last buffer of a batch. */
		batch = id >= q->oldest ? id - q->oldest : id + q->slots - q->oldest;
		if (id >= q->slots || batch >= q->slots - q->nb_free ||
				(batch > 0 && !q->in_order)) {
			q->errors++;
			break;
		}
		batch++;
		packed_forward(q, batch * q->descs);
		slots_back(q, batch);
		n += batch;
	}
	return n;
}

uint32_t
bench_vq_reap(struct bench_vq *q)
{
	uint32_t n = q->packed ? packed_reap(q) : split_reap(q);

	q->done += n;
	return n;
}

/* Check a received buffer of @p len bytes. @return true if it ends a frame */
static vstate_inline bool
buffer_received(struct bench_vq *q, uint16_t slot, uint32_t len)
{
	const uint8_t *buf = slot_buf(q, slot);
	uint64_t seq;

	if (q->part_left == 0) {
		q->part_len = 0;
		/*
		 * Only mergeable buffers have a valid num_buffers; rte_vhost leaves it out
		 * otherwise.
		 */
		q->part_left = 1;
		if (q->mergeable)
			memcpy(&q->part_left, buf + 10, sizeof(q->part_left));
		if (q->part_left == 0) {
			q->errors++;
			q->part_left = 1;
		}
		/* Numbers never decrease. Missing ones are seen in the counts. */
		if (!q->foreign) {
			if (!bench_frame_ours(buf + BENCH_HDR, &seq) || seq < q->seq)
				q->errors++;
			q->seq = seq;
		}
	}
	q->part_len += len;
	if (--q->part_left > 0)
		return false;
	if (q->part_len != q->frame_len)
		q->errors++;
	return true;
}

static uint32_t
split_receive(struct bench_vq *q)
{
	const struct vring_used *used = q->device;
	uint32_t frames = 0;
	uint16_t n = split_used(q), i;

	if (n > q->slots - q->nb_free) {
		q->errors++;
		return 0;
	}
	for (i = 0; i < n; i++) {
		const struct vring_used_elem *e =
			&used->ring[(uint16_t)(q->used + i) & (q->size - 1)];
		uint16_t slot = slot_after(q, q->oldest, i);

		if (e->id != slot)
			q->errors++;
		frames += buffer_received(q, slot, e->len);
	}
	q->used += n;
	slots_back(q, n);
	return frames;
}

static uint32_t
packed_receive(struct bench_vq *q)
{
	const struct vring_packed_desc *desc = q->desc;
	uint32_t frames = 0;

	while (q->nb_free < q->slots && packed_used(q)) {
		if (desc[q->used].id != q->oldest)
			q->errors++;
		frames += buffer_received(q, q->oldest, desc[q->used].len);
		packed_forward(q, 1);
		slots_back(q, 1);
	}
	return frames;
}

uint32_t
bench_vq_receive(struct bench_vq *q)
{
	uint32_t n = q->packed ? packed_receive(q) : split_receive(q);

	q->frames += n;
	return n;
}

/* ---- initialise ---- */

static void
tables_write(struct bench_vq *q)
{
	uint16_t slot;

	for (slot = 0; slot < q->slots; slot++) {
		struct vring_desc *t = &q->table[slot * BENCH_TABLE_LEN];
		struct vring_packed_desc *p = (struct vring_packed_desc *)t;
		uint64_t gpa = slot_gpa(q, slot);

		t[0].addr = gpa;
		t[0].len = BENCH_HDR;
		t[1].addr = gpa + BENCH_HDR;
		t[1].len = q->frame_len - BENCH_HDR;
		if (q->packed) {
			/* The length of the table gives the number of entries: no NEXT flags. */
			p[0].flags = p[1].flags = 0;
			continue;
		}
		t[0].flags = VRING_DESC_F_NEXT;
		t[0].next = 1;
	}
}

void
bench_vq_init(struct bench_vq *q)
{
	struct vring_packed_desc_event *event = q->driver;
	struct vring_avail *avail = q->driver;

	q->avail = q->used = q->next = q->oldest = 0;
	q->avail_wrap = q->used_wrap = q->packed;
	q->nb_free = q->slots;
	/* A driver that polls wants no calls. */
	if (q->packed)
		event->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	else
		avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	if (q->indirect)
		tables_write(q);
}

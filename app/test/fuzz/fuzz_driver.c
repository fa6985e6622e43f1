/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "fuzz_driver.h"

#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)
#define F_KIND (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)

/* ---- guest memory ---- */

static uint16_t
u16_get(uint64_t gpa)
{
	uint16_t v = 0;

	fuzz_guest_read(gpa, &v, sizeof(v));
	return rte_le_to_cpu_16(v);
}

static void
u16_set(uint64_t gpa, uint16_t v)
{
	v = rte_cpu_to_le_16(v);
	fuzz_guest_write(gpa, &v, sizeof(v));
}

static uint64_t
area(enum fuzz_area a)
{
	return fuzz_guest.areas[a].gpa;
}

static void
desc_set(const struct fuzz_driver *d, uint64_t gpa, const struct fuzz_desc *desc)
{
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t a, b;
	} raw = { rte_cpu_to_le_64(desc->addr), rte_cpu_to_le_32(desc->len),
		rte_cpu_to_le_16(d->packed ? desc->link : desc->flags),
		rte_cpu_to_le_16(d->packed ? desc->flags : desc->link) };

	fuzz_guest_write(gpa, &raw, sizeof(raw));
}

static bool
desc_get(const struct fuzz_driver *d, uint64_t gpa, struct fuzz_desc *desc)
{
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t a, b;
	} raw;

	if (!fuzz_guest_read(gpa, &raw, sizeof(raw)))
		return false;
	desc->addr = rte_le_to_cpu_64(raw.addr);
	desc->len = rte_le_to_cpu_32(raw.len);
	desc->flags = rte_le_to_cpu_16(d->packed ? raw.b : raw.a);
	desc->link = rte_le_to_cpu_16(d->packed ? raw.a : raw.b);
	return true;
}

/* ---- the driver ---- */

void
fuzz_driver_seek(struct fuzz_driver *d, uint16_t idx, uint8_t wrap)
{
	uint16_t i;

	d->next = idx;
	d->wrap = wrap;
	d->desc = 0;
	d->table = area(FUZZ_BUF3);
	if (!d->packed) {
		u16_set(area(FUZZ_DRIVER) + 2, idx);
		u16_set(area(FUZZ_DEVICE) + 2, idx);
		return;
	}
	for (i = 0; i < d->size; i++)
		u16_set(area(FUZZ_DESC) + 16ull * i + 14,
				(i < idx) == wrap ? F_AVAIL | F_USED : 0);
}

/* Lengths that matter, and their neighbours. */
uint32_t
fuzz_driver_len(const struct fuzz_driver *d, struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	static const uint16_t lens[] = { 0, 1, 12, 14, 26, 32, 64, 76, 128, 140, 192, 250, 262, 268,
		512, 1024, 4096, 8192 };
	const unsigned int i = how >> 2;

	if (i == RTE_DIM(lens))
		return fuzz_u32(in);
	if (i == RTE_DIM(lens) + 1)
		return d->hdr_len;
	if (i > RTE_DIM(lens) + 1)
		return how & 1 ? 16 + (uint32_t)how : fuzz_u16(in);
	return lens[i] + (how & 3) - 1 + (how & 3 ? 0 : 1);
}

static struct fuzz_desc
desc_draw(const struct fuzz_driver *d, struct fuzz_in *in)
{
	return (struct fuzz_desc){ .addr = fuzz_guest_addr(in), .len = fuzz_driver_len(d, in),
		.flags = d->direction };
}

static void
split_publish(struct fuzz_driver *d, uint16_t head)
{
	u16_set(area(FUZZ_DRIVER) + 4 + 2ull * (d->next % d->size), head);
	u16_set(area(FUZZ_DRIVER) + 2, ++d->next);
}

static void
packed_step(struct fuzz_driver *d)
{
	if (++d->next == d->size) {
		d->next = 0;
		d->wrap = !d->wrap;
	}
}

/* One ring descriptor, with the flags of its turn. */
static void
packed_put(struct fuzz_driver *d, struct fuzz_desc *desc)
{
	desc->flags |= d->wrap ? F_AVAIL : F_USED;
	desc_set(d, area(FUZZ_DESC) + 16ull * d->next, desc);
	packed_step(d);
}

void
fuzz_driver_add(struct fuzz_driver *d, struct fuzz_desc *descs, uint16_t n)
{
	const uint16_t head = d->desc;
	uint16_t i;

	for (i = 0; i < n; i++) {
		descs[i].flags |= i + 1 < n ? VRING_DESC_F_NEXT : 0;
		if (d->packed) {
			/* only the last ID counts; the others are meant to mislead */
			descs[i].link = i + 1 < n ? 0xdead : head;
			packed_put(d, &descs[i]);
		} else {
			descs[i].link = (d->desc + 1) % d->size;
			desc_set(d, area(FUZZ_DESC) + 16ull * d->desc, &descs[i]);
			d->desc = descs[i].link;
		}
	}
	if (d->packed)
		d->desc = (d->desc + 1) % d->size;
	else
		split_publish(d, head);
}

struct fuzz_desc
fuzz_driver_table(struct fuzz_driver *d, struct fuzz_desc *descs, uint16_t n)
{
	struct fuzz_desc table = { d->table, 16u * n, VRING_DESC_F_INDIRECT, 0 };
	uint16_t i;

	for (i = 0; i < n; i++) {
		descs[i].flags |= !d->packed && i + 1 < n ? VRING_DESC_F_NEXT : 0;
		descs[i].link = d->packed ? 0 : i + 1;
		desc_set(d, d->table + 16ull * i, &descs[i]);
	}
	d->table += 16ull * n;
	/* from time to time a table crosses into this region from the one before */
	if (d->table + 256 > area(FUZZ_BUF3) + fuzz_guest.areas[FUZZ_BUF3].size)
		d->table = area(FUZZ_BUF3) - 24;
	return table;
}

static void
buffer_add(struct fuzz_driver *d, struct fuzz_in *in, uint16_t n, bool indirect)
{
	struct fuzz_desc descs[4], entries[5];
	uint16_t i, k, nb;

	for (i = 0; i < n; i++) {
		if (!indirect || i + 1 < n) {
			descs[i] = desc_draw(d, in);
			continue;
		}
		nb = 1 + (fuzz_u8(in) & 7) % RTE_DIM(entries);
		for (k = 0; k < nb; k++)
			entries[k] = desc_draw(d, in);
		descs[i] = fuzz_driver_table(d, entries, nb);
	}
	fuzz_driver_add(d, descs, n);
}

/* Many buffers of one length: what batches are made of. */
static void
buffers_alike_add(struct fuzz_driver *d, struct fuzz_in *in)
{
	struct fuzz_desc desc = desc_draw(d, in);
	unsigned int n = 1 + fuzz_u8(in) % 40, i;
	const uint64_t step = fuzz_u8(in) * 4u;

	for (i = 0; i < n; i++, desc.addr += step) {
		struct fuzz_desc one = desc;

		one.link = d->desc;
		if (d->packed) {
			packed_put(d, &one);
		} else {
			desc_set(d, area(FUZZ_DESC) + 16ull * d->desc, &one);
			split_publish(d, d->desc);
		}
		d->desc = (d->desc + 1) % d->size;
	}
}

/* A value near the size of the ring. */
static uint16_t
near_size(const struct fuzz_driver *d, struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);

	return how & 0x80 ? fuzz_u16(in) : how & 0x40 ? d->size - 2 + (how & 3) : how % d->size;
}

static void
anything_write(struct fuzz_driver *d, struct fuzz_in *in)
{
	uint8_t bytes[16];
	struct fuzz_desc desc;
	size_t n;

	switch (fuzz_u8(in) % 5) {
	case 0:
		desc = desc_draw(d, in);
		desc.flags = fuzz_u16(in);
		desc.link = near_size(d, in);
		desc_set(d, area(FUZZ_DESC) + 16ull * (fuzz_u8(in) % d->size), &desc);
		break;
	case 1:
		/* a head, or an ID */
		if (d->packed)
			u16_set(area(FUZZ_DESC) + 16ull * (fuzz_u8(in) % d->size) + 12,
					near_size(d, in));
		else
			u16_set(area(FUZZ_DRIVER) + 4 + 2ull * (fuzz_u8(in) % d->size),
					near_size(d, in));
		break;
	case 2:
		if (!d->packed)
			d->next += fuzz_u8(in) & 1 ? near_size(d, in) : 1;
		u16_set(area(FUZZ_DRIVER) + (d->packed ? 0 : 2),
				d->packed ? fuzz_u16(in) : d->next);
		break;
	case 3:
		/* flags for calls, and the event index */
		u16_set(area(FUZZ_DRIVER), fuzz_u8(in) & 3);
		u16_set(area(FUZZ_DRIVER) + (d->packed ? 2 : 4 + 2ull * d->size), fuzz_u16(in));
		break;
	default:
		n = fuzz_bytes(in, bytes, 1 + fuzz_u8(in) % sizeof(bytes));
		fuzz_guest_write(fuzz_guest_addr(in), bytes, n);
		break;
	}
}

void
fuzz_driver_step(struct fuzz_driver *d, struct fuzz_in *in, uint8_t op)
{
	switch (op & 3) {
	case 0:
		buffer_add(d, in, 1 + (op >> 2 & 3), op & 0x10);
		break;
	case 1:
		buffers_alike_add(d, in);
		break;
	case 2:
		/* a header before each frame */
		buffer_add(d, in, 2, op & 0x10);
		break;
	default:
		anything_write(d, in);
		break;
	}
}

/* ---- the model ---- */

static uint8_t marks[65536];

/* Mark bytes that a description, or a writable buffer, has; true: some are marked already. */
static bool
bytes_mark(uint64_t gpa, uint32_t len)
{
	uint8_t *p = fuzz_guest_at(gpa, 1);
	bool twice = false;
	size_t at;

	for (; len > 0 && p != NULL; len--, gpa++) {
		p = fuzz_guest_at(gpa, 1);
		if (p == NULL)
			break;
		at = p - fuzz_guest.areas[0].hva;
		twice |= marks[at] != 0;
		marks[at] = 1;
	}
	return twice;
}

/* Add a descriptor to a buffer. False: the device cannot use it, or the model looks no further. */
static bool
piece_add(const struct fuzz_driver *d, struct fuzz_view *v, struct fuzz_buf *b,
		const struct fuzz_desc *desc)
{
	uint64_t gpa = desc->addr;
	uint32_t left = desc->len, room;
	int i;

	for (; left > 0; left -= room, gpa += room) {
		if (b->nb_pieces == FUZZ_PIECES) {
			v->cut = true;
			return false;
		}
		for (i = 0; i < FUZZ_AREAS; i++) {
			if (gpa - area(i) < fuzz_guest.areas[i].size)
				break;
		}
		if (i == FUZZ_AREAS)
			return false;
		room = RTE_MIN(left, fuzz_guest.areas[i].size - (uint32_t)(gpa - area(i)));
		b->pieces[b->nb_pieces].gpa = gpa;
		b->pieces[b->nb_pieces].writable = desc->flags & VRING_DESC_F_WRITE;
		b->pieces[b->nb_pieces++].len = room;
		b->bytes += room;
		if (d->direction != 0)
			v->tangled |= i <= FUZZ_DEVICE || bytes_mark(gpa, room);
	}
	return true;
}

static bool
table_walk(const struct fuzz_driver *d, struct fuzz_view *v, struct fuzz_buf *b,
		const struct fuzz_desc *table)
{
	const uint32_t n = table->len / 16;
	uint32_t at = 0, i;
	struct fuzz_desc desc;

	if (!d->indirect || table->len % 16 != 0)
		return false;
	for (i = 0; i < n; i++) {
		if (!desc_get(d, table->addr + 16ull * at, &desc))
			return false;
		if (d->direction != 0)
			v->tangled |= bytes_mark(table->addr + 16ull * at, 16);
		if (!piece_add(d, v, b, &desc))
			return false;
		if (d->packed) {
			at++;
		} else if (desc.flags & VRING_DESC_F_NEXT) {
			at = desc.link;
			if (at >= n)
				return false;
		} else {
			return true;
		}
	}
	return d->packed && n > 0;
}

static bool
chain_walk(const struct fuzz_driver *d, struct fuzz_view *v, struct fuzz_buf *b, uint16_t at,
		uint16_t room)
{
	struct fuzz_desc desc;
	uint16_t i;

	for (i = 0; i < (d->packed ? room : d->size); i++) {
		if (at >= d->size || !desc_get(d, area(FUZZ_DESC) + 16ull * at, &desc))
			return false;
		if (d->packed) {
			b->id = desc.link;
			b->num = i + 1;
		}
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (d->packed && i > 0)
				return false;
			return table_walk(d, v, b, &desc);
		}
		if (!piece_add(d, v, b, &desc))
			return false;
		if ((desc.flags & VRING_DESC_F_NEXT) == 0)
			return true;
		at = d->packed ? (at + 1) % d->size : desc.link;
	}
	return false;
}

void
fuzz_driver_view(const struct fuzz_driver *d, uint16_t idx, uint8_t wrap, uint16_t room,
		struct fuzz_view *v)
{
	struct fuzz_buf *b;
	uint16_t flags, n = 0;

	v->nb = v->nb_offered = 0;
	v->tangled = v->cut = false;
	memset(marks, 0, fuzz_guest.areas[FUZZ_BUF3].hva + fuzz_guest.areas[FUZZ_BUF3].size -
			fuzz_guest.areas[0].hva);
	while (n < room && v->nb < FUZZ_BUFS) {
		b = &v->bufs[v->nb];
		b->num = 1;
		b->nb_pieces = 0;
		b->bytes = 0;
		if (d->packed) {
			flags = u16_get(area(FUZZ_DESC) + 16ull * idx + 14);
			if (!!(flags & F_AVAIL) != wrap || !!(flags & F_USED) == wrap)
				return;
			v->nb_offered++;
			if (!chain_walk(d, v, b, idx, room - n))
				return;
			idx += b->num;
			if (idx >= d->size) {
				idx -= d->size;
				wrap = !wrap;
			}
		} else {
			if (idx == u16_get(area(FUZZ_DRIVER) + 2))
				return;
			v->nb_offered++;
			b->id = u16_get(area(FUZZ_DRIVER) + 4 + 2ull * (idx++ % d->size));
			if (!chain_walk(d, v, b, b->id, d->size))
				return;
		}
		n += b->num;
		v->nb++;
	}
}

void
fuzz_driver_require_offered(const struct fuzz_driver *d, const struct fuzz_view *v, bool logged)
{
	uint16_t i, k;

	if (logged)
		fuzz_guest_require_logged();
	fuzz_guest_allow(area(FUZZ_DEVICE), fuzz_guest.areas[FUZZ_DEVICE].size);
	if (d->packed)
		fuzz_guest_allow(area(FUZZ_DESC), fuzz_guest.areas[FUZZ_DESC].size);
	for (i = 0; i < v->nb_offered; i++)
		for (k = 0; k < v->bufs[i].nb_pieces; k++)
			if (v->bufs[i].pieces[k].writable)
				fuzz_guest_allow(v->bufs[i].pieces[k].gpa,
						v->bufs[i].pieces[k].len);
	fuzz_guest_require_unchanged("only what the driver offered is written");
}

void
fuzz_driver_describe(const struct fuzz_driver *d, struct vstate_pos base,
		struct vstate_ring_setup *ring)
{
	*ring = (struct vstate_ring_setup){
		.ready = true,
		.size = d->size,
		.desc = fuzz_guest.areas[FUZZ_DESC].hva,
		.driver = fuzz_guest.areas[FUZZ_DRIVER].hva,
		.device = fuzz_guest.areas[FUZZ_DEVICE].hva,
		.callfd = -1,
		.kickfd = -1,
		.base_fresh = true,
		.avail = base,
		.used = base,
	};
}

bool
fuzz_buf_read(const struct fuzz_buf *b, uint32_t off, void *to, uint32_t len)
{
	uint8_t *out = to;
	uint32_t n;
	uint16_t i;

	for (i = 0; i < b->nb_pieces && len > 0; i++) {
		if (off >= b->pieces[i].len) {
			off -= b->pieces[i].len;
			continue;
		}
		n = RTE_MIN(len, b->pieces[i].len - off);
		if (!fuzz_guest_read(b->pieces[i].gpa + off, out, n))
			return false;
		out += n;
		len -= n;
		off = 0;
	}
	return len == 0;
}

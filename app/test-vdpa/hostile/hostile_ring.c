/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Hostile descriptors and virtio headers, as tables for both kinds of ring. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_core.h"
#include "guest_frame.h"
#include "guest_mem.h"
#include "hostile_case.h"
#include "hostile_env.h"
#include "hostile_put.h"
#include "hostile_ring.h"

#define N VRING_DESC_F_NEXT
#define W VRING_DESC_F_WRITE
#define I VRING_DESC_F_INDIRECT
/* A placeholder: the length of the frame with its header. */
#define WHOLE 0xfffffff0u
#define REST(n) (WHOLE - (n))

/* The kinds of ring that an attack breaks. The last one is only possible with split rings. */
#define BREAKS HOSTILE_BREAKS
#define BREAKS_SPLIT HOSTILE_BREAKS_SPLIT
#define BREAKS_PACKED HOSTILE_BREAKS_PACKED
#define ONLY_SPLIT_BREAKS (HOSTILE_SPLIT | HOSTILE_BREAKS_SPLIT)

/** Base of an address. */
enum place {
	ABSOLUTE, FRAME, SCRATCH, HOLE, END, ISLAND_END, RINGS, TABLE,
};

struct piece {
	enum place place;
	uint64_t off;
	uint32_t len;
	uint16_t flags;
	/** Split: 1 + next; 0: the following descriptor. */
	uint32_t next;
};

/** Descriptors in the ring. One of them may point to the indirect table. */
struct attack {
	const char *name, *what;
	struct piece ring[4];
	struct piece table[4];
	/** Flags of the case. Without HOSTILE_SPLIT and HOSTILE_PACKED: both. */
	uint32_t flags;
	/** Number of one-byte descriptors before the first one: a header in pieces. */
	uint16_t split_header;
	/** Number of repetitions of the last table entry. */
	uint16_t repeat;
};

/* Transmit: the device must not write any of these buffers. */
static const struct attack tx_attacks[] = {
	{ "tx-addr-null", "address 0", { { ABSOLUTE, 0, 100, 0 } }, .flags = BREAKS },
	{ "tx-addr-hole", "address in the hole between regions", { { HOLE, 0, 100, 0 } },
		.flags = BREAKS },
	{ "tx-addr-high", "address with the top bit set",
		{ { ABSOLUTE, 1ull << 63, 100, 0 } }, .flags = BREAKS },
	{ "tx-addr-overflow", "address + length wraps around",
		{ { ABSOLUTE, UINT64_MAX - 63, 128, 0 } }, .flags = BREAKS },
	{ "tx-addr-overflow-second", "the same in the second descriptor",
		{ { FRAME, 0, 12, N }, { ABSOLUTE, UINT64_MAX - 63, 128, 0 } }, .flags = BREAKS },
	{ "tx-addr-null-len-0", "bad address of no bytes",
		{ { FRAME, 0, 12, N }, { ABSOLUTE, 0, 0, N }, { FRAME, 12, REST(12), 0 } } },
	{ "tx-len-0", "a chain of no bytes", { { FRAME, 0, 0, 0 } }, .flags = BREAKS },
	{ "tx-len-0-first", "an empty descriptor before a good one",
		{ { FRAME, 0, 0, N }, { FRAME, 0, WHOLE, 0 } } },
	{ "tx-len-0-last", "an empty descriptor after a good one",
		{ { FRAME, 0, WHOLE, N }, { FRAME, 0, 0, 0 } } },
	{ "tx-len-max", "length 0xffffffff", { { FRAME, 0, 0xffffffef, 0 } }, .flags = BREAKS },
	{ "tx-len-max-second", "length 0xffffffff after the header",
		{ { FRAME, 0, 12, N }, { FRAME, 12, 0xffffffef, 0 } }, .flags = BREAKS },
	{ "tx-len-sum-overflow", "lengths whose sum passes 32 bits",
		{ { FRAME, 0, 0x80000000, N }, { FRAME, 0, 0x80000000, N }, { FRAME, 0, 64, 0 } },
		.flags = BREAKS },
	{ "tx-cross-hole", "buffer that begins in memory and ends in the hole",
		{ { END, (uint64_t)-32, 128, 0 } }, .flags = BREAKS },
	{ "tx-cross-hole-second", "the same after a good header",
		{ { FRAME, 0, 12, N }, { END, (uint64_t)-32, 128, 0 } }, .flags = BREAKS },
	{ "tx-cross-island", "buffer beyond the last region",
		{ { FRAME, 0, 12, N }, { ISLAND_END, (uint64_t)-32, 4096, 0 } }, .flags = BREAKS },
	{ "tx-header-crosses-hole", "virtio header itself across the hole",
		{ { END, (uint64_t)-6, 12, N }, { FRAME, 12, REST(12), 0 } }, .flags = BREAKS },
	{ "tx-writable", "device-writable buffer in the transmit ring",
		{ { FRAME, 0, WHOLE, W } }, .flags = BREAKS },
	{ "tx-writable-second", "device-writable buffer after a good header",
		{ { FRAME, 0, 12, N }, { FRAME, 12, REST(12), W } }, .flags = BREAKS },
	{ "tx-short-header", "chain shorter than the virtio header", { { FRAME, 0, 4, 0 } },
		.flags = BREAKS },
	{ "tx-only-header", "chain no longer than the virtio header", { { FRAME, 0, 12, 0 } } },
	{ "tx-runt-1", "frame of one byte", { { FRAME, 0, 13, 0 } } },
	{ "tx-runt-13", "frame shorter than an Ethernet header", { { FRAME, 0, 25, 0 } } },
	{ "tx-header-in-bytes", "virtio header over 12 descriptors",
		{ { FRAME, 12, REST(12), 0 } }, .split_header = 12 },
	{ "tx-header-in-bytes-only", "chain that ends within a header in pieces",
		{ { FRAME, 11, 1, 0 } }, .split_header = 11 },
	{ "tx-long", "chain of all descriptors of the ring, valid",
		{ { FRAME, 12, REST(12), 0 } }, .split_header = HOSTILE_DESCS - 1 },
	{ "tx-ring-as-frame", "a frame that is the ring itself",
		{ { FRAME, 0, 12, N }, { RINGS, 0, 1024, 0 } } },
	{ "tx-flags-unknown", "undefined descriptor flags",
		{ { FRAME, 0, WHOLE, 0x0078 } } },
	{ "indirect-ok", "a table, valid",
		{ { TABLE, 0, 16, I } }, { { FRAME, 0, WHOLE, 0 } } },
	{ "indirect-nested", "a table in a table",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N }, { TABLE, 0, 32, I } },
		.flags = BREAKS },
	{ "indirect-nested-first", "a table whose only entry is a table",
		{ { TABLE, 0, 16, I } }, { { TABLE, 0, 16, I } }, .flags = BREAKS },
	{ "indirect-and-next", "indirect with a next descriptor",
		{ { TABLE, 0, 16, I | N }, { FRAME, 12, REST(12), 0 } }, { { FRAME, 0, 12, 0 } },
		.flags = BREAKS },
	{ "indirect-after-next", "indirect at the end of a chain",
		{ { FRAME, 0, 12, N }, { TABLE, 0, 16, I } }, { { FRAME, 12, REST(12), 0 } },
		.flags = BREAKS_PACKED },
	{ "indirect-len-0", "table of no bytes",
		{ { TABLE, 0, 0, I } }, { { FRAME, 0, WHOLE, 0 } }, .flags = BREAKS },
	{ "indirect-len-8", "table of half an entry",
		{ { TABLE, 0, 8, I } }, { { FRAME, 0, WHOLE, 0 } }, .flags = BREAKS },
	{ "indirect-len-24", "table length not a multiple of 16",
		{ { TABLE, 0, 24, I } }, { { FRAME, 0, 12, N }, { FRAME, 12, REST(12), 0 } },
		.flags = BREAKS },
	{ "indirect-len-max", "table length 0xffffffff",
		{ { TABLE, 0, 0xffffffef, I } }, { { FRAME, 0, WHOLE, 0 } }, .flags = BREAKS },
	{ "indirect-len-huge", "table of 0x1000000 entries",
		{ { TABLE, 0, 0x10000000, I } }, { { FRAME, 0, WHOLE, 0 } }, .flags = BREAKS },
	{ "indirect-longer-than-ring", "table with more entries than the ring has",
		{ { TABLE, 0, 16 * 200, I } }, { { FRAME, 0, 12, N }, { FRAME, 12, 1, N } },
		.repeat = 198, .flags = BREAKS_SPLIT },
	{ "indirect-null", "table at address 0", { { ABSOLUTE, 0, 16, I } }, .flags = BREAKS },
	{ "indirect-hole", "table in the hole", { { HOLE, 0, 64, I } }, .flags = BREAKS },
	{ "indirect-cross-hole", "table that begins in memory and ends in the hole",
		{ { END, (uint64_t)-16, 64, I } }, .flags = BREAKS },
	{ "indirect-overflow", "table whose address + length wraps around",
		{ { ABSOLUTE, UINT64_MAX - 31, 64, I } }, .flags = BREAKS },
	{ "indirect-unaligned", "table at an odd address",
		{ { TABLE, 1, 16, I } }, { { FRAME, 0, WHOLE, 0 } }, .flags = BREAKS },
	{ "indirect-writable-entry", "device-writable entry in a transmit table",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N }, { FRAME, 12, REST(12), W } },
		.flags = BREAKS_SPLIT },
	{ "indirect-write-flag", "INDIRECT and WRITE together",
		{ { TABLE, 0, 16, I | W } }, { { FRAME, 0, WHOLE, 0 } } },
	{ "indirect-entry-hole", "entry that points into the hole",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N }, { HOLE, 0, 100, 0 } },
		.flags = BREAKS },
	{ "indirect-entry-len-max", "entry of 0xffffffff bytes",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N }, { FRAME, 12, 0xffffffef, 0 } },
		.flags = BREAKS },
	{ "indirect-entries-empty", "entries of no bytes",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 0, N }, { FRAME, 0, 0, 0 } },
		.flags = BREAKS },
	{ "indirect-next-range", "next beyond the table",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N, 1 + 2 }, { FRAME, 12, REST(12), 0 } },
		.flags = ONLY_SPLIT_BREAKS },
	{ "indirect-next-65535", "next 65535",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N, 1 + 65535 },
		{ FRAME, 12, REST(12), 0 } }, .flags = ONLY_SPLIT_BREAKS },
	{ "indirect-loop", "entries that point to each other",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N, 1 + 1 }, { FRAME, 12, 1, N, 1 + 0 } },
		.flags = ONLY_SPLIT_BREAKS },
	{ "indirect-self-loop", "entry that points to itself",
		{ { TABLE, 0, 16, I } }, { { FRAME, 0, 12, N, 1 + 0 } },
		.flags = ONLY_SPLIT_BREAKS },
	{ "tx-next-range", "next beyond the ring",
		{ { FRAME, 0, 12, N, 1 + HOSTILE_RING } }, .flags = ONLY_SPLIT_BREAKS },
	{ "tx-next-65535", "next 65535", { { FRAME, 0, 12, N, 1 + 65535 } },
		.flags = ONLY_SPLIT_BREAKS },
	{ "tx-loop", "chain that loops",
		{ { FRAME, 0, 12, N, 1 + 1 }, { FRAME, 12, 1, N, 1 + 0 } },
		.flags = ONLY_SPLIT_BREAKS },
	{ "tx-self-loop", "descriptor that points to itself",
		{ { FRAME, 0, 12, N, 1 + 0 } }, .flags = ONLY_SPLIT_BREAKS },
	{ "tx-loop-empty", "loop of descriptors of no bytes",
		{ { FRAME, 0, 0, N, 1 + 1 }, { FRAME, 0, 0, N, 1 + 0 } },
		.flags = ONLY_SPLIT_BREAKS },
};

/* Receive: the device writes a frame. It may write only the buffers with WRITE. */
static const struct attack rx_attacks[] = {
	{ "rx-addr-null", "address 0", { { ABSOLUTE, 0, 2048, W } }, .flags = BREAKS },
	{ "rx-addr-hole", "address in the hole between regions", { { HOLE, 0, 2048, W } },
		.flags = BREAKS },
	{ "rx-addr-overflow", "address + length wraps around",
		{ { ABSOLUTE, UINT64_MAX - 63, 2048, W } }, .flags = BREAKS },
	{ "rx-len-0", "a buffer of no bytes", { { SCRATCH, 0, 0, W } }, .flags = BREAKS },
	{ "rx-len-0-first", "an empty descriptor before a good one",
		{ { SCRATCH, 0, 0, W | N }, { SCRATCH, 0, 2048, W } } },
	{ "rx-len-max", "length 0xffffffff", { { SCRATCH, 0, 0xffffffef, W } }, .flags = BREAKS },
	{ "rx-len-sum-overflow", "lengths whose sum passes 32 bits",
		{ { SCRATCH, 0, 0x80000000, W | N }, { SCRATCH, 0, 0x80000000, W } },
		.flags = BREAKS },
	{ "rx-short-header", "buffer shorter than the virtio header", { { SCRATCH, 0, 4, W } },
		.flags = BREAKS },
	{ "rx-short-header-11", "buffer one byte shorter than the virtio header",
		{ { SCRATCH, 0, 11, W } }, .flags = BREAKS },
	{ "rx-only-header", "buffer no longer than the virtio header", { { SCRATCH, 0, 12, W } } },
	{ "rx-runt", "buffer with room for one byte of the frame", { { SCRATCH, 0, 13, W } } },
	{ "rx-too-small", "buffer smaller than the frame", { { SCRATCH, 0, 40, W } } },
	{ "rx-header-in-bytes", "virtio header over 12 descriptors",
		{ { SCRATCH, 100, 2048, W } }, .split_header = 12 },
	{ "rx-header-in-bytes-only", "buffer that ends within a header in pieces",
		{ { SCRATCH, 100, 1, W } }, .split_header = 10, .flags = BREAKS },
	{ "rx-cross-hole", "buffer that ends in the hole", { { END, (uint64_t)-32, 2048, W } },
		.flags = BREAKS },
	{ "rx-readable", "device-readable buffer in the receive ring",
		{ { FRAME, 0, 2048, 0 } }, .flags = BREAKS },
	{ "rx-readable-second", "device-readable buffer after a writable header",
		{ { SCRATCH, 0, 12, W | N }, { FRAME, 0, 2048, 0 } }, .flags = BREAKS },
	{ "rx-indirect-nested", "a table in a table",
		{ { TABLE, 0, 32, I } }, { { SCRATCH, 0, 12, W | N }, { TABLE, 0, 32, I } },
		.flags = BREAKS },
	{ "rx-indirect-hole", "table in the hole", { { HOLE, 0, 64, I } }, .flags = BREAKS },
	{ "rx-indirect-entry-hole", "entry that points into the hole",
		{ { TABLE, 0, 32, I } }, { { SCRATCH, 0, 12, W | N }, { HOLE, 0, 2048, W } },
		.flags = BREAKS },
	{ "rx-indirect-len-24", "table length not a multiple of 16",
		{ { TABLE, 0, 24, I } }, { { SCRATCH, 0, 12, W | N }, { SCRATCH, 12, 2048, W } },
		.flags = BREAKS },
	{ "rx-indirect-readable", "table of device-readable entries",
		{ { TABLE, 0, 32, I } }, { { FRAME, 0, 12, N }, { FRAME, 12, 2048, 0 } },
		.flags = BREAKS },
	{ "rx-indirect-four", "four tables, not four direct buffers",
		{ { TABLE, 0, 16, I } }, { { SCRATCH, 0, 2048, W } } },
	{ "rx-next-range", "next beyond the ring",
		{ { SCRATCH, 0, 12, W | N, 1 + HOSTILE_RING } }, .flags = ONLY_SPLIT_BREAKS },
	{ "rx-loop", "chain that loops",
		{ { SCRATCH, 0, 12, W | N, 1 + 1 }, { SCRATCH, 12, 1, W | N, 1 + 0 } },
		.flags = ONLY_SPLIT_BREAKS },
	{ "rx-self-loop", "descriptor that points to itself",
		{ { SCRATCH, 0, 12, W | N, 1 + 0 } }, .flags = ONLY_SPLIT_BREAKS },
	{ "rx-loop-empty", "loop of descriptors of no bytes",
		{ { SCRATCH, 0, 0, W | N, 1 + 0 } }, .flags = ONLY_SPLIT_BREAKS },
};

static const struct {
	const char *name, *what;
	struct virtio_net_hdr_v1 hdr;
} header_attacks[] = {
	{ "csum-start-beyond", "csum_start beyond the frame",
		{ .flags = 1, .csum_start = 60000, .csum_offset = 6 } },
	{ "csum-start-max", "csum_start and csum_offset 65535",
		{ .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff } },
	{ "csum-offset-beyond", "csum_offset beyond the frame",
		{ .flags = 1, .csum_start = 34, .csum_offset = 60000 } },
	{ "csum-at-last-byte", "checksum field half outside of the frame",
		{ .flags = 1, .csum_start = 34, .csum_offset = 0x7fff } },
	{ "csum-start-0", "csum_start 0", { .flags = 1 } },
	{ "gso-size-0", "TCPv4 segments of no bytes",
		{ .flags = 1, .gso_type = 1, .hdr_len = 54, .csum_start = 34, .csum_offset = 16 } },
	{ "gso-size-1", "TCPv4 segments of one byte",
		{ .flags = 1, .gso_type = 1, .hdr_len = 54, .gso_size = 1, .csum_start = 34,
		.csum_offset = 16 } },
	{ "gso-size-max", "segments of 65535 bytes",
		{ .flags = 1, .gso_type = 1, .hdr_len = 54, .gso_size = 0xffff, .csum_start = 34,
		.csum_offset = 16 } },
	{ "gso-header-beyond", "hdr_len beyond the frame",
		{ .flags = 1, .gso_type = 1, .hdr_len = 0xffff, .gso_size = 100, .csum_start = 34,
		.csum_offset = 16 } },
	{ "gso-header-0", "hdr_len 0",
		{ .flags = 1, .gso_type = 4, .gso_size = 100, .csum_start = 34,
			.csum_offset = 16 } },
	{ "gso-type-unknown", "undefined gso_type",
		{ .flags = 1, .gso_type = 0x7f, .hdr_len = 54, .gso_size = 100, .csum_start = 34,
		.csum_offset = 16 } },
	{ "gso-ecn-only", "ECN without a segmentation type",
		{ .flags = 1, .gso_type = 0x80, .csum_start = 34, .csum_offset = 16 } },
	{ "gso-udp-on-nothing", "UDP fragmentation without checksum",
		{ .gso_type = 3, .hdr_len = 42, .gso_size = 8 } },
	{ "gso-no-csum", "TCPv6 segmentation of an IPv4 frame without checksum",
		{ .gso_type = 4, .hdr_len = 54, .gso_size = 100 } },
	{ "gso-csum-start-beyond", "segmentation with csum_start beyond the frame",
		{ .flags = 1, .gso_type = 1, .hdr_len = 54, .gso_size = 100, .csum_start = 60000,
		.csum_offset = 16 } },
	{ "header-all-ones", "header of 0xff",
		{ .flags = 0xff, .gso_type = 0xff, .hdr_len = 0xffff, .gso_size = 0xffff,
		.csum_start = 0xffff, .csum_offset = 0xffff, .num_buffers = 0xffff } },
};

static uint64_t
table_gpa(const struct hostile_env *e)
{
	return hostile_scratch(e) + 8192;
}

static uint64_t
piece_addr(const struct hostile_env *e, const struct piece *p)
{
	const struct guest_mem_region *island = &e->g->mem.regions[e->g->mem.island];

	switch (p->place) {
	case FRAME: return e->frame_gpa + p->off;
	case SCRATCH: return hostile_scratch(e) + p->off;
	case HOLE: return hostile_hole(e) + p->off;
	case END: return hostile_end_of_memory(e) + p->off;
	case ISLAND_END: return island->gpa + island->size + p->off;
	case RINGS: return e->p->tx.desc_gpa + p->off;
	case TABLE: return table_gpa(e) + p->off;
	default: return p->off;
	}
}

static uint32_t
piece_len(const struct hostile_env *e, const struct piece *p)
{
	if (p->len == 0xffffffef)
		return 0xffffffff;
	if (p->len > WHOLE - 64 && p->len <= WHOLE)
		return e->frame_len - (WHOLE - p->len);
	return p->len;
}

static struct hostile_desc
piece_desc(const struct hostile_env *e, const struct piece *p, uint16_t index)
{
	return (struct hostile_desc){
		.addr = piece_addr(e, p), .len = piece_len(e, p), .flags = p->flags,
		.next = p->next != 0 ? p->next - 1 : index + 1u,
	};
}

static bool
piece_used(const struct piece *p)
{
	return p->place != ABSOLUTE || p->off != 0 || p->len != 0 || p->flags != 0;
}

static void
write_table(struct hostile_env *e, const struct attack *a)
{
	struct vring_desc split[256] = { 0 };
	struct vring_packed_desc packed[256] = { 0 };
	uint16_t i, n = 0, more = a->repeat;

	for (i = 0; i < 4 && piece_used(&a->table[i]); ) {
		struct hostile_desc d = piece_desc(e, &a->table[i], n);

		split[n] = (struct vring_desc){ d.addr, d.len, d.flags, d.next };
		packed[n] = (struct vring_packed_desc){ d.addr, d.len, 0, d.flags & ~N };
		n++;
		if (i < 3 && piece_used(&a->table[i + 1]))
			i++;
		else if (more-- == 0 || a->repeat == 0)
			break;
	}
	if (e->packed)
		guest_mem_write(&e->g->mem, table_gpa(e), packed, sizeof(packed));
	else
		guest_mem_write(&e->g->mem, table_gpa(e), split, sizeof(split));
}

/* Pieces of a header lie apart, so that a device that reads past the first one is seen. */
static uint64_t
header_byte(const struct hostile_env *e, bool write, uint16_t n)
{
	return write ? hostile_scratch(e) + 3000 + 16 * (n % 64) : e->frame_gpa + (n < 12 ? n : 11);
}

static uint16_t
build_ring(struct hostile_env *e, const struct attack *a, bool write, struct hostile_desc *d)
{
	uint16_t n, i;

	for (n = 0; n < a->split_header; n++)
		d[n] = (struct hostile_desc){
			.addr = header_byte(e, write, n),
			.len = 1, .flags = N | (write ? W : 0), .next = n + 1,
		};
	for (i = 0; i < 4 && piece_used(&a->ring[i]); i++, n++)
		d[n] = piece_desc(e, &a->ring[i], n);
	return n;
}

static int
run_tx(struct hostile_env *e, const struct hostile_case *c)
{
	struct hostile_desc d[HOSTILE_DESCS];
	uint16_t n;

	write_table(e, c->arg);
	n = build_ring(e, c->arg, false, d);
	hostile_put(e, HOSTILE_TX, d, n);
	hostile_publish(e, HOSTILE_TX);
	return 0;
}

static void
lend_all(struct hostile_env *e, const struct attack *a, const struct hostile_desc *d, uint16_t nb)
{
	uint16_t i;

	for (i = 0; i < nb; i++)
		if ((d[i].flags & (W | I)) == W)
			hostile_lend(e, d[i].addr, d[i].len);
	for (i = 0; i < 4 && piece_used(&a->table[i]); i++)
		if ((a->table[i].flags & (W | I)) == W)
			hostile_lend(e, piece_addr(e, &a->table[i]), piece_len(e, &a->table[i]));
}

static int
run_rx(struct hostile_env *e, const struct hostile_case *c)
{
	struct hostile_desc d[HOSTILE_DESCS];
	uint16_t n, k;

	write_table(e, c->arg);
	n = build_ring(e, c->arg, true, d);
	lend_all(e, c->arg, d, n);
	/* Four times, because a back end may process four descriptors at once. */
	hostile_put(e, HOSTILE_RX, d, n);
	for (k = 1; k < 4 && e->packed; k++)
		hostile_put(e, HOSTILE_RX, d, n);
	hostile_publish(e, HOSTILE_RX);
	/* Four frames, because a back end may write four at once. */
	for (k = 0; k < 4; k++)
		hostile_send_frame(e);
	return 0;
}

static int
run_header(struct hostile_env *e, const struct hostile_case *c)
{
	static const uint32_t lens[] = { 0, 100, 54, 36, 15 };
	struct hostile_desc d = { 0 };
	uint32_t i, len;

	/* The whole frame, then shorter ones, so that offsets lie outside of the frame. */
	guest_mem_write(&e->g->mem, e->frame_gpa, c->arg, GUEST_HDR_LEN);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		d.addr = e->frame_gpa;
		len = lens[i] + GUEST_HDR_LEN;
		d.len = lens[i] != 0 && len < e->frame_len ? len : e->frame_len;
		hostile_put(e, HOSTILE_TX, &d, 1);
		hostile_publish(e, HOSTILE_TX);
	}
	return 0;
}

static uint32_t
case_add(struct hostile_case *c, const char *name, const char *suffix, const char *what,
		uint32_t flags, int (*run)(struct hostile_env *, const struct hostile_case *),
		const void *arg)
{
	snprintf(c->name, sizeof(c->name), "%s%s", name, suffix);
	c->what = what;
	c->flags = flags;
	c->run = run;
	c->arg = arg;
	return 1;
}

static uint32_t
case_flags(const struct attack *a)
{
	return a->flags | ((a->flags & HOSTILE_ANY) == 0 ? HOSTILE_ANY : 0);
}

uint32_t
hostile_ring_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n = 0;

	for (i = 0; i < sizeof(tx_attacks) / sizeof(tx_attacks[0]) && n < room; i++) {
		const struct attack *a = &tx_attacks[i];

		n += case_add(&c[n], a->name, "", a->what, case_flags(a), run_tx, a);
	}
	for (i = 0; i < sizeof(rx_attacks) / sizeof(rx_attacks[0]) && n + 1 < room; i++) {
		const struct attack *a = &rx_attacks[i];
		uint32_t flags = case_flags(a) | HOSTILE_EMPTY_RX;

		n += case_add(&c[n], a->name, "", a->what, flags, run_rx, a);
		n += case_add(&c[n], a->name, "-plain", a->what, flags | HOSTILE_PLAIN, run_rx, a);
	}
	for (i = 0; i < sizeof(header_attacks) / sizeof(header_attacks[0]) && n < room; i++)
		n += case_add(&c[n], header_attacks[i].name, "", header_attacks[i].what,
			HOSTILE_ANY, run_header, &header_attacks[i].hdr);
	return n;
}

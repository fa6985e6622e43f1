/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Hostile requests of a disk, as tables for both kinds of ring. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include <rte_common.h>

#include "hostile.h"
#include "hostile_blk_chain.h"
#include "hostile_blk_env.h"
#include "hostile_case.h"

#define W VRING_DESC_F_WRITE
#define I VRING_DESC_F_INDIRECT
#define NEXT VRING_DESC_F_NEXT
#define IN VIRTIO_BLK_T_IN
#define OUT VIRTIO_BLK_T_OUT
#define DISCARD VIRTIO_BLK_T_DISCARD
#define ZEROES VIRTIO_BLK_T_WRITE_ZEROES
#define PIECES 5
/* More than the segments that any device takes. */
#define DESCS_MAX 1040

/** Where a piece lies. */
enum place {
	AT_END, AT_HDR, AT_STATUS, AT_RANGE, AT_DATA, AT_BORDER, AT_TABLE, AT_HOLE, AT_LAST,
	/** The driver's own rings; an address as it is. */
	AT_DESC, AT_DRIVER, AT_DEVICE, AT_ABSOLUTE,
};

/** What the device must do. */
enum want {
	WANT_OK, WANT_IOERR, WANT_UNSUPP,
	/** Return it, and write no status. */
	WANT_NO_STATUS,
	/** Break the queue. */
	WANT_BREAK,
	WANT_ANY,
};

/** @p times pieces of the same length, each @p step bytes behind the one before. */
struct piece {
	enum place place;
	int64_t off;
	uint32_t len;
	uint16_t flags, times;
	uint32_t step;
};

struct attack {
	const char *name, *what;
	uint32_t type;
	enum want want;
	/** First sector, and whether it and that of the range count from the end of the disk. */
	uint64_t sector;
	bool from_end;
	/** The range of DISCARD and WRITE_ZEROES. */
	struct virtio_blk_discard_write_zeroes range;
	struct piece pieces[PIECES];
	/** The pieces are those of an indirect table. */
	bool table;
	/** Kinds of ring, if not both. */
	uint32_t flags;
};

#define HDR { AT_HDR, 0, 16, 0, 1, 0 }
#define RANGE { AT_RANGE, 0, 16, 0, 1, 0 }
#define STATUS { AT_STATUS, 0, 1, W, 1, 0 }
#define READ(bytes) { AT_DATA, 0, bytes, W, 1, 0 }
#define WRITE(bytes) { AT_DATA, 0, bytes, 0, 1, 0 }

static const struct attack attacks[] = {
	/* ---- header ---- */
	{ "header-none", "a status byte and nothing else", IN, WANT_IOERR, .pieces = { STATUS } },
	{ "header-15", "a header of 15 bytes", IN, WANT_IOERR,
		.pieces = { { AT_HDR, 0, 15, 0, 1, 0 }, STATUS } },
	{ "header-bytes", "a header of 16 descriptors", IN, WANT_OK,
		.pieces = { { AT_HDR, 0, 1, 0, 16, 1 }, READ(512), STATUS } },
	{ "header-empty-descs", "1000 descriptors of no bytes before the header", IN, WANT_OK,
		.pieces = { { AT_HDR, 0, 0, 0, 1000, 0 }, HDR, READ(512), STATUS } },
	{ "header-with-data", "header and half a sector in one descriptor", OUT, WANT_IOERR,
		.pieces = { { AT_HDR, 0, 16 + 256, 0, 1, 0 }, STATUS } },
	{ "header-writable", "a header that the device may write", IN, WANT_IOERR,
		.pieces = { { AT_HDR, 0, 16, W, 1, 0 }, READ(512), STATUS } },
	{ "header-hole", "a header outside of memory", OUT, WANT_BREAK,
		.pieces = { { AT_HOLE, 0, 16, 0, 1, 0 }, WRITE(512), STATUS } },
	{ "header-len-max", "a header of 4 GiB", OUT, WANT_BREAK,
		.pieces = { { AT_HDR, 0, UINT32_MAX, 0, 1, 0 }, STATUS } },
	/* ---- status ---- */
	{ "status-absent", "no status byte", OUT, WANT_NO_STATUS, .pieces = { HDR, WRITE(512) } },
	{ "status-read-only", "a status byte that the device may only read", OUT, WANT_NO_STATUS,
		.pieces = { HDR, WRITE(512), { AT_STATUS, 0, 1, 0, 1, 0 } } },
	{ "status-empty", "a status descriptor of no bytes behind the data", IN, WANT_IOERR,
		.pieces = { HDR, READ(512), { AT_STATUS, 0, 0, W, 1, 0 } } },
	{ "status-before-data", "the status descriptor before the data", IN, WANT_OK,
		.pieces = { HDR, STATUS, READ(512) } },
	{ "status-first", "the status descriptor before the header", OUT, WANT_BREAK,
		.pieces = { STATUS, HDR, WRITE(512) } },
	{ "status-middle", "the status descriptor before data to write", OUT, WANT_BREAK,
		.pieces = { HDR, STATUS, WRITE(512) } },
	{ "status-last-byte", "the last byte of a region as status", IN, WANT_OK,
		.pieces = { HDR, READ(512), { AT_BORDER, -1, 1, W, 1, 0 } } },
	{ "status-behind", "a status descriptor that ends outside of memory", IN, WANT_BREAK,
		.pieces = { HDR, READ(512), { AT_LAST, -1, 2, W, 1, 0 } } },
	{ "status-hole", "a status byte outside of memory", IN, WANT_BREAK,
		.pieces = { HDR, READ(512), { AT_HOLE, 0, 1, W, 1, 0 } } },
	{ "status-null", "a status byte at address 0", IN, WANT_BREAK,
		.pieces = { HDR, READ(512), { AT_ABSOLUTE, 0, 1, W, 1, 0 } } },
	/* ---- data ---- */
	{ "data-border", "data across two regions", IN, WANT_OK,
		.pieces = { HDR, { AT_BORDER, -2048, 4096, W, 1, 0 }, STATUS } },
	{ "data-border-bytes", "data across two regions, in pieces of 3 bytes", IN, WANT_OK,
		.pieces = { HDR, { AT_BORDER, -768, 3, W, 512, 3 }, STATUS } },
	{ "data-behind", "data that begins in memory and ends outside", IN, WANT_BREAK,
		.pieces = { HDR, { AT_LAST, -256, 512, W, 1, 0 }, STATUS } },
	{ "data-hole", "data to write outside of memory", OUT, WANT_BREAK,
		.pieces = { HDR, { AT_HOLE, 0, 512, 0, 1, 0 }, STATUS } },
	{ "data-late-hole", "good data, and a piece outside of memory", IN, WANT_BREAK,
		.pieces = { HDR, READ(512), { AT_HOLE, 0, 512, W, 1, 0 }, STATUS } },
	{ "data-wrap", "data at the end of the address space", IN, WANT_BREAK,
		.pieces = { HDR, { AT_ABSOLUTE, -512, 512, W, 1, 0 }, STATUS } },
	{ "data-len-max", "data of 4 GiB", IN, WANT_BREAK,
		.pieces = { HDR, READ(UINT32_MAX), STATUS } },
	{ "data-same", "64 pieces at the same place", IN, WANT_OK,
		.pieces = { HDR, { AT_DATA, 0, 4096, W, 64, 0 }, STATUS } },
	{ "data-on-header", "data that is read over its own header and status", IN, WANT_OK,
		.pieces = { HDR, { AT_HDR, 0, 512, W, 1, 0 }, STATUS } },
	{ "data-on-table", "data that is read over its own descriptors", IN, WANT_ANY,
		.pieces = { HDR, { AT_DESC, 0, 4096, W, 1, 0 }, STATUS } },
	{ "data-on-driver-area", "data that is read over the available ring", IN, WANT_ANY,
		.flags = HOSTILE_SPLIT,
		.pieces = { HDR, { AT_DRIVER, 0, 512, W, 1, 0 }, STATUS } },
	{ "data-on-device-area", "data that is read over the used ring", IN, WANT_ANY,
		.flags = HOSTILE_SPLIT,
		.pieces = { HDR, { AT_DEVICE, 0, 512, W, 1, 0 }, STATUS } },
	{ "read-into-readable", "a read with data that the device may not write", IN, WANT_IOERR,
		.pieces = { HDR, WRITE(512), STATUS } },
	{ "write-from-writable", "a write with data that the device may write", OUT, WANT_IOERR,
		.pieces = { HDR, READ(512), STATUS } },
	{ "read-511", "a read of 511 bytes", IN, WANT_IOERR, .pieces = { HDR, READ(511), STATUS } },
	{ "write-1", "a write of one byte", OUT, WANT_IOERR, .pieces = { HDR, WRITE(1), STATUS } },
	{ "write-513", "a write of 513 bytes", OUT, WANT_IOERR,
		.pieces = { HDR, WRITE(513), STATUS } },
	{ "write-5-pieces-3", "a write of five pieces of 3 bytes", OUT, WANT_IOERR,
		.pieces = { HDR, { AT_DATA, 0, 3, 0, 5, 3 }, STATUS } },
	{ "segments-1024", "a read of 1,024 segments", IN, WANT_OK,
		.pieces = { HDR, { AT_DATA, 0, 512, W, 1024, 512 }, STATUS } },
	{ "segments-1025", "a read of 1,025 segments", IN, WANT_IOERR,
		.pieces = { HDR, { AT_DATA, 0, 512, W, 1025, 512 }, STATUS } },
	{ "segments-1024-table", "the same in an indirect table", OUT, WANT_OK, .table = true,
		.sector = HOSTILE_BLK_FREE,
		.pieces = { HDR, { AT_DATA, 0, 512, 0, 1024, 512 }, STATUS } },
	{ "segment-big", "a segment above SIZE_MAX", IN, WANT_IOERR,
		.pieces = { HDR, READ((1u << 20) + 512), STATUS } },
	/* ---- sectors ---- */
	{ "read-behind", "a read behind the end", IN, WANT_IOERR, .from_end = true,
		.pieces = { HDR, READ(512), STATUS } },
	{ "read-over-end", "a read over the end", IN, WANT_IOERR, UINT64_MAX, true,
		.pieces = { HDR, READ(1024), STATUS } },
	{ "write-over-end", "a write over the end", OUT, WANT_IOERR, UINT64_MAX, true,
		.pieces = { HDR, WRITE(1024), STATUS } },
	{ "write-sector-wrap", "a write whose byte offset wraps around to 0", OUT, WANT_IOERR,
		1ull << 55, .pieces = { HDR, WRITE(512), STATUS } },
	{ "write-sector-max", "a write to the highest sector", OUT, WANT_IOERR, UINT64_MAX,
		.pieces = { HDR, WRITE(512), STATUS } },
	{ "flush-data", "a flush with data", VIRTIO_BLK_T_FLUSH, WANT_IOERR,
		.pieces = { HDR, WRITE(512), STATUS } },
	{ "type-unknown", "an unknown type, with data of 1 MiB", 0x7fffffff, WANT_UNSUPP,
		.pieces = { HDR, READ(1u << 20), STATUS } },
	{ "get-id-big", "an identity of 1 MiB", VIRTIO_BLK_T_GET_ID, WANT_IOERR,
		.pieces = { HDR, READ(1u << 20), STATUS } },
	/* ---- ranges ---- */
	{ "discard-0", "DISCARD of no sectors", DISCARD, WANT_IOERR, .range = { 0, 0, 0 },
		.pieces = { HDR, RANGE, STATUS } },
	{ "discard-num-max", "DISCARD of 2^32 - 1 sectors", DISCARD, WANT_IOERR,
		.range = { 0, UINT32_MAX, 0 }, .pieces = { HDR, RANGE, STATUS } },
	{ "discard-behind", "DISCARD over the end", DISCARD, WANT_IOERR, .from_end = true,
		.range = { UINT64_MAX, 2, 0 }, .pieces = { HDR, RANGE, STATUS } },
	{ "discard-wrap", "DISCARD whose end wraps around", DISCARD, WANT_IOERR,
		.range = { UINT64_MAX, 2, 0 }, .pieces = { HDR, RANGE, STATUS } },
	{ "discard-unmap", "DISCARD with the flag of WRITE_ZEROES", DISCARD, WANT_UNSUPP,
		.range = { 0, 1, 1 }, .pieces = { HDR, RANGE, STATUS } },
	{ "zeroes-0", "WRITE_ZEROES of no sectors", ZEROES, WANT_IOERR, .range = { 0, 0, 0 },
		.pieces = { HDR, RANGE, STATUS } },
	{ "zeroes-num-max", "WRITE_ZEROES of 2^32 - 1 sectors", ZEROES, WANT_IOERR,
		.range = { 0, UINT32_MAX, 0 }, .pieces = { HDR, RANGE, STATUS } },
	{ "zeroes-behind", "WRITE_ZEROES over the end", ZEROES, WANT_IOERR, .from_end = true,
		.range = { UINT64_MAX, 2, 1 }, .pieces = { HDR, RANGE, STATUS } },
	{ "zeroes-offset-wrap", "WRITE_ZEROES whose byte offset wraps around to 0", ZEROES,
		WANT_IOERR, .range = { 1ull << 55, 8, 0 }, .pieces = { HDR, RANGE, STATUS } },
	{ "zeroes-flags", "WRITE_ZEROES with reserved flags", ZEROES, WANT_UNSUPP,
		.range = { 0, 1, 0xfffffffe }, .pieces = { HDR, RANGE, STATUS } },
	{ "zeroes-15", "WRITE_ZEROES with a range of 15 bytes", ZEROES, WANT_IOERR,
		.range = { 0, 1, 0 }, .pieces = { HDR, { AT_RANGE, 0, 15, 0, 1, 0 }, STATUS } },
	{ "zeroes-17", "WRITE_ZEROES with a range of 17 bytes", ZEROES, WANT_IOERR,
		.range = { 0, 1, 0 }, .pieces = { HDR, { AT_RANGE, 0, 17, 0, 1, 0 }, STATUS } },
	{ "zeroes-no-range", "WRITE_ZEROES without a range", ZEROES, WANT_IOERR,
		.pieces = { HDR, STATUS } },
	{ "zeroes-writable", "WRITE_ZEROES with a range that the device may write", ZEROES,
		WANT_IOERR, .range = { 0, 1, 0 },
		.pieces = { HDR, { AT_RANGE, 0, 16, W, 1, 0 }, STATUS } },
	{ "zeroes-bytes", "WRITE_ZEROES with a range of 16 descriptors", ZEROES, WANT_OK,
		.range = { HOSTILE_BLK_FREE, 8, 0 },
		.pieces = { HDR, { AT_RANGE, 0, 1, 0, 16, 1 }, STATUS } },
	{ "zeroes-hole", "WRITE_ZEROES with a range outside of memory", ZEROES, WANT_BREAK,
		.pieces = { HDR, { AT_HOLE, 0, 16, 0, 1, 0 }, STATUS } },
	/* ---- tables ---- */
	{ "table-0", "an indirect table of no bytes", IN, WANT_BREAK,
		.pieces = { { AT_TABLE, 0, 0, I, 1, 0 } } },
	{ "table-17", "an indirect table of 17 bytes", IN, WANT_BREAK,
		.pieces = { { AT_TABLE, 0, 17, I, 1, 0 } } },
	{ "table-max", "an indirect table of 4 GiB", IN, WANT_BREAK,
		.pieces = { { AT_TABLE, 0, 0xfffffff0, I, 1, 0 } } },
	{ "table-hole", "an indirect table outside of memory", IN, WANT_BREAK,
		.pieces = { { AT_HOLE, 0, 48, I, 1, 0 } } },
	{ "table-next", "an indirect table with another one behind it", IN, WANT_BREAK,
		.pieces = { { AT_TABLE, 0, 48, I | NEXT, 2, 0 } } },
	{ "table-nested", "an indirect table in an indirect table", IN, WANT_BREAK, .table = true,
		.pieces = { HDR, { AT_TABLE, 0, 48, I, 1, 0 }, STATUS } },
	{ "table-on-data", "data that is read over its own indirect table", IN, WANT_ANY,
		.table = true, .pieces = { HDR, { AT_TABLE, 0, 4096, W, 1, 0 }, STATUS } },
};

static uint64_t
piece_addr(const struct hostile_blk_env *e, const struct piece *p)
{
	const struct guest_ring *r = &e->d->queues[0].ring;

	switch (p->place) {
	case AT_HDR: return hostile_blk_at(e, HOSTILE_BLK_HDR_AT) + p->off;
	case AT_STATUS: return hostile_blk_at(e, HOSTILE_BLK_STATUS_AT) + p->off;
	case AT_RANGE: return hostile_blk_at(e, HOSTILE_BLK_RANGE_AT) + p->off;
	case AT_DATA: return hostile_blk_at(e, HOSTILE_BLK_DATA_AT) + p->off;
	case AT_BORDER: return hostile_blk_at(e, HOSTILE_BLK_BORDER_AT) + p->off;
	case AT_TABLE: return hostile_blk_at(e, HOSTILE_BLK_TABLE_AT) + p->off;
	case AT_HOLE: return hostile_blk_hole(e) + p->off;
	case AT_LAST: return hostile_blk_end_of_memory(e) + p->off;
	case AT_DESC: return r->desc_gpa + p->off;
	case AT_DRIVER: return r->driver_gpa + p->off;
	case AT_DEVICE: return r->device_gpa + p->off;
	default: return p->off;
	}
}

static uint16_t
descs_build(const struct hostile_blk_env *e, const struct attack *a, struct hostile_desc *d)
{
	uint16_t n = 0, i, k;

	for (i = 0; i < PIECES && a->pieces[i].place != AT_END; i++) {
		const struct piece *p = &a->pieces[i];

		for (k = 0; k < p->times; k++, n++)
			d[n] = (struct hostile_desc){ piece_addr(e, p) + (uint64_t)k * p->step,
				p->len, p->flags | NEXT, n + 1 };
	}
	d[n - 1].flags &= ~NEXT;
	d[n - 1].next = 0;
	return n;
}

/* Write the descriptors to the table. @return one descriptor for it */
static struct hostile_desc
table_build(const struct hostile_blk_env *e, const struct hostile_desc *d, uint16_t nb)
{
	const uint64_t gpa = hostile_blk_at(e, HOSTILE_BLK_TABLE_AT);
	uint16_t i;

	for (i = 0; i < nb; i++) {
		const struct vring_desc split = { d[i].addr, d[i].len, d[i].flags, d[i].next };
		const struct vring_packed_desc packed = { d[i].addr, d[i].len, 0,
			d[i].flags & ~NEXT };

		guest_mem_write(&e->d->mem, gpa + 16 * i,
			e->packed ? (const void *)&packed : &split, 16);
	}
	return (struct hostile_desc){ gpa, 16 * nb, I, 0 };
}

/* Lend what the device may write. @return address of the status: the last writable byte; 0: none */
static uint64_t
writable_lend(struct hostile_blk_env *e, const struct hostile_desc *d, uint16_t nb)
{
	uint64_t status = 0;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		if ((d[i].flags & (W | I)) != W || d[i].len == 0)
			continue;
		hostile_blk_lend(e, d[i].addr, d[i].len);
		status = d[i].addr + d[i].len - 1;
	}
	return status;
}

static int
status_judge(struct hostile_blk_env *e, const struct attack *a, uint64_t gpa)
{
	static const uint8_t wanted[] = { [WANT_OK] = VIRTIO_BLK_S_OK,
		[WANT_IOERR] = VIRTIO_BLK_S_IOERR, [WANT_UNSUPP] = VIRTIO_BLK_S_UNSUPP,
		[WANT_NO_STATUS] = HOSTILE_BLK_NO_STATUS };
	uint8_t status = HOSTILE_BLK_NO_STATUS;

	if (gpa != 0)
		guest_mem_read(&e->d->mem, gpa, &status, 1);
	snprintf(e->did, sizeof(e->did), "returned it with status 0x%x", status);
	if (status != wanted[a->want])
		return hostile_blk_fail(e, "it returned with status 0x%x, not 0x%x", status,
			wanted[a->want]);
	if (e->conf->expect_reset && hostile_blk_needs_reset(e))
		return hostile_blk_fail(e, "NEEDS_RESET is set without a broken ring");
	return 0;
}

static int
run_attack(struct hostile_blk_env *e, const struct hostile_blk_case *c)
{
	struct hostile_desc d[DESCS_MAX], good[3], table;
	struct virtio_blk_discard_write_zeroes range;
	const uint8_t none = HOSTILE_BLK_NO_STATUS;
	const struct attack *a = c->arg;
	struct hostile_blk_sent s;
	const uint64_t from = a->from_end ? e->capacity : 0;
	uint64_t status;
	uint16_t n;

	range = a->range;
	range.sector += from;
	hostile_blk_header(e, a->type, a->sector + from);
	guest_mem_write(&e->d->mem, hostile_blk_at(e, HOSTILE_BLK_RANGE_AT), &range, sizeof(range));
	n = descs_build(e, a, d);
	status = writable_lend(e, d, n);
	if (status != 0)
		guest_mem_write(&e->d->mem, status, &none, 1);
	if (a->table) {
		table = table_build(e, d, n);
	} else {
		/* a good one: if the device used it, the request would return */
		table_build(e, good, hostile_blk_request(e, good, VIRTIO_BLK_T_IN, 512));
	}
	hostile_blk_snapshot(e);
	s = hostile_blk_put(e, 0, a->table ? &table : d, a->table ? 1 : n);
	if (a->want == WANT_BREAK)
		return hostile_blk_breaks(e, &s);
	if (a->want == WANT_ANY)
		return hostile_blk_settle(e);
	if (!hostile_blk_wait(e, &s, HOSTILE_BLK_WAIT_MS))
		return hostile_blk_fail(e, "the request does not return");
	return status_judge(e, a, status);
}

uint32_t
hostile_blk_chain_cases(struct hostile_blk_case *c, uint32_t room)
{
	uint32_t n;

	for (n = 0; n < RTE_DIM(attacks) && n < room; n++) {
		const struct attack *a = &attacks[n];
		const bool table = a->table || (a->pieces[0].flags & I) != 0;

		c[n] = (struct hostile_blk_case){ a->name, a->what,
			a->flags != 0 ? a->flags : HOSTILE_ANY,
			table ? VIRTIO_RING_F_INDIRECT_DESC : a->type == DISCARD ?
				VIRTIO_BLK_F_DISCARD : a->type == ZEROES ?
				VIRTIO_BLK_F_WRITE_ZEROES : 0, run_attack, a };
	}
	return n;
}

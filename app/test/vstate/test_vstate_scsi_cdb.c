/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file SCSI commands: a CDB in, what is to be done out. Values are those of SPC-4 and SBC-3. */

#include <string.h>

#include <rte_common.h>

#include "block/vstate_scsi_cdb.h"
#include "ut_groups.h"

#define BLOCKS 2048

static const struct vstate_scsi_unit disk = {
	.kind = VSTATE_SCSI_UNIT_DISK, .nb_blocks = BLOCKS, .blk_size = 512, .phys_size = 4096,
	.can_unmap = true, .serial = "vstate-0", .nb_units = 3,
};

static struct vstate_scsi_result r;

/* Parse a CDB, whose bytes behind those given are 0. */
#define PARSE(unit, ...) \
	vstate_scsi_cdb_parse((const uint8_t[VSTATE_SCSI_CDB_BYTES]){ __VA_ARGS__ }, 32, unit, &r)

static void
refused(enum vstate_scsi_sense sense)
{
	assert_int_equal(r.action, VSTATE_SCSI_ANSWER);
	assert_int_equal(r.status, VSTATE_SCSI_CHECK_CONDITION);
	assert_int_equal(r.sense, sense);
	assert_int_equal(r.data_len, 0);
}

static void
answered(uint32_t len)
{
	assert_int_equal(r.action, VSTATE_SCSI_ANSWER);
	assert_int_equal(r.status, VSTATE_SCSI_GOOD);
	assert_int_equal(r.data_len, len);
}

static void
is_io(enum vstate_blk_op op, uint64_t offset, uint64_t len)
{
	assert_int_equal(r.action, VSTATE_SCSI_IO);
	assert_int_equal(r.status, VSTATE_SCSI_GOOD);
	assert_int_equal(r.op, op);
	assert_int_equal(r.offset, offset);
	assert_int_equal(r.len, len);
}

static uint64_t
be(unsigned int at, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | r.data[at++];
	return v;
}

/* ---- transfers ---- */

static void
reads_and_writes_of_all_lengths(void **state)
{
	PARSE(&disk, 0x08, 0, 1, 2, 3);
	is_io(VSTATE_BLK_READ, 258 * 512, 3 * 512);
	assert_true(r.in);
	assert_int_equal(r.xfer, 3 * 512);
	/* 0 stands for 256 blocks, and the address has 21 bits */
	PARSE(&disk, 0x0a, 0xe0, 0, 0, 0);
	is_io(VSTATE_BLK_WRITE, 0, 256 * 512);
	assert_false(r.in);
	PARSE(&disk, 0x28, 0x10, 0, 0, 7, 0xff, 0, 0, 1);
	is_io(VSTATE_BLK_READ, (BLOCKS - 1) * 512, 512);
	PARSE(&disk, 0x2a, 0, 0, 0, 0, 8, 0, 0, 4);
	is_io(VSTATE_BLK_WRITE, 8 * 512, 4 * 512);
	assert_false(r.stable);
	PARSE(&disk, 0x2a, 0x08, 0, 0, 0, 8, 0, 0, 4);
	assert_true(r.stable);
	PARSE(&disk, 0x88, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0);
	is_io(VSTATE_BLK_READ, 256 * 512, 512 * 512);
	PARSE(&disk, 0x8a, 0x08, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1);
	is_io(VSTATE_BLK_WRITE, 512, 512);
	assert_true(r.stable);
	/* no block: nothing to do, but the address is checked */
	PARSE(&disk, 0x28, 0, 0, 0, 8, 0, 0, 0, 0);
	answered(0);
	PARSE(&disk, 0x28, 0, 0, 0, 8, 1, 0, 0, 0);
	refused(VSTATE_SCSI_BAD_LBA);
}

static void
transfers_behind_the_end_are_refused(void **state)
{
	PARSE(&disk, 0x08, 0, 8, 0, 1);
	refused(VSTATE_SCSI_BAD_LBA);
	PARSE(&disk, 0x28, 0, 0, 0, 7, 0xff, 0, 0, 2);
	refused(VSTATE_SCSI_BAD_LBA);
	PARSE(&disk, 0x2a, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1);
	refused(VSTATE_SCSI_BAD_LBA);
	/* a sum that wraps */
	PARSE(&disk, 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2);
	refused(VSTATE_SCSI_BAD_LBA);
	PARSE(&disk, 0x8a, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_BAD_LBA);
	/* more than the device takes at once */
	PARSE(&disk, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1);
	refused(VSTATE_SCSI_BAD_CDB);
	/* protection information */
	PARSE(&disk, 0x28, 0x20, 0, 0, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_BAD_CDB);
}

static void
read_only_unit_is_not_written(void **state)
{
	struct vstate_scsi_unit ro = disk;

	ro.ro = true;
	ro.can_unmap = false;
	PARSE(&ro, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	is_io(VSTATE_BLK_READ, 0, 512);
	PARSE(&ro, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_WRITE_PROTECTED);
	PARSE(&ro, 0x42, 0, 0, 0, 0, 0, 0, 0, 24);
	refused(VSTATE_SCSI_WRITE_PROTECTED);
	PARSE(&ro, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_WRITE_PROTECTED);
	PARSE(&ro, 0x1a, 0x08, 0x3f, 0, 255);
	answered(4 + 12 + 20 + 12);
	assert_int_equal(r.data[2], 0x90);
	PARSE(&ro, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
	answered(32);
	assert_int_equal(r.data[14], 0);
}

static void
caches_are_flushed(void **state)
{
	PARSE(&disk, 0x35);
	is_io(VSTATE_BLK_FLUSH, 0, 0);
	PARSE(&disk, 0x91, 0x02, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0);
	is_io(VSTATE_BLK_FLUSH, 0, 0);
	PARSE(&disk, 0x35, 0, 0, 0, 8, 1);
	refused(VSTATE_SCSI_BAD_LBA);
	/* a stop flushes, unless NO_FLUSH is set */
	PARSE(&disk, 0x1b, 0, 0, 0, 0);
	is_io(VSTATE_BLK_FLUSH, 0, 0);
	PARSE(&disk, 0x1b, 0, 0, 0, 4);
	answered(0);
	PARSE(&disk, 0x1b, 0, 0, 0, 1);
	answered(0);
	PARSE(&disk, 0x1b, 0, 0, 0, 2);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0x1b, 0, 0, 0, 0x31);
	refused(VSTATE_SCSI_BAD_CDB);
}

/* ---- UNMAP and WRITE SAME ---- */

/* An UNMAP with one descriptor in a list of @p len bytes. */
static void
unmap(uint16_t len, uint16_t descs, uint64_t lba, uint32_t nb)
{
	uint8_t list[VSTATE_SCSI_UNMAP_BYTES] = { 0 };
	unsigned int i;

	PARSE(&disk, 0x42, 0, 0, 0, 0, 0, 0, len >> 8, len);
	if (r.action != VSTATE_SCSI_UNMAP)
		return;
	assert_false(r.in);
	assert_int_equal(r.xfer, len);
	list[2] = descs >> 8;
	list[3] = descs;
	for (i = 0; i < 8; i++)
		list[8 + i] = lba >> (56 - 8 * i);
	for (i = 0; i < 4; i++)
		list[16 + i] = nb >> (24 - 8 * i);
	vstate_scsi_unmap_parse(list, &disk, &r);
}

static void
unmap_takes_one_range(void **state)
{
	unmap(24, 16, 3, 5);
	is_io(VSTATE_BLK_DISCARD, 3 * 512, 5 * 512);
	unmap(24, 16, BLOCKS, 0);
	answered(0);
	unmap(0, 0, 0, 0);
	answered(0);
	unmap(8, 0, 0, 0);
	answered(0);
	unmap(24, 15, 0, 1);
	answered(0);
	unmap(7, 0, 0, 0);
	refused(VSTATE_SCSI_BAD_LIST_LENGTH);
	unmap(24, 32, 0, 1);
	refused(VSTATE_SCSI_BAD_LIST_LENGTH);
	unmap(40, 32, 0, 1);
	refused(VSTATE_SCSI_BAD_LIST);
	unmap(24, 16, BLOCKS - 1, 2);
	refused(VSTATE_SCSI_BAD_LBA);
	unmap(24, 16, UINT64_MAX, 2);
	refused(VSTATE_SCSI_BAD_LBA);
	unmap(24, 16, 0, UINT32_MAX);
	refused(VSTATE_SCSI_BAD_LIST);
	/* ANCHOR */
	PARSE(&disk, 0x42, 1, 0, 0, 0, 0, 0, 0, 24);
	refused(VSTATE_SCSI_BAD_CDB);
}

static void
write_same_needs_a_block_or_none(void **state)
{
	struct vstate_scsi_unit thick = disk;

	PARSE(&disk, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3);
	assert_int_equal(r.action, VSTATE_SCSI_SAME);
	assert_int_equal(r.op, VSTATE_BLK_WRITE_ZEROES);
	assert_int_equal(r.offset, 1024);
	assert_int_equal(r.len, 3 * 512);
	assert_int_equal(r.xfer, 512);
	assert_false(r.in);
	assert_false(r.unmap);
	/* UNMAP and NDOB */
	PARSE(&disk, 0x93, 0x09, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3);
	is_io(VSTATE_BLK_WRITE_ZEROES, 1024, 3 * 512);
	assert_int_equal(r.xfer, 0);
	assert_true(r.unmap);
	thick.can_unmap = false;
	PARSE(&thick, 0x93, 0x09, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0x93, 0x10, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0x93, 0, 0, 0, 0, 0, 0, 0, 7, 0xff, 0, 0, 0, 2);
	refused(VSTATE_SCSI_BAD_LBA);
}

/* ---- answers ---- */

static void
inquiry_describes_the_unit(void **state)
{
	struct vstate_scsi_unit none = { .kind = VSTATE_SCSI_UNIT_NONE, .nb_units = 3 };
	struct vstate_scsi_unit well_known = { .kind = VSTATE_SCSI_UNIT_WELL_KNOWN };

	PARSE(&disk, 0x12, 0, 0, 0, 96);
	answered(96);
	assert_true(r.in);
	assert_int_equal(r.data[0], 0);
	assert_int_equal(r.data[2], 6);
	assert_int_equal(r.data[3] & 0xf, 2);
	assert_int_equal(r.data[4], 91);
	assert_memory_equal(r.data + 8, "VSTATE  VIRTUAL DISK    0001", 28);
	PARSE(&disk, 0x12, 0, 0, 0, 5);
	answered(5);
	PARSE(&disk, 0x12, 0, 0, 0, 0);
	answered(0);
	PARSE(&disk, 0x12, 0, 0x80, 0, 96);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0x12, 2, 0, 0, 96);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&none, 0x12, 0, 0, 0, 36);
	answered(36);
	assert_int_equal(r.data[0], 0x7f);
	PARSE(&none, 0x12, 1, 0x83, 0, 96);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&well_known, 0x12, 0, 0, 0, 36);
	assert_int_equal(r.data[0], 0x1e);
}

static void
pages_of_vital_product_data(void **state)
{
	static const uint8_t pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };
	unsigned int i;

	PARSE(&disk, 0x12, 1, 0x00, 0, 255);
	answered(4 + sizeof(pages));
	assert_int_equal(be(2, 2), sizeof(pages));
	assert_memory_equal(r.data + 4, pages, sizeof(pages));
	for (i = 0; i < RTE_DIM(pages); i++) {
		PARSE(&disk, 0x12, 1, pages[i], 0, 255);
		assert_int_equal(r.status, VSTATE_SCSI_GOOD);
		assert_int_equal(r.data[1], pages[i]);
		assert_int_equal(r.data_len, 4 + be(2, 2));
	}
	PARSE(&disk, 0x12, 1, 0x80, 0, 255);
	assert_memory_equal(r.data + 4, "vstate-0", 8);
	PARSE(&disk, 0x12, 1, 0x83, 0, 255);
	assert_int_equal(r.data[7], 16);
	assert_memory_equal(r.data + 8, "VSTATE  vstate-0", 16);
	PARSE(&disk, 0x12, 1, 0xb0, 0, 255);
	assert_int_equal(be(6, 2), 8);
	assert_int_equal(be(8, 4), (32 << 20) / 512);
	assert_int_equal(be(20, 4), (2048ull << 20) / 512);
	assert_int_equal(be(24, 4), 1);
	assert_int_equal(be(36, 8), (64 << 20) / 512);
	PARSE(&disk, 0x12, 1, 0xb1, 0, 255);
	assert_int_equal(be(4, 2), 1);
	PARSE(&disk, 0x12, 1, 0xb2, 0, 255);
	assert_int_equal(r.data[5], 0xc0);
	PARSE(&disk, 0x12, 1, 0x84, 0, 255);
	refused(VSTATE_SCSI_BAD_CDB);
}

static void
capacity_is_that_of_the_store(void **state)
{
	struct vstate_scsi_unit large = disk;

	PARSE(&disk, 0x25);
	answered(8);
	assert_int_equal(be(0, 4), BLOCKS - 1);
	assert_int_equal(be(4, 4), 512);
	PARSE(&disk, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
	answered(32);
	assert_int_equal(be(0, 8), BLOCKS - 1);
	assert_int_equal(be(8, 4), 512);
	assert_int_equal(r.data[13], 3);
	assert_int_equal(r.data[14], 0x80);
	large.nb_blocks = UINT64_C(0x123456789a);
	PARSE(&large, 0x25);
	assert_int_equal(be(0, 4), UINT32_MAX);
	PARSE(&large, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8);
	answered(8);
	assert_int_equal(be(0, 8), UINT64_C(0x1234567899));
	PARSE(&disk, 0x25, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
	refused(VSTATE_SCSI_BAD_CDB);
}

static void
mode_pages_of_both_lengths(void **state)
{
	PARSE(&disk, 0x1a, 0, 0x08, 0, 255);
	answered(4 + 8 + 20);
	assert_int_equal(r.data[0], 31);
	assert_int_equal(r.data[2], 0x10);
	assert_int_equal(r.data[3], 8);
	assert_int_equal(be(4, 4), BLOCKS);
	assert_int_equal(be(8, 4), 512);
	assert_int_equal(r.data[12], 0x08);
	assert_int_equal(r.data[14], 0x04);
	/* nothing can be changed */
	PARSE(&disk, 0x1a, 0x08, 0x48, 0, 255);
	answered(4 + 20);
	assert_int_equal(r.data[6], 0);
	PARSE(&disk, 0x5a, 0x08, 0x3f, 0xff, 0, 0, 0, 1, 0);
	answered(8 + 12 + 20 + 12);
	assert_int_equal(be(0, 2), 50);
	assert_int_equal(be(6, 2), 0);
	PARSE(&disk, 0x5a, 0, 0x0a, 0, 0, 0, 0, 0, 10);
	answered(10);
	PARSE(&disk, 0x1a, 0, 0xc8, 0, 255);
	refused(VSTATE_SCSI_NOT_SAVED);
	PARSE(&disk, 0x1a, 0, 0x1c, 0, 255);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0x1a, 0, 0x08, 1, 255);
	refused(VSTATE_SCSI_BAD_CDB);
}

static void
units_are_reported(void **state)
{
	PARSE(&disk, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255);
	answered(8 + 3 * 8);
	assert_int_equal(be(0, 4), 24);
	assert_int_equal(be(8, 8), 0);
	assert_int_equal(be(24, 8), UINT64_C(0x0002000000000000));
	PARSE(&disk, 0xa0, 0, 1, 0, 0, 0, 0, 0, 0, 255);
	answered(16);
	assert_int_equal(be(8, 8), UINT64_C(0xc101000000000000));
	PARSE(&disk, 0xa0, 0, 2, 0, 0, 0, 0, 0, 0, 255);
	answered(8 + 4 * 8);
	PARSE(&disk, 0xa0, 0, 3, 0, 0, 0, 0, 0, 0, 255);
	refused(VSTATE_SCSI_BAD_CDB);
	PARSE(&disk, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 15);
	refused(VSTATE_SCSI_BAD_CDB);
}

/* ---- refusals ---- */

static void
other_commands_are_refused(void **state)
{
	static const uint8_t served[] = { 0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x1b, 0x25, 0x28,
		0x2a, 0x35, 0x42, 0x5a, 0x88, 0x8a, 0x91, 0x93, 0x9e, 0xa0 };
	uint8_t cdb[VSTATE_SCSI_CDB_BYTES] = { 0 };
	unsigned int op;

	for (op = 0; op < 256; op++) {
		cdb[0] = op;
		vstate_scsi_cdb_parse(cdb, 32, &disk, &r);
		if (memchr(served, op, sizeof(served)) == NULL)
			refused(VSTATE_SCSI_BAD_OPCODE);
		else
			assert_int_not_equal(r.sense, VSTATE_SCSI_BAD_OPCODE);
		/* NACA, in the control byte */
		cdb[op < 0x20 ? 5 : op < 0x60 ? 9 : op < 0xa0 ? 15 : 11] = 4;
		vstate_scsi_cdb_parse(cdb, 32, &disk, &r);
		refused(op >= 0x60 && (op < 0x80 || op >= 0xc0) ? VSTATE_SCSI_BAD_OPCODE :
				VSTATE_SCSI_BAD_CDB);
		memset(cdb, 0, sizeof(cdb));
	}
}

/* A driver that chose a cdb_size of 10 cannot send more. */
static void
command_longer_than_its_cdb_is_refused(void **state)
{
	static const uint8_t read_10[VSTATE_SCSI_CDB_BYTES] = { 0x28 };
	static const uint8_t read_16[VSTATE_SCSI_CDB_BYTES] = { 0x88 };

	vstate_scsi_cdb_parse(read_10, 10, &disk, &r);
	answered(0);
	vstate_scsi_cdb_parse(read_10, 9, &disk, &r);
	refused(VSTATE_SCSI_BAD_OPCODE);
	vstate_scsi_cdb_parse(read_16, 10, &disk, &r);
	refused(VSTATE_SCSI_BAD_OPCODE);
}

static void
unit_that_is_missing(void **state)
{
	struct vstate_scsi_unit none = { .kind = VSTATE_SCSI_UNIT_NONE, .nb_units = 3 };
	struct vstate_scsi_unit well_known = { .kind = VSTATE_SCSI_UNIT_WELL_KNOWN };

	PARSE(&none, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_BAD_UNIT);
	PARSE(&none, 0x00);
	refused(VSTATE_SCSI_BAD_UNIT);
	PARSE(&none, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255);
	answered(32);
	PARSE(&none, 0x03, 0, 0, 0, 255);
	answered(18);
	assert_int_equal(r.data[2], 5);
	assert_int_equal(be(12, 2), 0x2500);
	PARSE(&well_known, 0x00);
	answered(0);
	PARSE(&well_known, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_BAD_OPCODE);
}

static void
attentions_are_reported_in_their_order(void **state)
{
	struct vstate_scsi_unit unit = disk;

	unit.attention = 0x0f;
	PARSE(&unit, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	refused(VSTATE_SCSI_POWER_ON);
	assert_int_equal(r.reported, VSTATE_SCSI_UA_POWER_ON | VSTATE_SCSI_UA_RESET |
			VSTATE_SCSI_UA_NEXUS);
	unit.attention = 0x0e;
	PARSE(&unit, 0x00);
	refused(VSTATE_SCSI_BUS_RESET);
	assert_int_equal(r.reported, VSTATE_SCSI_UA_RESET);
	unit.attention = 0x0c;
	PARSE(&unit, 0x00);
	refused(VSTATE_SCSI_NEXUS_LOSS);
	unit.attention = 0x08;
	PARSE(&unit, 0x00);
	refused(VSTATE_SCSI_CAPACITY_CHANGED);
	assert_int_equal(r.reported, VSTATE_SCSI_UA_CAPACITY);
	/* these do not wait for it, and do not clear it */
	PARSE(&unit, 0x12, 0, 0, 0, 36);
	answered(36);
	assert_int_equal(r.reported, 0);
	PARSE(&unit, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255);
	answered(32);
	assert_int_equal(r.reported, 0);
	/* and this one has it as its data */
	PARSE(&unit, 0x03, 0, 0, 0, 255);
	answered(18);
	assert_int_equal(r.data[2], 6);
	assert_int_equal(be(12, 2), 0x2a09);
	assert_int_equal(r.reported, VSTATE_SCSI_UA_CAPACITY);
	PARSE(&disk, 0x03, 0, 0, 0, 18);
	answered(18);
	assert_int_equal(r.data[2], 0);
	PARSE(&disk, 0x03, 1, 0, 0, 18);
	refused(VSTATE_SCSI_BAD_CDB);
}

int
test_vstate_scsi_cdb(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_of_all_lengths),
		cmocka_unit_test(transfers_behind_the_end_are_refused),
		cmocka_unit_test(read_only_unit_is_not_written),
		cmocka_unit_test(caches_are_flushed),
		cmocka_unit_test(unmap_takes_one_range),
		cmocka_unit_test(write_same_needs_a_block_or_none),
		cmocka_unit_test(inquiry_describes_the_unit),
		cmocka_unit_test(pages_of_vital_product_data),
		cmocka_unit_test(capacity_is_that_of_the_store),
		cmocka_unit_test(mode_pages_of_both_lengths),
		cmocka_unit_test(units_are_reported),
		cmocka_unit_test(other_commands_are_refused),
		cmocka_unit_test(command_longer_than_its_cdb_is_refused),
		cmocka_unit_test(unit_that_is_missing),
		cmocka_unit_test(attentions_are_reported_in_their_order),
	};

	return cmocka_run_group_tests_name("vstate_scsi_cdb", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vstate_scsi_answer.h"
#include "vstate_scsi_cdb.h"

/* Operation codes. */
#define TEST_UNIT_READY 0x00
#define REQUEST_SENSE 0x03
#define READ_6 0x08
#define WRITE_6 0x0a
#define INQUIRY 0x12
#define MODE_SENSE_6 0x1a
#define START_STOP_UNIT 0x1b
#define READ_CAPACITY_10 0x25
#define READ_10 0x28
#define WRITE_10 0x2a
#define SYNCHRONIZE_CACHE_10 0x35
#define UNMAP 0x42
#define MODE_SENSE_10 0x5a
#define READ_16 0x88
#define WRITE_16 0x8a
#define SYNCHRONIZE_CACHE_16 0x91
#define WRITE_SAME_16 0x93
#define SERVICE_ACTION_IN_16 0x9e
#define REPORT_LUNS 0xa0
/* Service action. */
#define READ_CAPACITY_16 0x10

/* Bits of byte 1 of READ, WRITE and WRITE SAME. */
#define PROTECT 0xe0
#define FUA 0x08
#define SAME_ANCHOR 0x10
#define SAME_UNMAP 0x08
#define SAME_LBDATA_PBDATA 0x06
#define SAME_NDOB 0x01

#define NACA 0x04

/* ---- results ---- */

void
vstate_scsi_sense_fill(enum vstate_scsi_sense code, uint8_t *sense)
{
	memset(sense, 0, VSTATE_SCSI_SENSE_BYTES);
	sense[0] = 0x70;
	sense[2] = code >> 16;
	sense[7] = VSTATE_SCSI_SENSE_BYTES - 8;
	sense[12] = code >> 8;
	sense[13] = code;
}

static void
refuse(struct vstate_scsi_result *r, enum vstate_scsi_sense sense)
{
	r->action = VSTATE_SCSI_ANSWER;
	r->status = VSTATE_SCSI_CHECK_CONDITION;
	r->sense = sense;
	r->data_len = 0;
}

/* The driver asks for at most @p alloc bytes of data. */
static void
receive(struct vstate_scsi_result *r, uint64_t alloc)
{
	r->in = true;
	r->xfer = alloc;
	r->data_len = RTE_MIN((uint64_t)r->data_len, alloc);
}

static void
flush(struct vstate_scsi_result *r)
{
	r->action = VSTATE_SCSI_IO;
	r->op = VSTATE_BLK_FLUSH;
}

/* ---- transfers ---- */

/* @return false: the blocks are not all on the disk, and the command is refused */
static bool
range_set(struct vstate_scsi_result *r, const struct vstate_scsi_unit *unit, uint64_t lba,
		uint64_t nb)
{
	if (unlikely(lba > unit->nb_blocks || nb > unit->nb_blocks - lba)) {
		refuse(r, VSTATE_SCSI_BAD_LBA);
		return false;
	}
	r->offset = lba * unit->blk_size;
	r->len = nb * unit->blk_size;
	return true;
}

/* READ and WRITE of all lengths. @param flags byte 1 of a CDB of 10 or 16 bytes */
static void
transfer_parse(struct vstate_scsi_result *r, const struct vstate_scsi_unit *unit, uint64_t lba,
		uint64_t nb, uint8_t flags, bool writes)
{
	r->in = !writes;
	r->xfer = nb * unit->blk_size;
	if (unlikely((flags & PROTECT) != 0 || r->xfer > VSTATE_SCSI_TRANSFER_MAX)) {
		refuse(r, VSTATE_SCSI_BAD_CDB);
		return;
	}
	if (unlikely(writes && unit->ro)) {
		refuse(r, VSTATE_SCSI_WRITE_PROTECTED);
		return;
	}
	if (!range_set(r, unit, lba, nb) || nb == 0)
		return;
	r->action = VSTATE_SCSI_IO;
	r->op = writes ? VSTATE_BLK_WRITE : VSTATE_BLK_READ;
	r->stable = writes && (flags & FUA);
}

static void
transfer_6_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	/* 0 stands for 256 blocks */
	transfer_parse(r, unit, vstate_scsi_be(cdb + 1, 3) & 0x1fffff, cdb[4] != 0 ? cdb[4] : 256,
			0, cdb[0] == WRITE_6);
}

static void
sync_parse(struct vstate_scsi_result *r, const struct vstate_scsi_unit *unit, uint64_t lba,
		uint64_t nb)
{
	if (!range_set(r, unit, lba, nb))
		return;
	flush(r);
	r->offset = r->len = 0;
}

/* ---- UNMAP and WRITE SAME ---- */

static void
unmap_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	r->xfer = vstate_scsi_be(cdb + 7, 2);
	if (unit->ro)
		refuse(r, VSTATE_SCSI_WRITE_PROTECTED);
	else if (!unit->can_unmap)
		refuse(r, VSTATE_SCSI_BAD_OPCODE);
	else if ((cdb[1] & 1) != 0)
		refuse(r, VSTATE_SCSI_BAD_CDB);
	else if (r->xfer != 0 && r->xfer < 8)
		refuse(r, VSTATE_SCSI_BAD_LIST_LENGTH);
	else if (r->xfer != 0)
		r->action = VSTATE_SCSI_UNMAP;
}

void
vstate_scsi_unmap_parse(const uint8_t *list, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	const uint64_t descs = vstate_scsi_be(list + 2, 2), nb = vstate_scsi_be(list + 16, 4);

	r->action = VSTATE_SCSI_ANSWER;
	if (descs > r->xfer - 8) {
		refuse(r, VSTATE_SCSI_BAD_LIST_LENGTH);
		return;
	}
	/* a part of a descriptor behind the last one is ignored (SBC-3 "UNMAP parameter list") */
	if (descs / 16 == 0)
		return;
	if (descs / 16 > 1 || nb > VSTATE_SCSI_RANGE_MAX / unit->blk_size) {
		refuse(r, VSTATE_SCSI_BAD_LIST);
		return;
	}
	if (!range_set(r, unit, vstate_scsi_be(list + 8, 8), nb) || nb == 0)
		return;
	r->action = VSTATE_SCSI_IO;
	r->op = VSTATE_BLK_DISCARD;
}

static void
same_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	const uint64_t nb = vstate_scsi_be(cdb + 10, 4);
	const bool no_data = cdb[1] & SAME_NDOB;

	r->xfer = no_data ? 0 : unit->blk_size;
	if (unit->ro) {
		refuse(r, VSTATE_SCSI_WRITE_PROTECTED);
		return;
	}
	/* VPD page B0 says that 0 blocks are not "up to the end" */
	if ((cdb[1] & (PROTECT | SAME_ANCHOR | SAME_LBDATA_PBDATA)) != 0 || nb == 0 ||
			nb > VSTATE_SCSI_SAME_MAX / unit->blk_size ||
			((cdb[1] & SAME_UNMAP) != 0 && !unit->can_unmap)) {
		refuse(r, VSTATE_SCSI_BAD_CDB);
		return;
	}
	if (!range_set(r, unit, vstate_scsi_be(cdb + 2, 8), nb))
		return;
	r->action = no_data ? VSTATE_SCSI_IO : VSTATE_SCSI_SAME;
	r->op = VSTATE_BLK_WRITE_ZEROES;
	r->unmap = (cdb[1] & SAME_UNMAP) != 0;
}

/* ---- other commands ---- */

static void
start_stop_parse(const uint8_t *cdb, struct vstate_scsi_result *r)
{
	const bool start = cdb[4] & 1, eject = cdb[4] & 2, no_flush = cdb[4] & 4;

	/* the disk has no power conditions, and no medium that leaves it */
	if ((cdb[4] & 0xf0) != 0 || eject)
		refuse(r, VSTATE_SCSI_BAD_CDB);
	else if (!start && !no_flush)
		flush(r);
}

static void
request_sense_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	enum vstate_scsi_sense sense = VSTATE_SCSI_NO_SENSE;

	/* sense data has no descriptor format */
	if ((cdb[1] & 1) != 0) {
		refuse(r, VSTATE_SCSI_BAD_CDB);
		return;
	}
	if (unit->kind == VSTATE_SCSI_UNIT_NONE)
		sense = VSTATE_SCSI_BAD_UNIT;
	else if (unit->kind == VSTATE_SCSI_UNIT_DISK && unit->attention != 0)
		sense = vstate_scsi_attention(unit->attention, &r->reported);
	vstate_scsi_sense_fill(sense, r->data);
	r->data_len = VSTATE_SCSI_SENSE_BYTES;
	receive(r, cdb[4]);
}

/* Commands that any unit serves, also one that does not exist (SPC-4 "Unit attention"). */
static bool
any_unit_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	bool valid = true;

	switch (cdb[0]) {
	case INQUIRY:
		valid = vstate_scsi_inquiry(cdb, unit, r);
		receive(r, vstate_scsi_be(cdb + 3, 2));
		break;
	case REPORT_LUNS:
		valid = vstate_scsi_report_luns(cdb, unit, r);
		receive(r, vstate_scsi_be(cdb + 6, 4));
		break;
	case REQUEST_SENSE:
		request_sense_parse(cdb, unit, r);
		break;
	default:
		return false;
	}
	if (!valid)
		refuse(r, VSTATE_SCSI_BAD_CDB);
	return true;
}

static void
mode_sense_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	const enum vstate_scsi_sense sense = vstate_scsi_mode_sense(cdb, cdb[0] == MODE_SENSE_10,
			unit, r);

	receive(r, cdb[0] == MODE_SENSE_10 ? vstate_scsi_be(cdb + 7, 2) : cdb[4]);
	if (sense != VSTATE_SCSI_NO_SENSE)
		refuse(r, sense);
}

static void
capacity_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	if (cdb[0] == SERVICE_ACTION_IN_16) {
		if ((cdb[1] & 0x1f) != READ_CAPACITY_16) {
			refuse(r, VSTATE_SCSI_BAD_CDB);
			return;
		}
		vstate_scsi_capacity_16(unit, r);
		receive(r, vstate_scsi_be(cdb + 10, 4));
		return;
	}
	/* PMI is obsolete, and without it the address is 0 */
	if ((cdb[8] & 1) != 0 || vstate_scsi_be(cdb + 2, 4) != 0)
		refuse(r, VSTATE_SCSI_BAD_CDB);
	else
		vstate_scsi_capacity_10(unit, r);
	receive(r, 8);
}

static void
disk_parse(const uint8_t *cdb, const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	switch (cdb[0]) {
	case TEST_UNIT_READY:
		break;
	case READ_CAPACITY_10:
	case SERVICE_ACTION_IN_16:
		capacity_parse(cdb, unit, r);
		break;
	case MODE_SENSE_6:
	case MODE_SENSE_10:
		mode_sense_parse(cdb, unit, r);
		break;
	case START_STOP_UNIT:
		start_stop_parse(cdb, r);
		break;
	case SYNCHRONIZE_CACHE_10:
		sync_parse(r, unit, vstate_scsi_be(cdb + 2, 4), vstate_scsi_be(cdb + 7, 2));
		break;
	case SYNCHRONIZE_CACHE_16:
		sync_parse(r, unit, vstate_scsi_be(cdb + 2, 8), vstate_scsi_be(cdb + 10, 4));
		break;
	case UNMAP:
		unmap_parse(cdb, unit, r);
		break;
	case WRITE_SAME_16:
		same_parse(cdb, unit, r);
		break;
	default:
		refuse(r, VSTATE_SCSI_BAD_OPCODE);
	}
}

/* Bytes of a CDB by the group of its operation code; 0: such commands are not served. */
static const uint8_t cdb_lengths[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };

void
vstate_scsi_cdb_parse(const uint8_t *cdb, uint32_t len, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	const uint8_t length = cdb_lengths[cdb[0] >> 5];

	memset(r, 0, offsetof(struct vstate_scsi_result, data));
	if (unlikely(length == 0 || length > len)) {
		refuse(r, VSTATE_SCSI_BAD_OPCODE);
		return;
	}
	if (unlikely((cdb[length - 1] & NACA) != 0)) {
		refuse(r, VSTATE_SCSI_BAD_CDB);
		return;
	}
	if (unlikely(unit->kind != VSTATE_SCSI_UNIT_DISK || unit->attention != 0)) {
		if (any_unit_parse(cdb, unit, r))
			return;
		if (unit->kind == VSTATE_SCSI_UNIT_NONE)
			refuse(r, VSTATE_SCSI_BAD_UNIT);
		else if (unit->kind == VSTATE_SCSI_UNIT_DISK)
			refuse(r, vstate_scsi_attention(unit->attention, &r->reported));
		else if (cdb[0] != TEST_UNIT_READY)
			refuse(r, VSTATE_SCSI_BAD_OPCODE);
		return;
	}
	switch (cdb[0]) {
	case READ_10:
	case WRITE_10:
		transfer_parse(r, unit, vstate_scsi_be(cdb + 2, 4), vstate_scsi_be(cdb + 7, 2),
				cdb[1], cdb[0] == WRITE_10);
		return;
	case READ_16:
	case WRITE_16:
		transfer_parse(r, unit, vstate_scsi_be(cdb + 2, 8), vstate_scsi_be(cdb + 10, 4),
				cdb[1], cdb[0] == WRITE_16);
		return;
	case READ_6:
	case WRITE_6:
		transfer_6_parse(cdb, unit, r);
		return;
	}
	if (!any_unit_parse(cdb, unit, r))
		disk_parse(cdb, unit, r);
}

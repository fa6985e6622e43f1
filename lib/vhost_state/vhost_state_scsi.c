/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include <rte_common.h>

#include "vhost_state_blk.h"
#include "vhost_state_bytes.h"
#include "vhost_state_reason.h"
#include "vhost_state_scsi.h"

#define FAULT(e, reason, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, -1, -1, expected, found)

#define LUNS_MAX RTE_VHOST_STATE_SCSI_LUNS
#define SERIAL_SIZE RTE_VHOST_STATE_SCSI_SERIAL
#define ATTENTIONS RTE_VHOST_STATE_SCSI_ATTENTION_ALL
/* SPC: sense data has at most 252 bytes, a CDB 6 to 260. */
#define SENSE_MAX 252
#define CDB_MIN 6
#define CDB_MAX 260

/* ---- parts ---- */

/*
 * SCSI:
 *   0  le32 sense_size
 *   4  le32 cdb_size
 *
 * SCSI_LUNS, for each logical unit, from 0 on:
 *   0  le64 capacity
 *   8  le32 blk_size
 *  12  u8   read_only
 *  13  u8   write_cache
 *  14  u8   attention
 *  15  u8   event
 *  16  u8   serial[32]
 */
#define SCSI_TYPE 0xf030
#define SCSI_SIZE 8
#define LUNS_TYPE 0xf031
#define LUN_SIZE 48

static void
encode_scsi(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	uint8_t b[SCSI_SIZE];

	vhost_state_put_le(b, st->scsi.sense_size, 4);
	vhost_state_put_le(b + 4, st->scsi.cdb_size, 4);
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_scsi(struct rte_vhost_state *st, const struct vhost_state_value *v,
		__rte_unused struct rte_vhost_state_error *e)
{
	st->scsi.sense_size = vhost_state_get_le32(v->p);
	st->scsi.cdb_size = vhost_state_get_le32(v->p + 4);
	return 0;
}

static uint32_t
units_luns(const struct rte_vhost_state *st, __rte_unused uint16_t vq)
{
	return st->scsi.nb_luns;
}

static void
encode_luns(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	const struct rte_vhost_state_scsi_lun *lun;
	uint8_t b[LUN_SIZE];
	uint16_t i;

	for (i = 0; i < st->scsi.nb_luns; i++) {
		lun = &st->scsi.luns[i];
		memset(b, 0, sizeof(b));
		vhost_state_put_le(b, lun->disk.capacity, 8);
		vhost_state_put_le(b + 8, lun->disk.blk_size, 4);
		b[12] = lun->disk.read_only;
		b[13] = lun->disk.write_cache;
		b[14] = lun->attention;
		b[15] = lun->event;
		memcpy(b + 16, lun->serial, SERIAL_SIZE);
		vhost_state_sink_put(sink, b, sizeof(b));
	}
}

/* The part says how many logical units there are. */
static int
decode_luns(struct rte_vhost_state *st, const struct vhost_state_value *v,
		__rte_unused struct rte_vhost_state_error *e)
{
	struct rte_vhost_state_scsi_lun *lun;
	const uint8_t *b = v->p;
	uint16_t i;

	st->scsi.nb_luns = v->len / LUN_SIZE;
	for (i = 0; i < st->scsi.nb_luns; i++, b += LUN_SIZE) {
		lun = &st->scsi.luns[i];
		lun->disk.capacity = vhost_state_get_le64(b);
		lun->disk.blk_size = vhost_state_get_le32(b + 8);
		lun->disk.read_only = b[12];
		lun->disk.write_cache = b[13];
		lun->attention = b[14];
		lun->event = b[15];
		memcpy(lun->serial, b + 16, SERIAL_SIZE);
	}
	return 0;
}

/* ---- checks ---- */

/* Printable without quote and backslash, so that text and JSON need no escapes. */
static int
check_serial(const char *serial, struct rte_vhost_state_error *e)
{
	uint16_t i, len = strnlen(serial, SERIAL_SIZE);

	if (len == SERIAL_SIZE)
		return FAULT(e, SCSI_SERIAL, SERIAL_SIZE - 1, SERIAL_SIZE);
	for (i = 0; i < len; i++)
		if (serial[i] < ' ' || serial[i] > '~' || serial[i] == '"' || serial[i] == '\\')
			return FAULT(e, SCSI_SERIAL, ' ', (uint8_t)serial[i]);
	for (; i < SERIAL_SIZE; i++)
		if (serial[i] != '\0')
			return FAULT(e, SCSI_SERIAL, 0, (uint8_t)serial[i]);
	return 0;
}

static int
check_scsi(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_scsi *scsi = &st->scsi;
	const struct rte_vhost_state_scsi_lun *lun;
	int ret = 0;
	uint16_t i;

	if (scsi->sense_size == 0 || scsi->sense_size > SENSE_MAX)
		return FAULT(e, SCSI_SIZES, SENSE_MAX, scsi->sense_size);
	if (scsi->cdb_size < CDB_MIN)
		return FAULT(e, SCSI_SIZES, CDB_MIN, scsi->cdb_size);
	if (scsi->cdb_size > CDB_MAX)
		return FAULT(e, SCSI_SIZES, CDB_MAX, scsi->cdb_size);
	if (scsi->nb_luns == 0)
		return FAULT(e, SCSI_LUNS, 1, 0);
	if (scsi->nb_luns > LUNS_MAX)
		return FAULT(e, SCSI_LUNS, LUNS_MAX, scsi->nb_luns);
	for (i = 0; i < scsi->nb_luns && ret == 0; i++) {
		lun = &scsi->luns[i];
		if ((lun->attention & ~ATTENTIONS) != 0)
			return FAULT(e, SCSI_FLAGS, ATTENTIONS, lun->attention);
		if (lun->event > 1)
			return FAULT(e, SCSI_FLAGS, 1, lun->event);
		ret = vhost_state_blk_check(&lun->disk, e);
		if (ret == 0)
			ret = check_serial(lun->serial, e);
	}
	return ret;
}

static const enum rte_vhost_state_reason scsi_reasons[] = {
	RTE_VHOST_STATE_R_SCSI_SIZES,
	RTE_VHOST_STATE_R_NONE,
};

static const enum rte_vhost_state_reason lun_reasons[] = {
	RTE_VHOST_STATE_R_SCSI_LUNS,
	RTE_VHOST_STATE_R_SCSI_FLAGS,
	RTE_VHOST_STATE_R_SCSI_SERIAL,
	RTE_VHOST_STATE_R_BLK_BLOCK_SIZE,
	RTE_VHOST_STATE_R_BLK_CAPACITY,
	RTE_VHOST_STATE_R_BLK_FLAGS,
	RTE_VHOST_STATE_R_NONE,
};

/* The driver knows each unit by its number and identity. */
static int
check_scsi_fit(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_scsi_lun *lun, *has;
	uint16_t i;
	int ret;

	if (lim->scsi_luns == 0)
		return 0;
	if (st->scsi.nb_luns != lim->scsi_luns)
		return FAULT(e, FIT_SCSI_LUNS, lim->scsi_luns, st->scsi.nb_luns);
	for (i = 0; i < st->scsi.nb_luns; i++) {
		lun = &st->scsi.luns[i];
		has = &lim->scsi_lun[i];
		ret = vhost_state_blk_check_fit(&lun->disk, has->disk.capacity,
				has->disk.blk_size, has->disk.read_only != 0, e);
		if (ret != 0)
			return ret;
		if (strncmp(lun->serial, has->serial, SERIAL_SIZE) != 0)
			return FAULT(e, FIT_SCSI_SERIAL, i, i);
	}
	return 0;
}

static bool
scsi_equal(const struct rte_vhost_state *st_a, const struct rte_vhost_state *st_b)
{
	const struct rte_vhost_state_scsi *a = &st_a->scsi, *b = &st_b->scsi;
	uint16_t i;

	if (a->nb_luns != b->nb_luns || a->sense_size != b->sense_size ||
			a->cdb_size != b->cdb_size)
		return false;
	for (i = 0; i < RTE_MIN(a->nb_luns, LUNS_MAX); i++)
		if (!vhost_state_blk_equal(&a->luns[i].disk, &b->luns[i].disk) ||
				a->luns[i].attention != b->luns[i].attention ||
				a->luns[i].event != b->luns[i].event ||
				memcmp(a->luns[i].serial, b->luns[i].serial, SERIAL_SIZE) != 0)
			return false;
	return true;
}

/* ---- text ---- */

static void
dump_scsi(const struct rte_vhost_state *st, FILE *f)
{
	const struct rte_vhost_state_scsi_lun *lun;
	uint16_t i;

	fprintf(f, "  sense size       %" PRIu32 "\n", st->scsi.sense_size);
	fprintf(f, "  CDB size         %" PRIu32 "\n", st->scsi.cdb_size);
	fprintf(f, "  logical units    %u\n", st->scsi.nb_luns);
	for (i = 0; i < st->scsi.nb_luns; i++) {
		lun = &st->scsi.luns[i];
		fprintf(f, "  unit %-2u          %" PRIu64 " sectors, block size %" PRIu32 ", "
				"read-only %u, write cache %u, attention 0x%02x, event %u, "
				"serial \"%s\"\n",
				i, lun->disk.capacity, lun->disk.blk_size, lun->disk.read_only,
				lun->disk.write_cache, lun->attention, lun->event, lun->serial);
	}
}

static void
dump_scsi_json(const struct rte_vhost_state *st, FILE *f)
{
	const struct rte_vhost_state_scsi_lun *lun;
	uint16_t i;

	fprintf(f, "\"sense_size\": %" PRIu32 ", \"cdb_size\": %" PRIu32 ", \"luns\": [",
			st->scsi.sense_size, st->scsi.cdb_size);
	for (i = 0; i < st->scsi.nb_luns; i++) {
		lun = &st->scsi.luns[i];
		fprintf(f, "%s{", i > 0 ? ", " : "");
		vhost_state_blk_dump_json(&lun->disk, f);
		fprintf(f, ", \"attention\": %u, \"event\": %u, \"serial\": \"%s\"}",
				lun->attention, lun->event, lun->serial);
	}
	fprintf(f, "]");
}

const struct vhost_state_class vhost_state_scsi = {
	.device_id = RTE_VHOST_STATE_ID_SCSI,
	.name = "scsi",
	/* control, events, and one of requests */
	.min_vqs = 3,
	.max_vqs = RTE_VHOST_STATE_MAX_VQ,
	.parts = {
		{
			.type = SCSI_TYPE, .mandatory = true,
			.unit = SCSI_SIZE, .max_units = 1,
			.encode = encode_scsi, .decode = decode_scsi,
			.reasons = scsi_reasons,
		},
		{
			.type = LUNS_TYPE, .mandatory = true,
			.unit = LUN_SIZE, .max_units = LUNS_MAX, .units = units_luns,
			.encode = encode_luns, .decode = decode_luns,
			.reasons = lun_reasons,
		},
	},
	.check = check_scsi,
	.check_fit = check_scsi_fit,
	.equal = scsi_equal,
	.dump = dump_scsi,
	.dump_json = dump_scsi_json,
};

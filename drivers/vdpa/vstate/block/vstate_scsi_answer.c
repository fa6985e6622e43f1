/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "vstate_scsi_answer.h"

#define VENDOR "VSTATE  "
#define PRODUCT "VIRTUAL DISK    "
#define REVISION "0001"

/* Peripheral qualifier and device type. */
#define DIRECT_ACCESS 0x00
#define WELL_KNOWN 0x1e
#define NO_UNIT 0x7f

static void
be_put(uint8_t *p, uint64_t value, unsigned int bytes)
{
	while (bytes-- > 0) {
		p[bytes] = value;
		value >>= 8;
	}
}

/* Begin data of @p len zeros. */
static uint8_t *
data_begin(struct vstate_scsi_result *r, uint32_t len)
{
	memset(r->data, 0, len);
	r->data_len = len;
	return r->data;
}

static uint32_t
blocks_of(const struct vstate_scsi_unit *unit, uint64_t bytes)
{
	return RTE_MIN(bytes / unit->blk_size, (uint64_t)UINT32_MAX);
}

enum vstate_scsi_sense
vstate_scsi_attention(uint8_t attention, uint8_t *reported)
{
	/* a power on is the last event of all those before it */
	if (attention & VSTATE_SCSI_UA_POWER_ON) {
		*reported = VSTATE_SCSI_UA_POWER_ON | VSTATE_SCSI_UA_RESET | VSTATE_SCSI_UA_NEXUS;
		return VSTATE_SCSI_POWER_ON;
	}
	if (attention & VSTATE_SCSI_UA_RESET) {
		*reported = VSTATE_SCSI_UA_RESET;
		return VSTATE_SCSI_BUS_RESET;
	}
	if (attention & VSTATE_SCSI_UA_NEXUS) {
		*reported = VSTATE_SCSI_UA_NEXUS;
		return VSTATE_SCSI_NEXUS_LOSS;
	}
	*reported = VSTATE_SCSI_UA_CAPACITY;
	return VSTATE_SCSI_CAPACITY_CHANGED;
}

/* ---- INQUIRY ---- */

static uint8_t
type_of(const struct vstate_scsi_unit *unit)
{
	switch (unit->kind) {
	case VSTATE_SCSI_UNIT_DISK:
		return DIRECT_ACCESS;
	case VSTATE_SCSI_UNIT_WELL_KNOWN:
		return WELL_KNOWN;
	default:
		return NO_UNIT;
	}
}

#define STANDARD_LEN 96

static void
standard_fill(struct vstate_scsi_result *r)
{
	/* SAM-5, SPC-4, SBC-3 */
	static const uint16_t versions[] = { 0x00a0, 0x0460, 0x04c0 };
	uint8_t *d = data_begin(r, STANDARD_LEN);
	unsigned int i;

	d[2] = 0x06;	/* SPC-4 */
	d[3] = 0x12;	/* HISUP, response data format 2 */
	d[4] = STANDARD_LEN - 5;
	d[7] = 0x02;	/* CMDQUE */
	memcpy(d + 8, VENDOR PRODUCT REVISION, 28);
	for (i = 0; i < RTE_DIM(versions); i++)
		be_put(d + 58 + 2 * i, versions[i], 2);
}

/* Begin a page of @p len bytes behind its header. @return where they begin */
static uint8_t *
page_begin(struct vstate_scsi_result *r, uint8_t page, uint32_t len)
{
	uint8_t *d = data_begin(r, 4 + len);

	d[1] = page;
	be_put(d + 2, len, 2);
	return d + 4;
}

static void
identification_fill(const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	const uint32_t len = strlen(unit->serial);
	uint8_t *d = page_begin(r, 0x83, 4 + 8 + len);

	d[0] = 0x02;	/* ASCII */
	d[1] = 0x01;	/* of the logical unit; T10 vendor ID */
	d[3] = 8 + len;
	memcpy(d + 4, VENDOR, 8);
	memcpy(d + 12, unit->serial, len);
}

static void
limits_fill(const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	const uint32_t granularity = unit->phys_size / unit->blk_size;
	uint8_t *d = page_begin(r, 0xb0, 0x3c) - 4;

	d[4] = 0x01;	/* WSNZ */
	be_put(d + 6, granularity, 2);
	be_put(d + 8, blocks_of(unit, VSTATE_SCSI_TRANSFER_MAX), 4);
	if (!unit->ro)
		be_put(d + 36, blocks_of(unit, VSTATE_SCSI_SAME_MAX), 8);
	if (!unit->can_unmap)
		return;
	be_put(d + 20, blocks_of(unit, VSTATE_SCSI_RANGE_MAX), 4);
	be_put(d + 24, 1, 4);
	be_put(d + 28, granularity, 4);
	be_put(d + 32, 0x80000000, 4);	/* UGAVALID, alignment 0 */
}

static void
provisioning_fill(const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	uint8_t *d = page_begin(r, 0xb2, 4) - 4;

	if (!unit->can_unmap)
		return;
	d[5] = 0xc0;	/* LBPU, LBPWS */
	d[6] = 0x02;	/* thin provisioned */
}

static bool
vpd_fill(uint8_t page, const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	static const uint8_t pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };
	const bool disk = unit->kind == VSTATE_SCSI_UNIT_DISK;
	uint8_t *d;

	if (unit->kind == VSTATE_SCSI_UNIT_NONE || (!disk && page != 0x00))
		return false;
	switch (page) {
	case 0x00:
		d = page_begin(r, page, disk ? sizeof(pages) : 1);
		memcpy(d, pages, disk ? sizeof(pages) : 1);
		return true;
	case 0x80:
		d = page_begin(r, page, strlen(unit->serial));
		memcpy(d, unit->serial, strlen(unit->serial));
		return true;
	case 0x83:
		identification_fill(unit, r);
		return true;
	case 0xb0:
		limits_fill(unit, r);
		return true;
	case 0xb1:
		d = page_begin(r, page, 0x3c);
		be_put(d, 1, 2);	/* not rotating */
		return true;
	case 0xb2:
		provisioning_fill(unit, r);
		return true;
	}
	return false;
}

bool
vstate_scsi_inquiry(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	const bool vpd = cdb[1] & 1;

	/* CMDDT is obsolete; without EVPD there is no page */
	if ((cdb[1] & ~1) != 0 || (!vpd && cdb[2] != 0) || (vpd && !vpd_fill(cdb[2], unit, r)))
		return false;
	if (!vpd)
		standard_fill(r);
	r->data[0] = type_of(unit);
	return true;
}

/* ---- REPORT LUNS ---- */

bool
vstate_scsi_report_luns(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	const bool well_known = cdb[2] == 1 || cdb[2] == 2;
	const uint8_t nb = cdb[2] == 1 ? 0 : unit->nb_units;
	uint8_t *d;
	uint8_t i;

	if (cdb[2] > 2 || vstate_scsi_be(cdb + 6, 4) < 16)
		return false;
	d = data_begin(r, 8 + 8 * (nb + well_known));
	be_put(d, r->data_len - 8, 4);
	for (i = 0; i < nb; i++)
		d[8 + 8 * i + 1] = i;
	if (well_known)
		be_put(d + 8 + 8 * nb, 0xc101, 2);
	return true;
}

/* ---- MODE SENSE ---- */

#define PAGE_RECOVERY 0x01
#define PAGE_CACHING 0x08
#define PAGE_CONTROL 0x0a
#define PAGE_ALL 0x3f
#define ALL_SUBPAGES 0xff

/* Values of the field PC. */
#define PC_CHANGEABLE 1
#define PC_SAVED 3

/* Append a page of @p len bytes behind its header. @return it */
static uint8_t *
mode_page_begin(struct vstate_scsi_result *r, uint8_t page, uint8_t len)
{
	uint8_t *d = r->data + r->data_len;

	memset(d, 0, 2 + len);
	d[0] = page;
	d[1] = len;
	r->data_len += 2 + len;
	return d;
}

/* @param changeable the fields that a driver can change: none */
static void
mode_pages_fill(uint8_t page, bool changeable, struct vstate_scsi_result *r)
{
	uint8_t *d;

	if (page == PAGE_RECOVERY || page == PAGE_ALL)
		mode_page_begin(r, PAGE_RECOVERY, 10);
	if (page == PAGE_CACHING || page == PAGE_ALL) {
		d = mode_page_begin(r, PAGE_CACHING, 18);
		d[2] = changeable ? 0 : 0x04;	/* WCE */
	}
	if (page == PAGE_CONTROL || page == PAGE_ALL) {
		d = mode_page_begin(r, PAGE_CONTROL, 10);
		d[3] = changeable ? 0 : 0x10;	/* unrestricted reordering */
	}
}

enum vstate_scsi_sense
vstate_scsi_mode_sense(const uint8_t *cdb, bool ten, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r)
{
	const uint8_t pc = cdb[2] >> 6, page = cdb[2] & 0x3f;
	const uint32_t header = ten ? 8 : 4;
	const bool descriptor = (cdb[1] & 0x08) == 0;
	uint8_t *d;

	if (page != PAGE_RECOVERY && page != PAGE_CACHING && page != PAGE_CONTROL &&
			page != PAGE_ALL)
		return VSTATE_SCSI_BAD_CDB;
	if (cdb[3] != 0 && (page != PAGE_ALL || cdb[3] != ALL_SUBPAGES))
		return VSTATE_SCSI_BAD_CDB;
	if (pc == PC_SAVED)
		return VSTATE_SCSI_NOT_SAVED;
	d = data_begin(r, header + (descriptor ? 8 : 0));
	d[ten ? 3 : 2] = (unit->ro ? 0x80 : 0) | 0x10;	/* WP, DPOFUA */
	if (descriptor) {
		d[ten ? 7 : 3] = 8;
		be_put(d + header, RTE_MIN(unit->nb_blocks, (uint64_t)UINT32_MAX), 4);
		be_put(d + header + 5, unit->blk_size, 3);
	}
	mode_pages_fill(page, pc == PC_CHANGEABLE, r);
	if (ten)
		be_put(d, r->data_len - 2, 2);
	else
		d[0] = r->data_len - 1;
	return VSTATE_SCSI_NO_SENSE;
}

/* ---- READ CAPACITY ---- */

void
vstate_scsi_capacity_10(const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	uint8_t *d = data_begin(r, 8);

	be_put(d, RTE_MIN(unit->nb_blocks - 1, (uint64_t)UINT32_MAX), 4);
	be_put(d + 4, unit->blk_size, 4);
}

void
vstate_scsi_capacity_16(const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r)
{
	uint8_t *d = data_begin(r, 32);

	be_put(d, unit->nb_blocks - 1, 8);
	be_put(d + 8, unit->blk_size, 4);
	d[13] = rte_bsf32(unit->phys_size / unit->blk_size);
	d[14] = unit->can_unmap ? 0x80 : 0;	/* LBPME */
}

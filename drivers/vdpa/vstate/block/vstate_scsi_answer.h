/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_ANSWER_H
#define VSTATE_SCSI_ANSWER_H

/**
 * @file
 * Data of SCSI commands that describe the device: INQUIRY, MODE SENSE, READ CAPACITY and REPORT
 * LUNS. Each function writes data and data_len of a result; the rest belongs to the caller.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

#include "vstate_scsi_cdb.h"

/** Return the number of @p bytes bytes, 1 to 8, that is at @p p, most significant byte first. */
static inline uint64_t
vstate_scsi_be(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;
	uint32_t v32;

	/* one load each for the fields of READ and WRITE */
	if (bytes == sizeof(v)) {
		memcpy(&v, p, sizeof(v));
		return rte_be_to_cpu_64(v);
	}
	if (bytes == sizeof(v32)) {
		memcpy(&v32, p, sizeof(v32));
		return rte_be_to_cpu_32(v32);
	}
	while (bytes-- > 0)
		v = v << 8 | *p++;
	return v;
}

/** @return false: a field of the CDB is wrong */
bool vstate_scsi_inquiry(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r);
/** @return false: a field of the CDB is wrong */
bool vstate_scsi_report_luns(const uint8_t *cdb, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r);
/** @param ten the command has 10 bytes, not 6. @return VSTATE_SCSI_NO_SENSE, or why not */
enum vstate_scsi_sense vstate_scsi_mode_sense(const uint8_t *cdb, bool ten,
		const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r);
void vstate_scsi_capacity_10(const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r);
void vstate_scsi_capacity_16(const struct vstate_scsi_unit *unit, struct vstate_scsi_result *r);

/**
 * Return the sense of the first one of these unit attentions, at least one.
 * @param reported  written: those that the driver gets with it
 */
enum vstate_scsi_sense vstate_scsi_attention(uint8_t attention, uint8_t *reported);

#endif /* VSTATE_SCSI_ANSWER_H */

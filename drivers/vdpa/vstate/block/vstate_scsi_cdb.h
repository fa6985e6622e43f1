/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_CDB_H
#define VSTATE_SCSI_CDB_H

/**
 * @file
 * SCSI commands (SPC-4, SBC-3): a command descriptor block (CDB) in, what is to be done out. No
 * ring, no store, no guest memory: the caller has copied the bytes.
 *
 * Any thread may call these functions at any time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_blk_store.h"

/** Bytes of a CDB that are read. No command that is served is longer. */
#define VSTATE_SCSI_CDB_BYTES 16
/** Bytes of the longest answer that is no content of a disk. */
#define VSTATE_SCSI_DATA_MAX 256
/** Bytes of the sense data that a command has: of fixed format. */
#define VSTATE_SCSI_SENSE_BYTES 18
/** Bytes of the parameter list of UNMAP with its one descriptor. */
#define VSTATE_SCSI_UNMAP_BYTES 24

/** Bytes of one READ or WRITE. */
#define VSTATE_SCSI_TRANSFER_MAX (32u << 20)
/** Bytes of one UNMAP. */
#define VSTATE_SCSI_RANGE_MAX (2048u << 20)
/** Bytes of one WRITE SAME. */
#define VSTATE_SCSI_SAME_MAX (64u << 20)

/* Unit attentions, as bits: the values of a state. */
#define VSTATE_SCSI_UA_POWER_ON 0x01
#define VSTATE_SCSI_UA_RESET 0x02
#define VSTATE_SCSI_UA_NEXUS 0x04
#define VSTATE_SCSI_UA_CAPACITY 0x08

/** Status of a command (SAM-5 "Status codes"). */
#define VSTATE_SCSI_GOOD 0x00
#define VSTATE_SCSI_CHECK_CONDITION 0x02
#define VSTATE_SCSI_BUSY 0x08

/** Sense key, additional sense code and its qualifier, as one number 0xkaaqq. */
enum vstate_scsi_sense {
	VSTATE_SCSI_NO_SENSE = 0,
	VSTATE_SCSI_WRITE_ERROR = 0x30c00,
	VSTATE_SCSI_READ_ERROR = 0x31100,
	VSTATE_SCSI_TARGET_FAILURE = 0x44400,
	VSTATE_SCSI_BAD_LIST_LENGTH = 0x51a00,
	VSTATE_SCSI_BAD_OPCODE = 0x52000,
	VSTATE_SCSI_BAD_LBA = 0x52100,
	VSTATE_SCSI_BAD_CDB = 0x52400,
	VSTATE_SCSI_BAD_UNIT = 0x52500,
	VSTATE_SCSI_BAD_LIST = 0x52600,
	VSTATE_SCSI_NOT_SAVED = 0x53900,
	VSTATE_SCSI_POWER_ON = 0x62900,
	VSTATE_SCSI_BUS_RESET = 0x62903,
	VSTATE_SCSI_NEXUS_LOSS = 0x62907,
	VSTATE_SCSI_CAPACITY_CHANGED = 0x62a09,
	VSTATE_SCSI_WRITE_PROTECTED = 0x72700,
	VSTATE_SCSI_NO_SPACE = 0x72707,
};

enum vstate_scsi_unit_kind {
	VSTATE_SCSI_UNIT_DISK,
	/** The target has no such unit. */
	VSTATE_SCSI_UNIT_NONE,
	/** The well-known unit REPORT LUNS. */
	VSTATE_SCSI_UNIT_WELL_KNOWN,
};

/** What a command may know of its logical unit and of the others. */
struct vstate_scsi_unit {
	enum vstate_scsi_unit_kind kind;
	/** Disk: its blocks, and the bytes of a logical and of a physical one. */
	uint64_t nb_blocks;
	uint32_t blk_size, phys_size;
	bool ro, can_unmap;
	/** Disk: its serial number, and unit attentions that are due, VSTATE_SCSI_UA_*. */
	const char *serial;
	uint8_t attention;
	/** Disks of the target: 0 to this number - 1. */
	uint8_t nb_units;
};

/** What is to be done. */
enum vstate_scsi_action {
	/** Status, sense and data are the answer. */
	VSTATE_SCSI_ANSWER,
	/** Do the operation. */
	VSTATE_SCSI_IO,
	/** Call vstate_scsi_unmap_parse() with the data that the driver sends. */
	VSTATE_SCSI_UNMAP,
	/** The driver sends one block. If it is not zero, it is written again and again. */
	VSTATE_SCSI_SAME,
};

struct vstate_scsi_result {
	enum vstate_scsi_action action;
	uint8_t status;
	/** With CHECK CONDITION. */
	enum vstate_scsi_sense sense;
	/** Unit attentions that the driver gets with this answer. */
	uint8_t reported;
	/** The driver receives (true) or sends @p xfer bytes, as its CDB says. */
	bool in;
	uint64_t xfer;
	/** The operation. */
	enum vstate_blk_op op;
	bool stable, unmap;
	uint64_t offset, len;
	/** Data for the driver, at most @p xfer bytes; it may have asked for more. */
	uint32_t data_len;
	uint8_t data[VSTATE_SCSI_DATA_MAX];
};

/**
 * Parse a CDB.
 * @param cdb  VSTATE_SCSI_CDB_BYTES bytes
 * @param len  bytes that the driver sent; those behind them are 0
 * @param r    written: data[] up to data_len, and all other fields
 */
void vstate_scsi_cdb_parse(const uint8_t *cdb, uint32_t len, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r);
/**
 * Parse the parameter list of an UNMAP.
 * @param list  VSTATE_SCSI_UNMAP_BYTES bytes; those behind @p r->xfer are 0
 * @param r     the result of its CDB; written: what is to be done
 */
void vstate_scsi_unmap_parse(const uint8_t *list, const struct vstate_scsi_unit *unit,
		struct vstate_scsi_result *r);
/** Write sense data of a command. @param sense VSTATE_SCSI_SENSE_BYTES bytes */
void vstate_scsi_sense_fill(enum vstate_scsi_sense code, uint8_t *sense);

#endif /* VSTATE_SCSI_CDB_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_REQUEST_H
#define VSTATE_BLK_REQUEST_H

/**
 * @file
 * One request of a disk (VIRTIO 1.4 "Block Device", "Device Operation"): checked, and made an
 * operation of the store. No thread, no ring, no store.
 *
 *	readable part: le32 type, le32 reserved, le64 sector; data of OUT, DISCARD, WRITE_ZEROES
 *	writable part: data of IN and GET_ID; status, one byte, the last one
 */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_request.h"
#include "vstate_blk_conf.h"
#include "vstate_blk_store.h"

/** Limits that the config space shows. */
#define VSTATE_BLK_SEG_MAX 126
#define VSTATE_BLK_SIZE_MAX (1u << 20)
/** Sectors of one DISCARD or WRITE_ZEROES, which have one range each. */
#define VSTATE_BLK_RANGE_MAX (1u << 22)

/** Most requests have no more pieces than these. */
#define VSTATE_BLK_FEW_PIECES 8

struct vstate_blk_protocol;

struct vstate_blk_counters {
	uint64_t reads, writes, flushes, discards, write_zeroes, get_ids;
	/** Payload bytes of reads and writes. */
	uint64_t read_bytes, write_bytes;
	/** Requests with status IOERR and UNSUPP. */
	uint64_t errors, unsupported;
	/** Requests without a status byte, which return without one. */
	uint64_t malformed;
	/** Requests that were in flight elsewhere or before a stop, and were submitted again. */
	uint64_t resubmitted;
};

/** What a request may do: from device arguments, store and negotiated features. */
struct vstate_blk_rules {
	const struct vstate_blk_store *store;
	const char *serial;
	bool flush, discard, write_zeroes;
	/** Writes are complete when they are stable: the write cache is off. */
	bool write_through;
};

struct vstate_blk_req {
	struct vstate_blk_io io;
	/** Next of a list. */
	struct vstate_blk_req *next;
	/** Of a disk: the status byte in guest memory; NULL: there is none. */
	uint8_t *status;
	/** Of a disk: piece that was shortened by the status byte, or NULL. */
	struct iovec *shortened;
	uint32_t group;
	/** Store that the operation is for. */
	uint8_t unit;
	/** The status of a disk's request whose operation succeeds, or that has none. */
	uint8_t result;
	/** The class has the request: the store has it, or it waits as a flush. */
	bool out;
	/** The driver gave it up: it is not submitted again, and ends when the store returns it. */
	bool aborted;
	/** As it was popped; pieces is few or many. */
	struct vstate_request ring;
	struct iovec few[VSTATE_BLK_FEW_PIECES];
	/** Room for VSTATE_BLK_PIECES. */
	struct iovec *many;
};

/**
 * Check a request that was popped, and fill its operation.
 * @return true: the operation is for the store; false: the request is done already and @p result
 *   is its status
 */
bool vstate_blk_request_parse(struct vstate_blk_req *req, const struct vstate_blk_rules *rules,
		struct vstate_blk_counters *counters, uint8_t *result);
/**
 * Write the status of a request.
 * @return bytes of its writable part that are written
 */
uint32_t vstate_blk_request_finish(struct vstate_blk_req *req, uint8_t status);
/** Status of a request whose operation has this result. */
uint8_t vstate_blk_request_status(int res);
/** Of the class of disks. */
extern const struct vstate_blk_protocol vstate_blk_request_protocol;
/** Name of an operation, for the log. */
const char *vstate_blk_request_name(enum vstate_blk_op op);

#endif /* VSTATE_BLK_REQUEST_H */

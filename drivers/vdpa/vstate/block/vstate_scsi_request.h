/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_REQUEST_H
#define VSTATE_SCSI_REQUEST_H

/**
 * @file
 * One request of a SCSI host (VIRTIO 1.4 "Device Operation: Request Queues"): its header is read
 * once and checked, its command becomes an operation of a store or an answer.
 *
 *	readable part: u8 lun[8], le64 tag, u8 task_attr, u8 prio, u8 crn, u8 cdb[cdb_size];
 *	               data of WRITE, UNMAP, WRITE SAME
 *	writable part: le32 sense_len, le32 residual, le16 status_qualifier, u8 status, u8 response,
 *	               u8 sense[sense_size]; data of READ, INQUIRY and so on
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_blk_request.h"
#include "vstate_scsi_cdb.h"
#include "vstate_scsi_pieces.h"

struct vstate_scsi_req {
	/** First member. */
	struct vstate_blk_req blk;
	/** What the driver calls the command. */
	uint64_t tag;
	/** A disk, or one of enum vstate_scsi_lun. */
	int8_t lun;
	/** The answer: response, status and sense. */
	uint8_t response, status;
	enum vstate_scsi_sense sense;
	/** Unit attentions that the answer reports. */
	uint8_t reported;
	/** Bytes of sense data in the response, and of the response with it. */
	uint32_t sense_size, resp_size;
	/** Bytes that the driver offers, and those of them that are transferred on success. */
	uint64_t buffer, transferred;
	/** The data goes to the driver. */
	bool in;
	/** There is no room for a response. */
	bool mute;
	struct vstate_scsi_window window;
	/** WRITE SAME of a pattern: a copy of it, many times; or NULL. */
	uint8_t *pattern;
};

extern const struct vstate_blk_protocol vstate_scsi_request_protocol;

#endif /* VSTATE_SCSI_REQUEST_H */

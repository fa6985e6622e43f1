/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_SCSI_H
#define UT_SCSI_H

/**
 * @file
 * A SCSI host for a test, and a driver of its first queue of requests and of its control queue,
 * without a vdev and a front end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "block/vstate_scsi.h"
#include "block/vstate_scsi_vq.h"
#include "dev/vstate_setup.h"
#include "ut_ring.h"

#define SCSI_RING 32
/** Bytes of each logical unit. */
#define SCSI_SIZE (1u << 20)
/** Guest memory of request i: header, response, data. */
#define SCSI_SLOT 8192
#define SCSI_HDR(i) (RING_BUF_GPA + (i) * SCSI_SLOT)
#define SCSI_RESP(i) (SCSI_HDR(i) + 512)
#define SCSI_DATA(i) (SCSI_HDR(i) + 1024)
#define SCSI_DATA_MAX (SCSI_SLOT - 1024)
/** A response that no device writes. */
#define SCSI_NO_RESPONSE 0xee
/** What scsi_do() returns: response, then status. */
#define SCSI_RESULT(response, status) ((response) << 8 | (status))
#define SCSI_OK SCSI_RESULT(0, 0)
#define SCSI_CHECK SCSI_RESULT(0, 2)

/** The control queue: a split ring with 8 entries in the last slots. */
#define SCSI_CTRL_SIZE 8
#define SCSI_CTRL_GPA SCSI_HDR(28)

struct scsi {
	struct ring ring;
	struct vstate_dev *dev;
	struct vstate_scsi *host;
	struct vstate_scsi_vq *q;
	struct vstate_vq *vq;
	struct vstate_setup setup;
	bool packed;
	/** Control requests that were made available, and that returned. */
	uint16_t ctrl_avail, ctrl_used;
};

/** Arguments of a host with @p luns logical units in memory. */
struct vstate_conf scsi_conf(uint16_t luns);
/** Make a device, connect it to a new ring, and start it. */
void scsi_open(struct scsi *s, const char *name, const struct vstate_conf *conf, bool packed);
void scsi_close(struct scsi *s);
/** The same with a ring that exists: of another process or host. */
void scsi_device_open(struct scsi *s, const char *name, const struct vstate_conf *conf);
void scsi_device_close(struct scsi *s);
/** Apply the set-up of the front end, with this base of the queue of requests. */
void scsi_start(struct scsi *s, struct vstate_pos base);

/** Write the header of request @p i for a logical unit, and no response. Its tag is 100 + i. */
void scsi_header(struct scsi *s, unsigned int i, unsigned int lun, const uint8_t *cdb);
/**
 * Make request @p i available, with a CDB of 16 bytes.
 * @param in the data is for the driver, else from it
 * @return its ID
 */
uint16_t scsi_add(struct scsi *s, unsigned int i, unsigned int lun, const uint8_t *cdb,
		uint32_t len, bool in);
/** Poll until @p n requests have returned. @return bytes of the last one */
uint32_t scsi_complete(struct scsi *s, unsigned int n);
/** Response and status of request @p i. */
uint16_t scsi_result(const struct scsi *s, unsigned int i);
/** Sense of request @p i, as enum vstate_scsi_sense, and its residual count. */
uint32_t scsi_sense(const struct scsi *s, unsigned int i);
uint32_t scsi_residual(const struct scsi *s, unsigned int i);
/** Do request 0 alone. @return SCSI_RESULT() */
uint16_t scsi_do(struct scsi *s, unsigned int lun, const uint8_t *cdb, uint32_t len, bool in);
/** Get all unit attentions of a logical unit. */
void scsi_ready(struct scsi *s, unsigned int lun);

/** Write a CDB of READ(10) or WRITE(10) to @p cdb. */
void scsi_transfer_cdb(uint8_t *cdb, bool write, uint32_t lba, uint16_t nb);
/** Fill the data of request @p i with a pattern, or fail if it has another one. */
void scsi_data_fill(struct scsi *s, unsigned int i, uint32_t len, uint8_t seed);
void scsi_data_check(const struct scsi *s, unsigned int i, uint32_t len, uint8_t seed);

/** Make a request of the control queue available: @p len bytes, and an answer of @p room bytes. */
void scsi_ctrl_add(struct scsi *s, const void *req, uint32_t len, uint32_t room);
/** Return the next answer of the control queue, or NULL. @param len written: bytes, by the ring */
const uint8_t *scsi_ctrl_get(struct scsi *s, uint32_t *len);
/** Make a task management function available. */
void scsi_tmf_add(struct scsi *s, uint32_t subtype, unsigned int lun, uint64_t tag);
/** Poll until the function is answered. @return its response */
uint8_t scsi_tmf(struct scsi *s, uint32_t subtype, unsigned int lun, uint64_t tag);

#endif /* UT_SCSI_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_scsi.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include <vstate_compat.h>

#include "vstate_scsi_request.h"
#include "vstate_scsi_unit.h"
#include "vstate_scsi_vq.h"

/* Bytes before the CDB, and before the sense data. */
#define REQ_HDR offsetof(struct virtio_scsi_cmd_req, cdb)
#define RESP_HDR offsetof(struct virtio_scsi_cmd_resp, sense)

/* A pattern of WRITE SAME is written from a copy of this size, many times. */
#define PATTERN_BYTES 65536

/* ---- logical units ---- */

static void
unit_fill(const struct vstate_scsi *scsi, int lun, struct vstate_scsi_unit *unit)
{
	if (likely(lun >= 0)) {
		vstate_scsi_unit_fill(scsi, lun, unit);
		return;
	}
	memset(unit, 0, sizeof(*unit));
	unit->kind = lun == VSTATE_SCSI_LUN_WELL_KNOWN ? VSTATE_SCSI_UNIT_WELL_KNOWN :
		VSTATE_SCSI_UNIT_NONE;
	unit->nb_units = scsi->serve.nb_stores;
}

/* ---- data ---- */

/* The first piece of what the driver sends, or of what it receives. */
static struct iovec *
part_of(struct vstate_scsi_req *req, bool in)
{
	return req->blk.ring.pieces + (in ? req->blk.ring.nb_readable : 0);
}

/* The data of a READ or WRITE. @return false: it has too many pieces */
static bool
data_open(struct vstate_scsi_req *req, uint64_t offset)
{
	struct vstate_blk_io *io = &req->blk.io;

	io->nb_iov = vstate_scsi_window_open(&req->window, part_of(req, req->in), offset, io->len);
	io->iov = req->window.first;
	return io->nb_iov <= VSTATE_BLK_MAX_IOV;
}

static bool
is_zero(const uint8_t *p, uint32_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/*
 * WRITE SAME of a block that is not zero: pieces of one copy, because the driver may change its
 * own. @return false: no memory
 */
static bool
pattern_open(struct vstate_scsi_req *req, const uint8_t *block, uint32_t blk_size)
{
	struct vstate_blk_io *io = &req->blk.io;
	struct iovec *iov;
	uint64_t left;
	uint32_t at;

	RTE_BUILD_BUG_ON(VSTATE_SCSI_SAME_MAX / PATTERN_BYTES > VSTATE_BLK_MAX_IOV);
	/* aligned for O_DIRECT */
	req->pattern = aligned_alloc(4096, RTE_ALIGN(PATTERN_BYTES +
			VSTATE_BLK_MAX_IOV * sizeof(*iov), 4096));
	if (req->pattern == NULL)
		return false;
	for (at = 0; at < PATTERN_BYTES; at += blk_size)
		memcpy(req->pattern + at, block, blk_size);
	iov = (struct iovec *)(void *)(req->pattern + PATTERN_BYTES);
	io->iov = iov;
	io->nb_iov = 0;
	for (left = io->len; left > 0; left -= iov++->iov_len, io->nb_iov++)
		*iov = (struct iovec){ .iov_base = req->pattern,
			.iov_len = RTE_MIN(left, (uint64_t)PATTERN_BYTES) };
	io->op = VSTATE_BLK_WRITE;
	return true;
}

/* ---- answers ---- */

static void
answer_set(struct vstate_scsi_req *req, const struct vstate_scsi_result *r)
{
	req->status = r->status;
	req->sense = r->sense;
	req->transferred = 0;
	if (r->data_len == 0)
		return;
	vstate_scsi_pieces_write(part_of(req, true), req->resp_size, r->data, r->data_len);
	req->transferred = r->data_len;
}

static void
sense_set(struct vstate_scsi_req *req, enum vstate_scsi_sense sense)
{
	req->status = VSTATE_SCSI_CHECK_CONDITION;
	req->sense = sense;
	req->transferred = 0;
}

/* @return true: for the store */
static bool
io_begin(struct vstate_scsi_req *req, const struct vstate_scsi_result *r, uint64_t offset)
{
	struct vstate_blk_io *io = &req->blk.io;

	io->op = r->op;
	io->stable = r->stable;
	io->unmap = r->unmap;
	io->offset = r->offset;
	io->len = r->len;
	io->nb_iov = 0;
	req->transferred = r->xfer;
	if (io->op > VSTATE_BLK_WRITE || data_open(req, offset))
		return true;
	sense_set(req, VSTATE_SCSI_TARGET_FAILURE);
	return false;
}

/* @return true: for the store */
static bool
same_begin(struct vstate_scsi_req *req, const struct vstate_scsi_result *r,
		const struct vstate_scsi_unit *unit, uint64_t offset)
{
	uint8_t block[4096];

	vstate_scsi_pieces_read(part_of(req, false), offset, block, unit->blk_size);
	io_begin(req, r, offset);
	if (is_zero(block, unit->blk_size))
		return true;
	if (pattern_open(req, block, unit->blk_size))
		return true;
	req->status = VSTATE_SCSI_BUSY;
	req->transferred = 0;
	return false;
}

static void
command_count(struct vstate_scsi_vq *q, const struct vstate_scsi_result *r)
{
	struct vstate_blk_counters *c = &q->blk.counters;

	if (r->action == VSTATE_SCSI_ANSWER) {
		q->counters.others++;
		return;
	}
	switch (r->op) {
	case VSTATE_BLK_READ:
		c->reads++;
		c->read_bytes += r->len;
		break;
	case VSTATE_BLK_WRITE:
		c->writes++;
		c->write_bytes += r->len;
		break;
	case VSTATE_BLK_FLUSH:
		c->flushes++;
		break;
	case VSTATE_BLK_DISCARD:
		c->discards++;
		break;
	case VSTATE_BLK_WRITE_ZEROES:
		c->write_zeroes++;
		break;
	}
}

/* A parsed command with its data. @return true: for the store */
static bool
command_begin(struct vstate_scsi_vq *q, struct vstate_scsi_req *req, struct vstate_scsi_result *r,
		const struct vstate_scsi_unit *unit, uint32_t hdr_size)
{
	uint8_t list[VSTATE_SCSI_UNMAP_BYTES] = { 0 };

	/* VIRTIO_SCSI_S_OVERRUN: the CDB needs more data than the driver offers */
	if (unlikely(r->xfer != 0 && (r->in != req->in || r->xfer > req->buffer)) &&
			r->status == VSTATE_SCSI_GOOD) {
		req->response = VIRTIO_SCSI_S_OVERRUN;
		q->counters.overruns++;
		return false;
	}
	if (r->action == VSTATE_SCSI_UNMAP) {
		vstate_scsi_pieces_read(part_of(req, false), hdr_size, list,
				RTE_MIN(r->xfer, sizeof(list)));
		vstate_scsi_unmap_parse(list, unit, r);
	}
	command_count(q, r);
	req->reported = r->reported;
	switch (r->action) {
	case VSTATE_SCSI_IO:
		return io_begin(req, r, req->in ? req->resp_size : hdr_size);
	case VSTATE_SCSI_SAME:
		return same_begin(req, r, unit, hdr_size);
	default:
		answer_set(req, r);
		return false;
	}
}

/* ---- the protocol ---- */

/* @return false: the request is returned with this response, or without one */
static bool
sizes_check(struct vstate_scsi_vq *q, struct vstate_scsi_req *req, uint32_t hdr_size)
{
	const struct vstate_request *ring = &req->blk.ring;
	uint64_t out;

	req->mute = ring->writable_bytes < req->resp_size;
	if (unlikely(req->mute)) {
		q->blk.counters.malformed++;
		return false;
	}
	req->response = VIRTIO_SCSI_S_FAILURE;
	if (unlikely(ring->readable_bytes < hdr_size))
		return false;
	req->buffer = ring->writable_bytes - req->resp_size;
	out = ring->readable_bytes - hdr_size;
	req->in = out == 0;
	/* data in both directions needs VIRTIO_SCSI_F_INOUT */
	if (unlikely(out != 0 && req->buffer != 0))
		return false;
	req->buffer += out;
	req->response = VIRTIO_SCSI_S_OK;
	return true;
}

static bool
req_parse(struct vstate_blk_vq *blk_q, struct vstate_blk_req *blk_req)
{
	struct vstate_scsi_vq *q = vstate_scsi_vq_of(&blk_q->vq);
	struct vstate_scsi_req *req = (struct vstate_scsi_req *)blk_req;
	const uint32_t cdb_size = rte_atomic_load_explicit(&q->scsi->cdb_size,
			rte_memory_order_relaxed);
	const uint32_t hdr_size = REQ_HDR + cdb_size;
	uint8_t hdr[REQ_HDR + VSTATE_SCSI_CDB_BYTES];
	struct vstate_scsi_result r;
	struct vstate_scsi_unit unit;
	uint64_t tag;

	req->sense_size = rte_atomic_load_explicit(&q->scsi->sense_size, rte_memory_order_relaxed);
	req->resp_size = RESP_HDR + req->sense_size;
	req->status = VSTATE_SCSI_GOOD;
	req->sense = VSTATE_SCSI_NO_SENSE;
	req->reported = 0;
	req->buffer = req->transferred = 0;
	req->window.first = NULL;
	req->pattern = NULL;
	if (unlikely(!sizes_check(q, req, hdr_size)))
		return false;
	if (likely(hdr_size >= sizeof(hdr) && blk_req->ring.pieces->iov_len >= sizeof(hdr))) {
		memcpy(hdr, blk_req->ring.pieces->iov_base, sizeof(hdr));
	} else {
		memset(hdr, 0, sizeof(hdr));
		vstate_scsi_pieces_read(blk_req->ring.pieces, 0, hdr,
				RTE_MIN(hdr_size, sizeof(hdr)));
	}
	req->lun = vstate_scsi_lun_parse(hdr, q->scsi->serve.nb_stores);
	memcpy(&tag, hdr + offsetof(struct virtio_scsi_cmd_req, tag), sizeof(tag));
	req->tag = rte_le_to_cpu_64(tag);
	if (unlikely(req->lun == VSTATE_SCSI_LUN_BAD_TARGET)) {
		req->response = VIRTIO_SCSI_S_BAD_TARGET;
		q->counters.bad_targets++;
		return false;
	}
	blk_req->unit = req->lun >= 0 ? req->lun : 0;
	unit_fill(q->scsi, req->lun, &unit);
	vstate_scsi_cdb_parse(hdr + REQ_HDR, cdb_size, &unit, &r);
	return command_begin(q, req, &r, &unit, hdr_size);
}

/* What the result of an operation is to a driver. */
static void
result_set(struct vstate_scsi_req *req, int res)
{
	if (res == 0)
		return;
	if (res == -ENOMEM) {
		req->status = VSTATE_SCSI_BUSY;
		req->transferred = 0;
	} else if (res == -ENOSPC || res == -EDQUOT) {
		sense_set(req, VSTATE_SCSI_NO_SPACE);
	} else {
		sense_set(req, req->blk.io.op == VSTATE_BLK_READ ? VSTATE_SCSI_READ_ERROR :
			VSTATE_SCSI_WRITE_ERROR);
	}
}

/* Only if the status is that of parse(): another status does not report unit attentions. */
static void
attentions_report(struct vstate_scsi_vq *q, const struct vstate_scsi_req *req)
{
	vstate_scsi_attention_claim(q->scsi, req->lun, req->reported, &q->reports[req->lun]);
	q->has_reports = true;
	q->counters.attentions++;
}

static void
failure_count(struct vstate_scsi_vq *q, const struct vstate_scsi_req *req)
{
	if (req->status == VSTATE_SCSI_CHECK_CONDITION && req->sense == VSTATE_SCSI_BAD_OPCODE)
		q->blk.counters.unsupported++;
	else if (req->response != VIRTIO_SCSI_S_OK || req->status != VSTATE_SCSI_GOOD)
		q->blk.counters.errors++;
}

/** struct virtio_scsi_cmd_resp, with the sense data that a command has. */
struct response {
	uint32_t sense_len, resid;
	uint16_t qualifier;
	uint8_t status, response;
	uint8_t sense[VSTATE_SCSI_SENSE_BYTES];
};

static void
response_write(struct vstate_scsi_req *req)
{
	struct response r;
	struct iovec *iov = part_of(req, true);
	uint32_t sense_len = 0;

	RTE_BUILD_BUG_ON(offsetof(struct response, sense) != RESP_HDR);
	if (unlikely(req->status == VSTATE_SCSI_CHECK_CONDITION)) {
		vstate_scsi_sense_fill(req->sense, r.sense);
		sense_len = RTE_MIN(req->sense_size, (uint32_t)VSTATE_SCSI_SENSE_BYTES);
	}
	r.sense_len = rte_cpu_to_le_32(sense_len);
	r.resid = rte_cpu_to_le_32(RTE_MIN(req->buffer - req->transferred, (uint64_t)UINT32_MAX));
	r.qualifier = 0;
	r.status = req->status;
	r.response = req->response;
	if (likely(sense_len == 0 && iov->iov_len >= RESP_HDR))
		memcpy(iov->iov_base, &r, RESP_HDR);
	else
		vstate_scsi_pieces_write(iov, 0, &r, RESP_HDR + sense_len);
}

static uint32_t
req_finish(struct vstate_blk_vq *blk_q, struct vstate_blk_req *blk_req, int res)
{
	struct vstate_scsi_vq *q = vstate_scsi_vq_of(&blk_q->vq);
	struct vstate_scsi_req *req = (struct vstate_scsi_req *)blk_req;
	uint64_t written;

	/* what a failed READ wrote is in the dirty log, too */
	written = req->window.first != NULL && req->in ? blk_req->io.len : 0;
	vstate_scsi_window_close(&req->window);
	free(req->pattern);
	req->pattern = NULL;
	if (unlikely(req->mute))
		return 0;
	result_set(req, res);
	if (unlikely(blk_req->aborted)) {
		req->response = q->scsi->ctrl.response;
		req->status = VSTATE_SCSI_GOOD;
		req->transferred = 0;
		q->nb_ended++;
		q->counters.aborted++;
	}
	if (unlikely(req->reported != 0 && res == 0))
		attentions_report(q, req);
	failure_count(q, req);
	response_write(req);
	written = req->resp_size + (req->in ? RTE_MAX(written, req->transferred) : 0);
	return RTE_MIN(written, UINT32_MAX);
}

static void
req_drop(struct vstate_blk_req *blk_req)
{
	struct vstate_scsi_req *req = (struct vstate_scsi_req *)blk_req;

	free(req->pattern);
	req->pattern = NULL;
}

/*
 * Unit attentions end when the driver can see them. A process that is killed before reports them
 * again, which does no harm.
 */
static void
reports_end(struct vstate_scsi_vq *q)
{
	unsigned int lun;

	for (lun = 0; lun < RTE_DIM(q->reports); lun++)
		vstate_scsi_attention_end(q->scsi, lun, &q->reports[lun]);
	q->has_reports = false;
}

/* Aborted commands are with the driver: the function that aborted them may be answered. */
static void
req_published(struct vstate_blk_vq *blk_q)
{
	struct vstate_scsi_vq *q = vstate_scsi_vq_of(&blk_q->vq);

	if (unlikely(q->has_reports))
		reports_end(q);
	if (likely(q->nb_ended == 0))
		return;
	vstate_scsi_ctrl_ended(&q->scsi->ctrl, q->nb_ended);
	q->nb_ended = 0;
}

const struct vstate_blk_protocol vstate_scsi_request_protocol = {
	.req_size = sizeof(struct vstate_scsi_req),
	.parse = req_parse,
	.finish = req_finish,
	.drop = req_drop,
	.published = req_published,
};

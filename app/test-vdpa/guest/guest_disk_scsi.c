/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Commands of a virtio-scsi driver: logical unit 0 of target 0. */

#include <stdio.h>

#include <linux/virtio_scsi.h>

#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "guest_disk_core.h"
#include "guest_disk_scsi_ctrl.h"

#define SECTORS (DISK_BLOCK / 512)
/* Task attributes SIMPLE, ORDERED, HEAD OF QUEUE: a device may treat all of them as SIMPLE. */
#define ATTRIBUTES 3

/* Operation codes with 10 bytes; those with 16 bytes. */
#define READ_10 0x28
#define WRITE_10 0x2a
#define SYNCHRONIZE_CACHE_10 0x35
#define READ_16 0x88
#define WRITE_16 0x8a
#define SYNCHRONIZE_CACHE_16 0x91
#define WRITE_SAME_16 0x93
/* Byte 1 of WRITE SAME: without a block of data, which then is zeros. */
#define NO_DATA 0x01

#define GOOD 0
#define CHECK_CONDITION 2
#define UNIT_ATTENTION 6

static void
be_put(uint8_t *p, uint64_t value, unsigned int bytes)
{
	while (bytes-- > 0) {
		p[bytes] = value;
		value >>= 8;
	}
}

/* @param sectors  0: a flush, of all blocks */
static void
cdb_fill(uint8_t *cdb, enum disk_op op, bool is_long, uint64_t sector, uint32_t sectors)
{
	static const uint8_t codes[][2] = {
		[DISK_READ] = { READ_10, READ_16 },
		[DISK_WRITE] = { WRITE_10, WRITE_16 },
		[DISK_FLUSH] = { SYNCHRONIZE_CACHE_10, SYNCHRONIZE_CACHE_16 },
		[DISK_ZERO] = { WRITE_SAME_16, WRITE_SAME_16 },
	};

	cdb[0] = codes[op][is_long];
	if (op == DISK_ZERO)
		cdb[1] = NO_DATA;
	if (is_long) {
		be_put(cdb + 2, sector, 8);
		be_put(cdb + 10, sectors, 4);
	} else {
		be_put(cdb + 2, sector, 4);
		be_put(cdb + 7, sectors, 2);
	}
}

static void
hdr_fill(struct disk_queue *dq, const struct disk_slot *s, uint64_t number, void *hdr)
{
	struct virtio_scsi_cmd_req *h = hdr;

	h->lun[0] = 1;
	h->lun[2] = 0x40;
	h->tag = s - dq->slots;
	h->task_attr = guest_rnd(&dq->rnd, ATTRIBUTES);
	cdb_fill(h->cdb, s->op, s->op == DISK_ZERO || guest_rnd(&dq->rnd, 2), number * SECTORS,
			s->op == DISK_FLUSH ? 0 : SECTORS);
}

static enum disk_verdict
resp_judge(const void *resp, char *why, size_t size)
{
	const struct virtio_scsi_cmd_resp *r = resp;
	const bool checked = r->response == VIRTIO_SCSI_S_OK && r->status == CHECK_CONDITION &&
		r->sense_len >= 14;

	if (r->response == VIRTIO_SCSI_S_OK && r->status == GOOD && r->resid == 0)
		return DISK_DONE;
	/* the driver's own resets */
	if (r->response == VIRTIO_SCSI_S_RESET)
		return DISK_AGAIN;
	if (checked && (r->sense[2] & 0xf) == UNIT_ATTENTION)
		return DISK_AGAIN;
	snprintf(why, size, "response %u, status %u, residual %u, sense %x/%02x/%02x", r->response,
			r->status, r->resid, checked ? r->sense[2] & 0xf : 0,
			checked ? r->sense[12] : 0, checked ? r->sense[13] : 0);
	return DISK_FAILED;
}

const struct disk_codec disk_codec_scsi = {
	.name = "scsi",
	.features = 1ull << VIRTIO_SCSI_F_CHANGE,
	/* control queue, event queue */
	.first_vq = 2,
	.file_arg = "lun0",
	.hdr_len = sizeof(struct virtio_scsi_cmd_req),
	.resp_len = sizeof(struct virtio_scsi_cmd_resp),
	.resp_first = true,
	.hdr_fill = hdr_fill,
	.resp_judge = resp_judge,
	.own_reserve = disk_scsi_ctrl_reserve,
	.own_fill = disk_scsi_ctrl_fill,
	.own_drain = disk_scsi_ctrl_drain,
	.own_check = disk_scsi_ctrl_check,
};

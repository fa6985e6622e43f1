/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Requests of a virtio-blk driver. */

#include <stdio.h>

#include <linux/virtio_blk.h>

#include "guest_disk.h"
#include "guest_disk_codec.h"
#include "guest_disk_core.h"
#include "vhost_user_fe.h"

static void
hdr_fill(struct disk_queue *dq, const struct disk_slot *s, uint64_t number, void *hdr)
{
	static const uint32_t types[] = {
		[DISK_READ] = VIRTIO_BLK_T_IN,
		[DISK_WRITE] = VIRTIO_BLK_T_OUT,
		[DISK_FLUSH] = VIRTIO_BLK_T_FLUSH,
		[DISK_ZERO] = VIRTIO_BLK_T_WRITE_ZEROES,
	};
	struct virtio_blk_outhdr *h = hdr;

	(void)dq;
	h->type = types[s->op];
	if (s->op == DISK_READ || s->op == DISK_WRITE)
		h->sector = number * (DISK_BLOCK / 512);
}

static void
zero_fill(uint64_t number, void *data)
{
	struct virtio_blk_discard_write_zeroes *range = data;

	range->sector = number * (DISK_BLOCK / 512);
	range->num_sectors = DISK_BLOCK / 512;
}

static enum disk_verdict
resp_judge(const void *resp, char *why, size_t size)
{
	const uint8_t *status = resp;

	if (*status == VIRTIO_BLK_S_OK)
		return DISK_DONE;
	snprintf(why, size, "status %u", *status);
	return DISK_FAILED;
}

const struct disk_codec disk_codec_blk = {
	.name = "blk",
	.features = 1ull << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_BLK_F_BLK_SIZE |
		1ull << VIRTIO_BLK_F_SEG_MAX,
	.mq_features = 1ull << VIRTIO_BLK_F_MQ,
	.zero_feature = 1ull << VIRTIO_BLK_F_WRITE_ZEROES,
	.zero_len = sizeof(struct virtio_blk_discard_write_zeroes),
	.zero_fill = zero_fill,
	.protocol = 1ull << VU_PF_STATUS,
	.carries_region = true,
	.file_arg = "path",
	.hdr_len = sizeof(struct virtio_blk_outhdr),
	.resp_len = 1,
	.hdr_fill = hdr_fill,
	.resp_judge = resp_judge,
};

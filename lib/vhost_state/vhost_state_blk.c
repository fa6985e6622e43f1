/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "vhost_state_blk.h"
#include "vhost_state_bytes.h"
#include "vhost_state_reason.h"

#define FAULT(e, reason, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, -1, -1, expected, found)

/* ---- part ---- */

/*
 * BLK:
 *   0  le64 capacity
 *   8  le32 blk_size
 *  12  u8   read_only
 *  13  u8   write_cache
 *  14  u8   reserved[2]   0
 */
#define BLK_TYPE 0xf010
#define BLK_SIZE 16

#define SECTOR 512
#define BLOCK_MAX 65536

static void
encode_blk(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	const struct rte_vhost_state_blk *blk = &st->blk;
	uint8_t b[BLK_SIZE] = { 0 };

	vhost_state_put_le(b, blk->capacity, 8);
	vhost_state_put_le(b + 8, blk->blk_size, 4);
	b[12] = blk->read_only;
	b[13] = blk->write_cache;
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_blk(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	struct rte_vhost_state_blk *blk = &st->blk;

	blk->capacity = vhost_state_get_le64(v->p);
	blk->blk_size = vhost_state_get_le32(v->p + 8);
	blk->read_only = v->p[12];
	blk->write_cache = v->p[13];
	return vhost_state_part_check_zero(v, 14, 16, e);
}

/* ---- checks ---- */

int
vhost_state_blk_check(const struct rte_vhost_state_blk *blk, struct rte_vhost_state_error *e)
{
	uint64_t extra;

	if (blk->blk_size < SECTOR)
		return FAULT(e, BLK_BLOCK_SIZE, SECTOR, blk->blk_size);
	if (blk->blk_size > BLOCK_MAX)
		return FAULT(e, BLK_BLOCK_SIZE, BLOCK_MAX, blk->blk_size);
	if (!rte_is_power_of_2(blk->blk_size))
		return FAULT(e, BLK_BLOCK_SIZE, rte_align32pow2(blk->blk_size), blk->blk_size);
	if (blk->capacity == 0)
		return FAULT(e, BLK_CAPACITY, 1, 0);
	if (blk->capacity > INT64_MAX / SECTOR)
		return FAULT(e, BLK_CAPACITY, INT64_MAX / SECTOR, blk->capacity);
	extra = blk->capacity % (blk->blk_size / SECTOR);
	if (extra != 0)
		return FAULT(e, BLK_CAPACITY, blk->capacity - extra, blk->capacity);
	if (blk->read_only > 1)
		return FAULT(e, BLK_FLAGS, 1, blk->read_only);
	if (blk->write_cache > 1)
		return FAULT(e, BLK_FLAGS, 1, blk->write_cache);
	return 0;
}

static int
check_blk(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	return vhost_state_blk_check(&st->blk, e);
}

static const enum rte_vhost_state_reason blk_reasons[] = {
	RTE_VHOST_STATE_R_BLK_BLOCK_SIZE,
	RTE_VHOST_STATE_R_BLK_CAPACITY,
	RTE_VHOST_STATE_R_BLK_FLAGS,
	RTE_VHOST_STATE_R_NONE,
};

/* A larger disk is a disk that has grown. Requests were checked against the smaller one. */
int
vhost_state_blk_check_fit(const struct rte_vhost_state_blk *blk, uint64_t capacity,
		uint32_t blk_size, bool read_only, struct rte_vhost_state_error *e)
{
	if (blk->capacity > capacity)
		return FAULT(e, FIT_BLK_CAPACITY, capacity, blk->capacity);
	if (blk->blk_size != blk_size)
		return FAULT(e, FIT_BLK_BLOCK_SIZE, blk_size, blk->blk_size);
	if ((blk->read_only != 0) != read_only)
		return FAULT(e, FIT_BLK_READ_ONLY, read_only, blk->read_only);
	return 0;
}

static int
check_blk_fit(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	if (lim->blk_size == 0)
		return 0;
	return vhost_state_blk_check_fit(&st->blk, lim->blk_capacity, lim->blk_size,
			lim->blk_read_only, e);
}

/* Padding has no defined value, so the fields are compared one by one. */
bool
vhost_state_blk_equal(const struct rte_vhost_state_blk *a, const struct rte_vhost_state_blk *b)
{
	return a->capacity == b->capacity && a->blk_size == b->blk_size &&
			a->read_only == b->read_only && a->write_cache == b->write_cache;
}

static bool
blk_equal(const struct rte_vhost_state *a, const struct rte_vhost_state *b)
{
	return vhost_state_blk_equal(&a->blk, &b->blk);
}

/* ---- text ---- */

static void
dump_blk(const struct rte_vhost_state *st, FILE *f)
{
	const struct rte_vhost_state_blk *blk = &st->blk;

	fprintf(f, "  capacity         %" PRIu64 " sectors\n", blk->capacity);
	fprintf(f, "  block size       %" PRIu32 "\n", blk->blk_size);
	fprintf(f, "  read-only        %u\n", blk->read_only);
	fprintf(f, "  write cache      %u\n", blk->write_cache);
}

void
vhost_state_blk_dump_json(const struct rte_vhost_state_blk *blk, FILE *f)
{
	fprintf(f, "\"capacity\": %" PRIu64 ", \"blk_size\": %" PRIu32 ", ", blk->capacity,
			blk->blk_size);
	fprintf(f, "\"read_only\": %u, \"write_cache\": %u", blk->read_only,
			blk->write_cache);
}

static void
dump_blk_json(const struct rte_vhost_state *st, FILE *f)
{
	vhost_state_blk_dump_json(&st->blk, f);
}

const struct vhost_state_class vhost_state_blk = {
	.device_id = RTE_VHOST_STATE_ID_BLK,
	.name = "blk",
	.min_vqs = 1,
	.max_vqs = RTE_VHOST_STATE_MAX_VQ,
	.parts = {
		{
			.type = BLK_TYPE, .mandatory = true,
			.unit = BLK_SIZE, .max_units = 1,
			.encode = encode_blk, .decode = decode_blk,
			.reasons = blk_reasons,
		},
	},
	.check = check_blk,
	.check_fit = check_blk_fit,
	.equal = blk_equal,
	.dump = dump_blk,
	.dump_json = dump_blk_json,
};

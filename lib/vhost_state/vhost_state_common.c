/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vhost_state_bytes.h"
#include "vhost_state_common.h"
#include "vhost_state_format.h"
#include "vhost_state_reason.h"

/*
 * Each part: its table of bytes, then how its value is encoded and decoded. Values are checked
 * later, by vhost_state_check(), for decoded and captured states alike.
 */

enum part_type {
	P_DEV_FEATURES = 0x0100,
	P_DRV_FEATURES = 0x0101,
	P_DEVICE_STATUS = 0x0103,
	P_VQ_CFG = 0x0104,
	P_VQ_RING = 0xf001,
	P_VQ_INFLIGHT = 0xf002,
	P_VQ_STATS = 0xf003,
	P_VQ_INFLIGHT_DESC = 0xf004,
};

/*
 * DEV_FEATURES, DRV_FEATURES: le64 feature_bits[]. One word is encoded. A reader accepts more
 * words if they are zero, because the model has no place for features above 63.
 */
#define FEATURE_WORDS_MAX 16

static void
encode_features(struct vhost_state_sink *sink, uint64_t features)
{
	uint8_t b[8];

	vhost_state_put_le(b, features, 8);
	vhost_state_sink_put(sink, b, sizeof(b));
}

static void
encode_dev_features(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	encode_features(sink, st->device_features);
}

static int
decode_dev_features(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	st->device_features = vhost_state_get_le64(v->p);
	return vhost_state_part_check_zero(v, 8, v->len, e);
}

static void
encode_drv_features(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	encode_features(sink, st->driver_features);
}

static int
decode_drv_features(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	st->driver_features = vhost_state_get_le64(v->p);
	return vhost_state_part_check_zero(v, 8, v->len, e);
}

/* DEVICE_STATUS: u8 status. */

static void
encode_status(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	vhost_state_sink_put(sink, &st->status, 1);
}

static int
decode_status(struct rte_vhost_state *st, const struct vhost_state_value *v,
		__rte_unused struct rte_vhost_state_error *e)
{
	st->status = v->p[0];
	return 0;
}

/*
 * VQ_CFG:
 *   0  le16 queue_size
 *   2  le16 vector        0xffff: interrupt vectors belong to the transport
 *   4  le16 enabled       0 or 1
 *   6  le16 reserved      0
 *   8  le64 queue_desc
 *  16  le64 queue_driver
 *  24  le64 queue_device
 */
#define VQ_CFG_SIZE 32
#define NO_VECTOR 0xffff

static void
encode_vq_cfg(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t i)
{
	const struct rte_vhost_state_vq *vq = &st->vqs[i];
	uint8_t b[VQ_CFG_SIZE] = { 0 };

	vhost_state_put_le(b, vq->size, 2);
	vhost_state_put_le(b + 2, NO_VECTOR, 2);
	vhost_state_put_le(b + 4, vq->enabled, 2);
	vhost_state_put_le(b + 8, vq->desc_addr, 8);
	vhost_state_put_le(b + 16, vq->driver_addr, 8);
	vhost_state_put_le(b + 24, vq->device_addr, 8);
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_vq_cfg(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	struct rte_vhost_state_vq *vq = &st->vqs[v->vq];
	const uint16_t vector = vhost_state_get_le16(v->p + 2);
	const uint16_t enabled = vhost_state_get_le16(v->p + 4);

	/* The model has no place for a vector. It must not be lost without an error. */
	if (vector != NO_VECTOR)
		return vhost_state_part_fault(v, 2, NO_VECTOR, vector, e);
	if (enabled > 1)
		return vhost_state_part_fault(v, 4, 1, enabled, e);
	vq->size = vhost_state_get_le16(v->p);
	vq->enabled = enabled != 0;
	vq->desc_addr = vhost_state_get_le64(v->p + 8);
	vq->driver_addr = vhost_state_get_le64(v->p + 16);
	vq->device_addr = vhost_state_get_le64(v->p + 24);
	return vhost_state_part_check_zero(v, 6, 8, e);
}

/*
 * VQ_RING:
 *   0  le16 avail_idx
 *   2  le16 used_idx
 *   4  u8   avail_wrap
 *   5  u8   used_wrap
 *   6  u8   flags          bit 0 signalled_used is valid, bit 1 a notification is pending
 *   7  u8   reserved       0
 *   8  le16 signalled_used
 *  10  u8   reserved[6]    0
 */
#define VQ_RING_SIZE 16
#define RING_F_SIGNALLED 0x01
#define RING_F_NOTIFY 0x02

static void
encode_vq_ring(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t i)
{
	const struct rte_vhost_state_vq *vq = &st->vqs[i];
	uint8_t b[VQ_RING_SIZE] = { 0 };

	vhost_state_put_le(b, vq->avail_idx, 2);
	vhost_state_put_le(b + 2, vq->used_idx, 2);
	b[4] = vq->avail_wrap;
	b[5] = vq->used_wrap;
	b[6] = (vq->signalled_valid ? RING_F_SIGNALLED : 0) |
			(vq->notify_pending ? RING_F_NOTIFY : 0);
	vhost_state_put_le(b + 8, vq->signalled_used, 2);
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_vq_ring(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	struct rte_vhost_state_vq *vq = &st->vqs[v->vq];
	const uint8_t flags = v->p[6];

	if ((flags & ~(RING_F_SIGNALLED | RING_F_NOTIFY)) != 0)
		return vhost_state_part_fault(v, 6, RING_F_SIGNALLED | RING_F_NOTIFY, flags, e);
	if (v->p[7] != 0)
		return vhost_state_part_fault(v, 7, 0, v->p[7], e);
	vq->avail_idx = vhost_state_get_le16(v->p);
	vq->used_idx = vhost_state_get_le16(v->p + 2);
	vq->avail_wrap = v->p[4];
	vq->used_wrap = v->p[5];
	vq->signalled_valid = (flags & RING_F_SIGNALLED) != 0;
	vq->notify_pending = (flags & RING_F_NOTIFY) != 0;
	vq->signalled_used = vhost_state_get_le16(v->p + 8);
	return vhost_state_part_check_zero(v, 10, VQ_RING_SIZE, e);
}

/*
 * VQ_INFLIGHT: entries in the order in which buffers were dequeued, each
 *   0  le64 counter
 *   8  le16 head
 *  10  le16 id
 *  12  le16 num
 *  14  le16 reserved       0
 */

static uint32_t
count_inflight(const struct rte_vhost_state *st, uint16_t vq)
{
	return st->vqs[vq].nb_inflight;
}

static void
encode_vq_inflight(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t i)
{
	const struct rte_vhost_state_vq *vq = &st->vqs[i];
	uint8_t b[VHOST_STATE_INFLIGHT_SIZE] = { 0 };
	uint16_t n;

	for (n = 0; n < vq->nb_inflight; n++) {
		vhost_state_put_le(b, vq->inflight[n].counter, 8);
		vhost_state_put_le(b + 8, vq->inflight[n].head, 2);
		vhost_state_put_le(b + 10, vq->inflight[n].id, 2);
		vhost_state_put_le(b + 12, vq->inflight[n].num, 2);
		vhost_state_sink_put(sink, b, sizeof(b));
	}
}

static int
decode_vq_inflight(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	const uint16_t nb = (uint16_t)(v->len / VHOST_STATE_INFLIGHT_SIZE);
	const uint8_t *p = v->p;
	struct rte_vhost_state_inflight *entry;
	uint32_t at;
	uint16_t n;

	if (rte_vhost_state_vq_inflight_alloc(st, (uint16_t)v->vq, nb) != 0)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_NO_MEMORY, v->vq, v->offset, 0,
				v->len);
	entry = st->vqs[v->vq].inflight;
	for (n = 0; n < nb; n++, p += VHOST_STATE_INFLIGHT_SIZE) {
		entry[n].counter = vhost_state_get_le64(p);
		entry[n].head = vhost_state_get_le16(p + 8);
		entry[n].id = vhost_state_get_le16(p + 10);
		entry[n].num = vhost_state_get_le16(p + 12);
		at = n * VHOST_STATE_INFLIGHT_SIZE + 14;
		if (vhost_state_get_le16(p + 14) != 0)
			return vhost_state_part_fault(v, at, 0, vhost_state_get_le16(p + 14), e);
	}
	return 0;
}

/*
 * VQ_STATS, optional, left out if both are zero:
 *   0  le64 packets
 *   8  le64 bytes
 */
#define VQ_STATS_SIZE 16

static uint32_t
count_stats(const struct rte_vhost_state *st, uint16_t vq)
{
	return (st->vqs[vq].stats.packets | st->vqs[vq].stats.bytes) != 0;
}

static void
encode_vq_stats(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t i)
{
	uint8_t b[VQ_STATS_SIZE];

	vhost_state_put_le(b, st->vqs[i].stats.packets, 8);
	vhost_state_put_le(b + 8, st->vqs[i].stats.bytes, 8);
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_vq_stats(struct rte_vhost_state *st, const struct vhost_state_value *v,
		__rte_unused struct rte_vhost_state_error *e)
{
	st->vqs[v->vq].stats.packets = vhost_state_get_le64(v->p);
	st->vqs[v->vq].stats.bytes = vhost_state_get_le64(v->p + 8);
	return 0;
}

/*
 * VQ_INFLIGHT_DESC: the descriptors of the entries of VQ_INFLIGHT, packed rings only, each
 *   0  le64 addr
 *   8  le32 len
 *  12  le16 id
 *  14  le16 flags
 */

static uint32_t
count_inflight_descs(const struct rte_vhost_state *st, uint16_t vq)
{
	return st->vqs[vq].nb_inflight_descs;
}

static void
encode_vq_inflight_desc(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t i)
{
	const struct rte_vhost_state_vq *vq = &st->vqs[i];
	uint8_t b[VHOST_STATE_INFLIGHT_DESC_SIZE];
	uint32_t n;

	for (n = 0; n < vq->nb_inflight_descs; n++) {
		vhost_state_put_le(b, vq->inflight_descs[n].addr, 8);
		vhost_state_put_le(b + 8, vq->inflight_descs[n].len, 4);
		vhost_state_put_le(b + 12, vq->inflight_descs[n].id, 2);
		vhost_state_put_le(b + 14, vq->inflight_descs[n].flags, 2);
		vhost_state_sink_put(sink, b, sizeof(b));
	}
}

static int
decode_vq_inflight_desc(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	const uint32_t nb = v->len / VHOST_STATE_INFLIGHT_DESC_SIZE;
	const uint8_t *p = v->p;
	struct rte_vhost_state_desc *desc;
	uint32_t n;

	if (rte_vhost_state_vq_inflight_descs_alloc(st, (uint16_t)v->vq, nb) != 0)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_NO_MEMORY, v->vq, v->offset, 0,
				v->len);
	desc = st->vqs[v->vq].inflight_descs;
	for (n = 0; n < nb; n++, p += VHOST_STATE_INFLIGHT_DESC_SIZE) {
		desc[n].addr = vhost_state_get_le64(p);
		desc[n].len = vhost_state_get_le32(p + 8);
		desc[n].id = vhost_state_get_le16(p + 12);
		desc[n].flags = vhost_state_get_le16(p + 14);
	}
	return 0;
}

/* Reasons of vhost_state_check() by the part that has the value. */
#define REASONS(...) (const enum rte_vhost_state_reason[]){ __VA_ARGS__, RTE_VHOST_STATE_R_NONE }

const struct vhost_state_part vhost_state_common_parts[VHOST_STATE_NB_COMMON_PARTS] = {
	{
		.type = P_DEV_FEATURES, .mandatory = true,
		.unit = 8, .max_units = FEATURE_WORDS_MAX,
		.encode = encode_dev_features, .decode = decode_dev_features,
	}, {
		.type = P_DRV_FEATURES, .mandatory = true,
		.unit = 8, .max_units = FEATURE_WORDS_MAX,
		.encode = encode_drv_features, .decode = decode_drv_features,
		.reasons = REASONS(RTE_VHOST_STATE_R_FEATURES_NOT_OFFERED),
	}, {
		.type = P_DEVICE_STATUS, .mandatory = true,
		.unit = 1, .max_units = 1,
		.encode = encode_status, .decode = decode_status,
		.reasons = REASONS(RTE_VHOST_STATE_R_STATUS),
	}, {
		.type = P_VQ_CFG, .per_vq = true, .mandatory = true,
		.unit = VQ_CFG_SIZE, .max_units = 1,
		.encode = encode_vq_cfg, .decode = decode_vq_cfg,
		.reasons = REASONS(RTE_VHOST_STATE_R_VQ_SIZE, RTE_VHOST_STATE_R_VQ_ADDRESS),
	}, {
		.type = P_VQ_RING, .per_vq = true, .mandatory = true,
		.unit = VQ_RING_SIZE, .max_units = 1,
		.encode = encode_vq_ring, .decode = decode_vq_ring,
		.reasons = REASONS(RTE_VHOST_STATE_R_VQ_IDX_RANGE, RTE_VHOST_STATE_R_VQ_WRAP,
				RTE_VHOST_STATE_R_VQ_IDX_DISTANCE),
	}, {
		.type = P_VQ_INFLIGHT, .per_vq = true,
		.unit = VHOST_STATE_INFLIGHT_SIZE, .max_units = RTE_VHOST_STATE_MAX_VQ_SIZE,
		.units = count_inflight, .encode = encode_vq_inflight,
		.decode = decode_vq_inflight,
		.reasons = REASONS(RTE_VHOST_STATE_R_INFLIGHT_COUNT,
				RTE_VHOST_STATE_R_INFLIGHT_HEAD,
				RTE_VHOST_STATE_R_INFLIGHT_DUPLICATE,
				RTE_VHOST_STATE_R_INFLIGHT_ORDER),
	}, {
		.type = P_VQ_STATS, .per_vq = true,
		.flags = VHOST_STATE_PART_F_OPTIONAL,
		.unit = VQ_STATS_SIZE, .max_units = 1,
		.units = count_stats, .encode = encode_vq_stats, .decode = decode_vq_stats,
	}, {
		.type = P_VQ_INFLIGHT_DESC, .per_vq = true,
		.unit = VHOST_STATE_INFLIGHT_DESC_SIZE, .max_units = RTE_VHOST_STATE_MAX_VQ_SIZE,
		.units = count_inflight_descs, .encode = encode_vq_inflight_desc,
		.decode = decode_vq_inflight_desc,
		.reasons = REASONS(RTE_VHOST_STATE_R_INFLIGHT_DESC_COUNT,
				RTE_VHOST_STATE_R_INFLIGHT_DESC_FLAGS,
				RTE_VHOST_STATE_R_INFLIGHT_DESC_ID),
	},
};

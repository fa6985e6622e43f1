/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_errno.h>

#include <vstate_compat.h>

#include "vhost_state_bytes.h"
#include "vhost_state_crc.h"
#include "vhost_state_decode.h"
#include "vhost_state_format.h"
#include "vhost_state_part_list.h"
#include "vhost_state_reason.h"
#include "vhost_state_validate.h"

#define FAULT(e, reason, vq, offset, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, vq, offset, expected, found)

/* ---- header ---- */

static int
check_header_value(unsigned int at, uint64_t min, uint64_t max, uint64_t found,
		struct rte_vhost_state_error *e)
{
	if (found >= min && found <= max)
		return 0;
	return FAULT(e, BAD_HEADER, -1, at, found < min ? min : max, found);
}

static int
check_header_version(const uint8_t *buf, size_t len, struct rte_vhost_state_error *e)
{
	const uint8_t magic[] = VHOST_STATE_MAGIC;
	uint16_t version;

	if (len < VHOST_STATE_HEADER_SIZE)
		return FAULT(e, TRUNCATED, -1, len, VHOST_STATE_HEADER_SIZE, len);
	if (memcmp(buf, magic, sizeof(magic)) != 0)
		return FAULT(e, BAD_MAGIC, -1, 0, vhost_state_get_le64(magic),
				vhost_state_get_le64(buf));
	version = vhost_state_get_le16(buf + VHOST_STATE_H_VERSION);
	if (version > RTE_VHOST_STATE_FORMAT_VERSION)
		return FAULT(e, BAD_VERSION, -1, VHOST_STATE_H_VERSION,
				RTE_VHOST_STATE_FORMAT_VERSION, version);
	return check_header_value(VHOST_STATE_H_VERSION, 1, RTE_VHOST_STATE_FORMAT_VERSION,
			version, e);
}

int
vhost_state_parse_header(const uint8_t *buf, size_t len, uint32_t *total,
		struct rte_vhost_state_error *e)
{
	uint32_t crc, found;
	int ret;

	ret = check_header_version(buf, len, e);
	if (ret != 0)
		return ret;
	ret = check_header_value(VHOST_STATE_H_LENGTH, VHOST_STATE_HEADER_SIZE,
			VHOST_STATE_HEADER_SIZE,
			vhost_state_get_le16(buf + VHOST_STATE_H_LENGTH), e);
	if (ret != 0)
		return ret;
	crc = vhost_state_crc32(0, buf, VHOST_STATE_H_CRC);
	found = vhost_state_get_le32(buf + VHOST_STATE_H_CRC);
	if (crc != found)
		return FAULT(e, BAD_CHECKSUM, -1, VHOST_STATE_H_CRC, crc, found);
	ret = check_header_value(VHOST_STATE_H_RESERVED, 0, 0,
			vhost_state_get_le32(buf + VHOST_STATE_H_RESERVED), e);
	if (ret != 0)
		return ret;
	*total = vhost_state_get_le32(buf + VHOST_STATE_H_TOTAL);
	return check_header_value(VHOST_STATE_H_TOTAL, VHOST_STATE_HEADER_SIZE,
			VHOST_STATE_MAX_SIZE, *total, e);
}

/** Check the header against all bytes, before the parts are read. */
static int
parse_frame(const uint8_t *buf, size_t len, struct rte_vhost_state_error *e)
{
	uint32_t total = 0, crc, found;
	uint16_t nb_vqs;
	int ret;

	ret = vhost_state_parse_header(buf, len, &total, e);
	if (ret != 0)
		return ret;
	if (len < total)
		return FAULT(e, TRUNCATED, -1, len, total, len);
	if (len > total)
		return FAULT(e, TRAILING_BYTES, -1, total, total, len);
	crc = vhost_state_crc32(0, buf + VHOST_STATE_HEADER_SIZE, len - VHOST_STATE_HEADER_SIZE);
	found = vhost_state_get_le32(buf + VHOST_STATE_H_PARTS_CRC);
	if (crc != found)
		return FAULT(e, BAD_CHECKSUM, -1, VHOST_STATE_H_PARTS_CRC, crc, found);
	nb_vqs = vhost_state_get_le16(buf + VHOST_STATE_H_NB_VQS);
	if (nb_vqs == 0 || nb_vqs > RTE_VHOST_STATE_MAX_VQ)
		return FAULT(e, VQ_COUNT, -1, VHOST_STATE_H_NB_VQS, RTE_VHOST_STATE_MAX_VQ,
				nb_vqs);
	return 0;
}

/**
 * Return the class that the header names; NULL with the reason in @p e. This comes before the
 * parts: those of an unknown class would be refused as unknown parts.
 */
static const struct vhost_state_class *
parse_class(const uint8_t *buf, struct rte_vhost_state_error *e)
{
	const uint16_t device_id = vhost_state_get_le16(buf + VHOST_STATE_H_DEVICE_ID);
	const uint16_t nb_vqs = vhost_state_get_le16(buf + VHOST_STATE_H_NB_VQS);
	const struct vhost_state_class *class = vhost_state_class_find(device_id);

	if (class == NULL) {
		vhost_state_class_fault(device_id, VHOST_STATE_H_DEVICE_ID, e);
		return NULL;
	}
	if (vhost_state_class_check_vqs(class, nb_vqs, VHOST_STATE_H_NB_VQS, e) != 0)
		return NULL;
	return class;
}

/* ---- parts ---- */

/** The parts that a state can have, and where each was found. */
struct part_places {
	struct vhost_state_part_list list;
	/** Offset of each part; 0: not found yet, because offset 0 is the state's header. */
	uint32_t at[VHOST_STATE_MAX_PARTS][RTE_VHOST_STATE_MAX_VQ];
	/** Position in the list, and instance, of the part that was read last. */
	unsigned int part, instance;
};

/** Header of a part. */
struct part_header {
	uint16_t type;
	uint8_t flags;
	uint16_t selector;
	uint32_t len;
};

static int
read_part_header(const uint8_t *p, size_t left, uint32_t at, struct part_header *h,
		struct rte_vhost_state_error *e)
{
	if (left < VHOST_STATE_PART_HEADER_SIZE)
		return FAULT(e, TRUNCATED, -1, at, VHOST_STATE_PART_HEADER_SIZE, left);
	h->type = vhost_state_get_le16(p);
	h->flags = p[2];
	h->selector = vhost_state_get_le16(p + 4);
	h->len = vhost_state_get_le32(p + 12);
	if ((h->flags & ~VHOST_STATE_PART_F_OPTIONAL) != 0)
		return FAULT(e, PART_RESERVED, -1, at + 2, VHOST_STATE_PART_F_OPTIONAL, h->flags);
	if (p[3] != 0)
		return FAULT(e, PART_RESERVED, -1, at + 3, 0, p[3]);
	if (h->len > left - VHOST_STATE_PART_HEADER_SIZE)
		return FAULT(e, PART_LENGTH, -1, at + 12, left - VHOST_STATE_PART_HEADER_SIZE,
				h->len);
	return 0;
}

/** Check selector, virtqueue and length of a part whose type is known. */
static int
check_part(const struct vhost_state_part *part, const struct part_header *h, const uint8_t *p,
		uint16_t nb_vqs, uint32_t at, struct rte_vhost_state_error *e)
{
	const unsigned int used = part->per_vq || part->selectors != NULL ? 2 : 0;
	const size_t zero = used + vhost_state_zero_prefix(p + 4 + used, 8 - used);
	const int vq = part->per_vq ? h->selector : -1;

	if (zero != 8)
		return FAULT(e, PART_RESERVED, vq, at + 4 + zero, 0, p[4 + zero]);
	if (part->per_vq && h->selector >= nb_vqs)
		return FAULT(e, VQ_INDEX, vq, at + 4, nb_vqs - 1, h->selector);
	if (h->len == 0 || h->len % part->unit != 0)
		return FAULT(e, PART_LENGTH, vq, at + 12, part->unit, h->len);
	if (h->len / part->unit > part->max_units)
		return FAULT(e, PART_LENGTH, vq, at + 12,
				(uint64_t)part->unit * part->max_units, h->len);
	return 0;
}

/** Record where a part was found, and check that parts are in order and unique. */
static int
record_place(struct part_places *places, unsigned int part, unsigned int instance, int vq,
		uint32_t at, struct rte_vhost_state_error *e)
{
	if (places->at[part][instance] != 0)
		return FAULT(e, PART_DUPLICATE, vq, at, places->at[part][instance], at);
	if (part < places->part || (part == places->part && instance < places->instance))
		return FAULT(e, PART_ORDER, vq, at, places->list.part[places->part]->type,
				places->list.part[part]->type);
	places->at[part][instance] = at;
	places->part = part;
	places->instance = instance;
	return 0;
}

/** Return whether the library knows the part, and the selector of a part of several. */
static bool
part_is_known(const struct part_places *places, unsigned int i, const struct part_header *h)
{
	const struct vhost_state_part *part;

	if (i == places->list.nb)
		return false;
	part = places->list.part[i];
	return part->selectors == NULL ||
			vhost_state_part_find(part, h->selector) < part->nb_selectors;
}

static int
read_part(struct rte_vhost_state *st, const uint8_t *p, const struct part_header *h, uint32_t at,
		struct part_places *places, struct rte_vhost_state_error *e)
{
	const unsigned int i = vhost_state_part_list_find(&places->list, h->type);
	const struct vhost_state_part *part;
	struct vhost_state_value value;
	int ret;

	if (!part_is_known(places, i, h)) {
		if ((h->flags & VHOST_STATE_PART_F_OPTIONAL) != 0)
			return 0;
		return FAULT(e, PART_UNKNOWN, -1, at, 0, h->type);
	}
	part = places->list.part[i];
	ret = check_part(part, h, p, st->nb_vqs, at, e);
	if (ret != 0)
		return ret;
	value.p = p + VHOST_STATE_PART_HEADER_SIZE;
	value.len = h->len;
	value.offset = (int64_t)at + VHOST_STATE_PART_HEADER_SIZE;
	value.vq = part->per_vq ? h->selector : -1;
	value.instance = vhost_state_part_find(part, h->selector);
	ret = record_place(places, i, value.instance, value.vq, at, e);
	if (ret != 0)
		return ret;
	return part->decode(st, &value, e);
}

static int
check_missing(const struct rte_vhost_state *st, const struct part_places *places,
		struct rte_vhost_state_error *e)
{
	const struct vhost_state_part *part;
	uint16_t vq, nb;
	unsigned int i;

	for (i = 0; i < places->list.nb; i++) {
		part = places->list.part[i];
		nb = part->mandatory ? (part->per_vq ? st->nb_vqs : 1) : 0;
		for (vq = 0; vq < nb; vq++)
			if (places->at[i][vq] == 0)
				return FAULT(e, PART_MISSING, part->per_vq ? vq : -1, -1,
						part->type, 0);
	}
	return 0;
}

static int
read_parts(struct rte_vhost_state *st, const uint8_t *buf, size_t len, struct part_places *places,
		struct rte_vhost_state_error *e)
{
	size_t at = VHOST_STATE_HEADER_SIZE;
	struct part_header h = { 0 };
	int ret;

	while (at < len) {
		ret = read_part_header(buf + at, len - at, (uint32_t)at, &h, e);
		if (ret == 0)
			ret = read_part(st, buf + at, &h, (uint32_t)at, places, e);
		if (ret != 0)
			return ret;
		at += VHOST_STATE_PART_HEADER_SIZE + h.len;
	}
	return check_missing(st, places, e);
}

/* ---- the whole ---- */

/** Return whether @p reason concerns a value in @p part. */
static bool
part_has_reason(const struct vhost_state_part *part, enum rte_vhost_state_reason reason)
{
	const enum rte_vhost_state_reason *r = part->reasons;

	while (r != NULL && *r != RTE_VHOST_STATE_R_NONE && *r != reason)
		r++;
	return r != NULL && *r == reason;
}

/** The model has no offsets: add that of the part which has the refused value. */
static void
locate_error(struct rte_vhost_state_error *e, const struct part_places *places)
{
	const unsigned int vq = e->vq >= 0 ? (unsigned int)e->vq : 0;
	unsigned int i;

	for (i = 0; i < places->list.nb; i++)
		if (part_has_reason(places->list.part[i], e->reason) && places->at[i][vq] != 0)
			e->offset = (int64_t)places->at[i][vq];
}

static int
parse_into(struct rte_vhost_state *st, const uint8_t *buf, size_t len,
		const struct vhost_state_class *class, struct rte_vhost_state_error *e)
{
	struct part_places places;
	int ret;

	memset(&places, 0, sizeof(places));
	vhost_state_part_list_init(&places.list, class);
	ret = read_parts(st, buf, len, &places, e);
	if (ret != 0)
		return ret;
	ret = vhost_state_check(st, e);
	if (ret != 0)
		locate_error(e, &places);
	return ret;
}

struct rte_vhost_state *
vhost_state_parse(const uint8_t *buf, size_t len, struct rte_vhost_state_error *e)
{
	const struct vhost_state_class *class;
	struct rte_vhost_state *st;

	if (parse_frame(buf, len, e) != 0)
		return NULL;
	class = parse_class(buf, e);
	if (class == NULL)
		return NULL;
	st = rte_vhost_state_alloc(vhost_state_get_le16(buf + VHOST_STATE_H_NB_VQS));
	if (st == NULL) {
		FAULT(e, NO_MEMORY, -1, -1, 0, sizeof(*st));
		return NULL;
	}
	st->device_id = class->device_id;
	if (parse_into(st, buf, len, class, e) != 0) {
		rte_vhost_state_free(st);
		return NULL;
	}
	return st;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_decode, 26.11)
struct rte_vhost_state *
rte_vhost_state_decode(const void *buf, size_t len, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;
	struct rte_vhost_state *st;

	vhost_state_no_error(&e);
	st = vhost_state_parse(buf, len, &e);
	if (vhost_state_report(err, &e) != 0)
		rte_errno = rte_vhost_state_reason_errno(e.reason);
	return st;
}

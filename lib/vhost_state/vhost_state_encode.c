/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <vstate_compat.h>

#include "vhost_state_bytes.h"
#include "vhost_state_crc.h"
#include "vhost_state_encode.h"
#include "vhost_state_format.h"
#include "vhost_state_part_list.h"
#include "vhost_state_reason.h"
#include "vhost_state_validate.h"

static void
put_part(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		const struct vhost_state_part *part, uint16_t vq)
{
	uint8_t b[VHOST_STATE_PART_HEADER_SIZE] = { 0 };
	const uint32_t units = vhost_state_part_units(part, st, vq);

	if (units == 0)
		return;
	vhost_state_put_le(b, part->type, 2);
	b[2] = part->flags;
	vhost_state_put_le(b + 4, vhost_state_part_selector(part, vq), 2);
	vhost_state_put_le(b + 12, (uint64_t)units * part->unit, 4);
	vhost_state_sink_put(sink, b, sizeof(b));
	part->encode(sink, st, vq);
}

static void
put_parts(struct vhost_state_sink *sink, const struct rte_vhost_state *st)
{
	struct vhost_state_part_list list;
	unsigned int p;
	uint16_t i, nb;

	vhost_state_part_list_init(&list, vhost_state_class_find(st->device_id));
	for (p = 0; p < list.nb; p++) {
		nb = vhost_state_part_instances(list.part[p], st->nb_vqs);
		for (i = 0; i < nb; i++)
			put_part(sink, st, list.part[p], i);
	}
}

static void
put_header(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		const struct vhost_state_sink *parts)
{
	const uint8_t magic[] = VHOST_STATE_MAGIC;
	uint8_t b[VHOST_STATE_HEADER_SIZE] = { 0 };

	memcpy(b, magic, sizeof(magic));
	vhost_state_put_le(b + VHOST_STATE_H_VERSION, RTE_VHOST_STATE_FORMAT_VERSION, 2);
	vhost_state_put_le(b + VHOST_STATE_H_LENGTH, sizeof(b), 2);
	vhost_state_put_le(b + VHOST_STATE_H_TOTAL, sizeof(b) + parts->total, 4);
	vhost_state_put_le(b + VHOST_STATE_H_PARTS_CRC, parts->crc, 4);
	vhost_state_put_le(b + VHOST_STATE_H_DEVICE_ID, st->device_id, 2);
	vhost_state_put_le(b + VHOST_STATE_H_NB_VQS, st->nb_vqs, 2);
	vhost_state_put_le(b + VHOST_STATE_H_CRC,
			vhost_state_crc32(0, b, VHOST_STATE_H_CRC), 4);
	vhost_state_sink_put(sink, b, sizeof(b));
}

/*
 * The parts are encoded twice. The first pass only computes their length and checksum, which are
 * in the header. This allows a state of any length to be streamed through a small buffer.
 */
int
vhost_state_emit(const struct rte_vhost_state *st, struct vhost_state_sink *sink)
{
	struct vhost_state_sink measure = { .sum = true };

	put_parts(&measure, st);
	put_header(sink, st, &measure);
	put_parts(sink, st);
	vhost_state_sink_flush(sink);
	return sink->error;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_encoded_size, 26.11)
size_t
rte_vhost_state_encoded_size(const struct rte_vhost_state *st)
{
	struct vhost_state_sink measure = { .sum = false };

	put_parts(&measure, st);
	return VHOST_STATE_HEADER_SIZE + (size_t)measure.total;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_encode, 26.11)
int
rte_vhost_state_encode(const struct rte_vhost_state *st, void *buf, size_t size, size_t *len,
		struct rte_vhost_state_error *err)
{
	struct vhost_state_sink sink = { .buf = buf, .size = size };
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	if (vhost_state_check(st, &e) != 0)
		return vhost_state_report(err, &e);
	*len = rte_vhost_state_encoded_size(st);
	if (*len > size)
		vhost_state_fault(&e, RTE_VHOST_STATE_R_NO_SPACE, -1, -1, *len, size);
	else
		vhost_state_emit(st, &sink);
	return vhost_state_report(err, &e);
}

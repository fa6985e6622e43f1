/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "vhost_state_bytes.h"
#include "vhost_state_parts.h"

static void
sink_flush(struct vhost_state_sink *sink)
{
	if (sink->error == 0 && sink->flush != NULL && sink->used > 0)
		sink->error = sink->flush(sink);
	sink->used = 0;
}

void
vhost_state_sink_put(struct vhost_state_sink *sink, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t n;

	sink->total += len;
	if (sink->sum)
		sink->crc = vhost_state_crc32(sink->crc, bytes, len);
	while (sink->buf != NULL && len > 0 && sink->error == 0) {
		n = RTE_MIN(len, sink->size - sink->used);
		memcpy(sink->buf + sink->used, p, n);
		sink->used += n;
		p += n;
		len -= n;
		if (sink->used == sink->size && sink->flush != NULL)
			sink_flush(sink);
		else if (len > 0)
			sink->error = -rte_vhost_state_reason_errno(RTE_VHOST_STATE_R_NO_SPACE);
	}
}

static void
put_part(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		const struct vhost_state_part *part, uint16_t vq)
{
	uint8_t b[VHOST_STATE_PART_HEADER_SIZE] = { 0 };
	const uint32_t units = part->units(st, vq);

	if (units == 0)
		return;
	vhost_state_put_le(b, part->type, 2);
	b[2] = part->flags;
	vhost_state_put_le(b + 4, part->per_vq ? vq : 0, 2);
	vhost_state_put_le(b + 12, (uint64_t)units * part->unit, 4);
	vhost_state_sink_put(sink, b, sizeof(b));
	part->put(sink, st, vq);
}

static void
put_parts(struct vhost_state_sink *sink, const struct rte_vhost_state *st)
{
	unsigned int p;
	uint16_t i, nb;

	for (p = 0; p < RTE_DIM(vhost_state_parts); p++) {
		nb = vhost_state_parts[p].per_vq ? st->nb_vqs : 1;
		for (i = 0; i < nb; i++)
			put_part(sink, st, &vhost_state_parts[p], i);
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
 * Twice over the parts: the first time only for their length and checksum, which stand before
 * them. That is what allows a state to be streamed through a small buffer.
 */
int
vhost_state_emit(const struct rte_vhost_state *st, struct vhost_state_sink *sink)
{
	struct vhost_state_sink measure = { .sum = true };

	put_parts(&measure, st);
	put_header(sink, st, &measure);
	put_parts(sink, st);
	sink_flush(sink);
	return sink->error;
}

size_t
rte_vhost_state_encoded_size(const struct rte_vhost_state *st)
{
	struct vhost_state_sink measure = { .sum = false };

	put_parts(&measure, st);
	return VHOST_STATE_HEADER_SIZE + (size_t)measure.total;
}

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

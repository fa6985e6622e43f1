/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>

#include <vstate_compat.h>

#include "vhost_state_class.h"

/*
 * The output is one line, with the keys in the order of the structures. Features and addresses
 * are hexadecimal strings: many readers of JSON keep a number as a double, which loses the bits
 * above 53. devtools/vhost_state_decode.py prints the same bytes.
 */

static const char *
json_bool(bool value)
{
	return value ? "true" : "false";
}

static void
json_class(const struct rte_vhost_state *st, FILE *f)
{
	const struct vhost_state_class *class = vhost_state_class_find(st->device_id);

	if (class == NULL)
		return;
	fprintf(f, "\"%s\": {", class->name);
	class->dump_json(st, f);
	fprintf(f, "}, ");
}

static void
json_inflight(const struct rte_vhost_state_vq *vq, FILE *f)
{
	const struct rte_vhost_state_inflight *entry;
	uint16_t n;

	fprintf(f, "\"inflight\": [");
	for (n = 0; n < vq->nb_inflight; n++) {
		entry = &vq->inflight[n];
		fprintf(f, "%s{\"head\": %u, \"id\": %u, \"num\": %u, \"counter\": %" PRIu64 "}",
				n > 0 ? ", " : "", entry->head, entry->id, entry->num,
				entry->counter);
	}
	fprintf(f, "], ");
}

static void
json_inflight_descs(const struct rte_vhost_state_vq *vq, FILE *f)
{
	const struct rte_vhost_state_desc *desc;
	uint32_t n;

	fprintf(f, "\"inflight_descs\": [");
	for (n = 0; n < vq->nb_inflight_descs; n++) {
		desc = &vq->inflight_descs[n];
		fprintf(f, "%s{\"addr\": \"0x%" PRIx64 "\", \"len\": %u, \"id\": %u, "
				"\"flags\": %u}", n > 0 ? ", " : "", desc->addr, desc->len,
				desc->id, desc->flags);
	}
	fprintf(f, "], ");
}

static void
json_vq(const struct rte_vhost_state_vq *vq, uint16_t i, FILE *f)
{
	fprintf(f, "{\"index\": %u, \"size\": %u, \"enabled\": %s, ", i, vq->size,
			json_bool(vq->enabled));
	fprintf(f, "\"desc_addr\": \"0x%" PRIx64 "\", \"driver_addr\": \"0x%" PRIx64 "\", "
			"\"device_addr\": \"0x%" PRIx64 "\", ",
			vq->desc_addr, vq->driver_addr, vq->device_addr);
	fprintf(f, "\"avail_idx\": %u, \"avail_wrap\": %u, \"used_idx\": %u, \"used_wrap\": %u, ",
			vq->avail_idx, vq->avail_wrap, vq->used_idx, vq->used_wrap);
	fprintf(f, "\"signalled_used\": %u, \"signalled_valid\": %s, \"notify_pending\": %s, ",
			vq->signalled_used, json_bool(vq->signalled_valid),
			json_bool(vq->notify_pending));
	json_inflight(vq, f);
	json_inflight_descs(vq, f);
	fprintf(f, "\"stats\": {\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 "}}",
			vq->stats.packets, vq->stats.bytes);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_dump_json, 26.11)
void
rte_vhost_state_dump_json(const struct rte_vhost_state *st, FILE *f)
{
	uint16_t i;

	fprintf(f, "{\"format\": %u, \"device_id\": %u, \"status\": %u, ",
			RTE_VHOST_STATE_FORMAT_VERSION, st->device_id, st->status);
	fprintf(f, "\"device_features\": \"0x%" PRIx64 "\", \"driver_features\": \"0x%" PRIx64
			"\", ", st->device_features, st->driver_features);
	fprintf(f, "\"ring\": \"%s\", ", rte_vhost_state_is_packed(st) ? "packed" : "split");
	json_class(st, f);
	fprintf(f, "\"vqs\": [");
	for (i = 0; i < st->nb_vqs; i++) {
		fprintf(f, "%s", i > 0 ? ", " : "");
		json_vq(&st->vqs[i], i, f);
	}
	fprintf(f, "]}\n");
}

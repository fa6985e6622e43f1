/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>

#include "vhost_state_private.h"

/*
 * One line, keys in the order of the structures. Features and addresses are strings in
 * hexadecimal, because many readers of JSON keep numbers as doubles, which lose bits above 53.
 * devtools/vhost_state_decode.py prints the same bytes.
 */

static const char *
json_bool(bool value)
{
	return value ? "true" : "false";
}

static void
json_net(const struct rte_vhost_state_net *net, FILE *f)
{
	const uint8_t *mac = net->mac.addr_bytes;

	fprintf(f, "\"net\": {\"mac\": \"%02x:%02x:%02x:%02x:%02x:%02x\", ", mac[0], mac[1],
			mac[2], mac[3], mac[4], mac[5]);
	fprintf(f, "\"mtu\": %u, \"status\": %u, \"active_pairs\": %u, \"rx_mode\": %u, ",
			net->mtu, net->status, net->active_pairs, net->rx_mode);
	fprintf(f, "\"guest_offloads\": \"0x%" PRIx64 "\"}, ", net->guest_offloads);
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

void
rte_vhost_state_dump_json(const struct rte_vhost_state *st, FILE *f)
{
	uint16_t i;

	fprintf(f, "{\"format\": %u, \"device_id\": %u, \"status\": %u, ",
			RTE_VHOST_STATE_FORMAT_VERSION, st->device_id, st->status);
	fprintf(f, "\"device_features\": \"0x%" PRIx64 "\", \"driver_features\": \"0x%" PRIx64
			"\", ", st->device_features, st->driver_features);
	fprintf(f, "\"ring\": \"%s\", ", rte_vhost_state_is_packed(st) ? "packed" : "split");
	if (st->device_id == RTE_VHOST_STATE_ID_NET)
		json_net(&st->net, f);
	fprintf(f, "\"vqs\": [");
	for (i = 0; i < st->nb_vqs; i++) {
		fprintf(f, "%s", i > 0 ? ", " : "");
		json_vq(&st->vqs[i], i, f);
	}
	fprintf(f, "]}\n");
}

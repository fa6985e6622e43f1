/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>

#include <vstate_compat.h>

#include "vhost_state_class.h"

static void
dump_status(uint8_t status, FILE *f)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} bits[] = {
		{ RTE_VHOST_STATE_S_ACKNOWLEDGE, "ACKNOWLEDGE" },
		{ RTE_VHOST_STATE_S_DRIVER, "DRIVER" },
		{ RTE_VHOST_STATE_S_FEATURES_OK, "FEATURES_OK" },
		{ RTE_VHOST_STATE_S_DRIVER_OK, "DRIVER_OK" },
		{ RTE_VHOST_STATE_S_SUSPEND, "SUSPEND" },
		{ RTE_VHOST_STATE_S_NEEDS_RESET, "NEEDS_RESET" },
		{ RTE_VHOST_STATE_S_FAILED, "FAILED" },
	};
	unsigned int i;

	fprintf(f, "  status           0x%02x", status);
	for (i = 0; i < RTE_DIM(bits); i++)
		if ((status & bits[i].bit) != 0)
			fprintf(f, " %s", bits[i].name);
	fprintf(f, "\n");
}

/** Print an index, with its wrap counter if the ring has one: "17/1". */
static void
dump_idx(uint16_t idx, uint8_t wrap, bool packed, FILE *f)
{
	char text[16];

	if (packed)
		snprintf(text, sizeof(text), "%u/%u", idx, wrap);
	else
		snprintf(text, sizeof(text), "%u", idx);
	fprintf(f, "  %8s", text);
}

static void
dump_desc(const struct rte_vhost_state_desc *desc, FILE *f)
{
	fprintf(f, "           desc 0x%" PRIx64 " len %u id %u%s%s%s\n", desc->addr, desc->len,
			desc->id,
			(desc->flags & RTE_VHOST_STATE_DESC_F_NEXT) != 0 ? " NEXT" : "",
			(desc->flags & RTE_VHOST_STATE_DESC_F_WRITE) != 0 ? " WRITE" : "",
			(desc->flags & RTE_VHOST_STATE_DESC_F_INDIRECT) != 0 ? " INDIRECT" : "");
}

/*
 * A state that is not valid can be printed too. The number of descriptors is therefore never
 * derived from the entries.
 */
static void
dump_inflight(const struct rte_vhost_state_vq *vq, FILE *f)
{
	const struct rte_vhost_state_inflight *entry;
	uint32_t at = 0;
	uint16_t n, d;

	for (n = 0; n < vq->nb_inflight; n++) {
		entry = &vq->inflight[n];
		fprintf(f, "         in flight: head %u id %u num %u counter %" PRIu64 "\n",
				entry->head, entry->id, entry->num, entry->counter);
		for (d = 0; d < entry->num && at < vq->nb_inflight_descs; d++, at++)
			dump_desc(&vq->inflight_descs[at], f);
	}
}

static void
dump_vq(const struct rte_vhost_state_vq *vq, uint16_t i, bool packed, FILE *f)
{
	if (vq->size == 0) {
		fprintf(f, "  %5u  not set up\n", i);
		return;
	}
	fprintf(f, "  %5u  %5u  %3s", i, vq->size, vq->enabled ? "yes" : "no");
	dump_idx(vq->avail_idx, vq->avail_wrap, packed, f);
	dump_idx(vq->used_idx, vq->used_wrap, packed, f);
	fprintf(f, "  %9u  %s\n", vq->nb_inflight, vq->notify_pending ? "pending" : "-");
	fprintf(f, "         desc 0x%" PRIx64 " driver 0x%" PRIx64 " device 0x%" PRIx64 "\n",
			vq->desc_addr, vq->driver_addr, vq->device_addr);
	if (vq->signalled_valid)
		fprintf(f, "         signalled at used %u\n", vq->signalled_used);
	if ((vq->stats.packets | vq->stats.bytes) != 0)
		fprintf(f, "         packets %" PRIu64 " bytes %" PRIu64 "\n",
				vq->stats.packets, vq->stats.bytes);
	dump_inflight(vq, f);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_dump, 26.11)
void
rte_vhost_state_dump(const struct rte_vhost_state *st, FILE *f)
{
	const struct vhost_state_class *class = vhost_state_class_find(st->device_id);
	const bool packed = rte_vhost_state_is_packed(st);
	uint16_t i;

	fprintf(f, "virtio device %u, %s rings, %u virtqueues\n", st->device_id,
			packed ? "packed" : "split", st->nb_vqs);
	dump_status(st->status, f);
	fprintf(f, "  device features  0x%016" PRIx64 "\n", st->device_features);
	fprintf(f, "  driver features  0x%016" PRIx64 "\n", st->driver_features);
	if (class != NULL)
		class->dump(st, f);
	fprintf(f, "     vq   size   on     avail      used  in flight  notification\n");
	for (i = 0; i < st->nb_vqs; i++)
		dump_vq(&st->vqs[i], i, packed, f);
}

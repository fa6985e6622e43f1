/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>
#include <string.h>

#include "vhost_state_sample.h"

#define FEATURES (SAMPLE_F_VERSION_1 | SAMPLE_F_EVENT_IDX | SAMPLE_F_GUEST_CSUM | \
		SAMPLE_F_GUEST_TSO4 | UINT64_C(0x10020))

static struct rte_vhost_state *
new_state(uint16_t nb_vqs)
{
	struct rte_vhost_state *st = rte_vhost_state_alloc(nb_vqs);

	if (st == NULL)
		exit(EXIT_FAILURE);
	return st;
}

static struct rte_vhost_state_inflight *
new_inflight(struct rte_vhost_state *st, uint16_t vq, uint16_t nb)
{
	if (rte_vhost_state_vq_inflight_alloc(st, vq, nb) != 0)
		exit(EXIT_FAILURE);
	return st->vqs[vq].inflight;
}

static struct rte_vhost_state_desc *
new_descs(struct rte_vhost_state *st, uint16_t vq, uint32_t nb)
{
	if (rte_vhost_state_vq_inflight_descs_alloc(st, vq, nb) != 0)
		exit(EXIT_FAILURE);
	return st->vqs[vq].inflight_descs;
}

static void
fill_device(struct rte_vhost_state *st, uint64_t features)
{
	static const struct rte_ether_addr mac = { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 } };

	st->device_id = RTE_VHOST_STATE_ID_NET;
	st->status = SAMPLE_SUSPENDED;
	st->driver_features = features;
	st->device_features = features | UINT64_C(0x8000) |
			UINT64_C(1) << RTE_VHOST_STATE_F_SUSPEND;
	st->net.mac = mac;
	st->net.mtu = 9000;
	st->net.status = 1;
	st->net.active_pairs = 1;
	st->net.rx_mode = 0x05;
	st->net.guest_offloads = features & (SAMPLE_F_GUEST_CSUM | SAMPLE_F_GUEST_TSO4);
}

static void
fill_vq(struct rte_vhost_state_vq *vq, uint16_t size, uint64_t base)
{
	vq->size = size;
	vq->enabled = true;
	vq->desc_addr = base;
	vq->driver_addr = base + UINT64_C(0x100000);
	vq->device_addr = base + UINT64_C(0x200000);
}

struct rte_vhost_state *
sample_split(void)
{
	struct rte_vhost_state *st = new_state(SAMPLE_VQS);
	struct rte_vhost_state_inflight *entry;
	struct rte_vhost_state_vq *vq;

	fill_device(st, FEATURES);
	vq = &st->vqs[0];
	fill_vq(vq, 256, UINT64_C(0x100000000));
	vq->avail_idx = 0x1234;
	vq->used_idx = 0x1234;
	vq->signalled_used = 0x1230;
	vq->signalled_valid = true;
	vq->stats.packets = 1000001;
	vq->stats.bytes = UINT64_C(0x123456789abc);

	vq = &st->vqs[SAMPLE_BUSY_VQ];
	fill_vq(vq, 8, UINT64_C(0x101000000));
	/* The free-running index has passed 65535. */
	vq->avail_idx = 2;
	vq->used_idx = 0xffff;
	vq->notify_pending = true;
	entry = new_inflight(st, SAMPLE_BUSY_VQ, 3);
	entry[0] = (struct rte_vhost_state_inflight){ 7, 7, 1, 41 };
	entry[1] = (struct rte_vhost_state_inflight){ 0, 0, 1, 44 };
	entry[2] = (struct rte_vhost_state_inflight){ 3, 3, 1, UINT64_C(0x100000000) };

	/* Set up by the driver, but not enabled. */
	fill_vq(&st->vqs[2], 32768, UINT64_C(0x7fff00000000));
	st->vqs[2].enabled = false;
	return st;
}

struct rte_vhost_state *
sample_packed(void)
{
	struct rte_vhost_state *st = new_state(SAMPLE_VQS);
	struct rte_vhost_state_inflight *entry;
	struct rte_vhost_state_vq *vq;

	fill_device(st, FEATURES | SAMPLE_F_RING_PACKED);
	vq = &st->vqs[0];
	/* A packed ring may have any size. */
	fill_vq(vq, 255, UINT64_C(0x100000000));
	vq->avail_idx = 254;
	vq->avail_wrap = 1;
	vq->used_idx = 254;
	vq->used_wrap = 1;
	vq->stats.packets = 77;
	vq->stats.bytes = 4928;

	vq = &st->vqs[SAMPLE_BUSY_VQ];
	fill_vq(vq, 10, UINT64_C(0x101000000));
	/* Available has wrapped, used has not: 10 - 8 + 3 = 5 descriptors. */
	vq->avail_idx = 3;
	vq->avail_wrap = 0;
	vq->used_idx = 8;
	vq->used_wrap = 1;
	vq->signalled_used = 0x8007;
	vq->signalled_valid = true;
	entry = new_inflight(st, SAMPLE_BUSY_VQ, 3);
	entry[0] = (struct rte_vhost_state_inflight){ 4, 0xabcd, 1, 100 };
	entry[1] = (struct rte_vhost_state_inflight){ 8, 9, 3, 101 };
	entry[2] = (struct rte_vhost_state_inflight){ 1, 2, 1, 103 };

	fill_vq(&st->vqs[2], 64, UINT64_C(0x102000000));
	st->vqs[2].avail_wrap = 1;
	st->vqs[2].used_wrap = 1;
	return st;
}

struct rte_vhost_state *
sample_packed_descs(void)
{
	struct rte_vhost_state *st = sample_packed();
	struct rte_vhost_state_desc *desc = new_descs(st, SAMPLE_BUSY_VQ, 5);

	/* Three chains: an indirect table; three descriptors, two of them WRITE; one descriptor. */
	desc[0] = (struct rte_vhost_state_desc){ UINT64_C(0x7ffe12345670), 48, 0xabcd,
			RTE_VHOST_STATE_DESC_F_INDIRECT };
	desc[1] = (struct rte_vhost_state_desc){ 0x1000, 12, 9, RTE_VHOST_STATE_DESC_F_NEXT };
	desc[2] = (struct rte_vhost_state_desc){ 0x2001, 0xffffffff, 0xffff,
			RTE_VHOST_STATE_DESC_F_NEXT | RTE_VHOST_STATE_DESC_F_WRITE };
	desc[3] = (struct rte_vhost_state_desc){ 0x3002, 1526, 9, RTE_VHOST_STATE_DESC_F_WRITE };
	desc[4] = (struct rte_vhost_state_desc){ UINT64_C(0x8000000000), 64, 2, 0 };
	return st;
}

struct rte_vhost_state *
sample_blk(void)
{
	struct rte_vhost_state *st = sample_packed_descs();

	st->device_id = RTE_VHOST_STATE_ID_BLK;
	memset(st->class_data, 0, sizeof(st->class_data));
	st->blk.capacity = UINT64_C(0x1122334456778);
	st->blk.blk_size = 4096;
	st->blk.read_only = 0;
	st->blk.write_cache = 1;
	return st;
}

struct rte_vhost_state *
sample_net_ctrl(void)
{
	static const struct rte_ether_addr macs[] = {
		{ { 0x02, 0, 0, 0, 0, 1 } }, { { 0x02, 0, 0, 0, 0, 2 } },
		{ { 0x33, 0x33, 0, 0, 0, 1 } },
	};
	struct rte_vhost_state *st = new_state(SAMPLE_CTRL_VQ + 1);
	struct rte_vhost_state_net_ctrl *ctrl = &st->net.ctrl;
	uint16_t i;

	fill_device(st, FEATURES | SAMPLE_F_RING_PACKED | SAMPLE_F_CTRL);
	for (i = 0; i < st->nb_vqs; i++) {
		fill_vq(&st->vqs[i], 64, UINT64_C(0x100000000) + i * UINT64_C(0x1000000));
		st->vqs[i].avail_wrap = st->vqs[i].used_wrap = 1;
	}
	st->vqs[SAMPLE_CTRL_VQ].avail_idx = st->vqs[SAMPLE_CTRL_VQ].used_idx = 24;
	ctrl->accepted = (1 << RTE_VHOST_STATE_NET_CTRL_MAX) - 1;
	/* ALLMULTI and NOBCAST */
	ctrl->rx_mode = st->net.rx_mode = 0x22;
	ctrl->mac = macs[1];
	st->net.mac = macs[1];
	st->net.active_pairs = ctrl->pairs = 2;
	ctrl->offloads = SAMPLE_F_GUEST_CSUM;
	st->net.guest_offloads = SAMPLE_F_GUEST_CSUM;
	ctrl->nb_unicast = 2;
	ctrl->nb_multicast = 1;
	memcpy(ctrl->macs, macs, sizeof(macs));
	ctrl->vlans[0] = UINT64_C(0x8000000000000002);
	ctrl->vlans[63] = UINT64_C(0x8000000000000000);
	return st;
}

struct rte_vhost_state_limits
sample_net_ctrl_limits(void)
{
	struct rte_vhost_state_limits lim = sample_limits();

	lim.max_vqs = SAMPLE_CTRL_VQ + 1;
	lim.ctrl_vq = SAMPLE_CTRL_VQ;
	return lim;
}

struct rte_vhost_state_limits
sample_blk_limits(void)
{
	struct rte_vhost_state_limits lim = sample_limits();

	lim.device_id = RTE_VHOST_STATE_ID_BLK;
	lim.blk_capacity = UINT64_C(0x1122334456778);
	lim.blk_size = 4096;
	return lim;
}

struct rte_vhost_state *
sample_console(void)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_console_port *port = st->console.ports;
	unsigned int i;

	st->device_id = RTE_VHOST_STATE_ID_CONSOLE;
	memset(st->class_data, 0, sizeof(st->class_data));
	st->console.driver_ready = 1;
	st->console.nb_ports = 3;
	port[0].guest_open = 1;
	port[0].ready = 1;
	port[0].due = RTE_VHOST_STATE_CONSOLE_DUE_RESIZE | RTE_VHOST_STATE_CONSOLE_DUE_OPEN;
	port[0].cols = 80;
	port[0].rows = 0x1234;
	memcpy(port[0].name, "org.vstate.0", 12);
	/* the first buffer in flight of SAMPLE_BUSY_VQ */
	port[0].to_host = (struct rte_vhost_state_console_transfer){ 7,
		UINT64_C(0x1122334455) };
	port[0].nb_pending = SAMPLE_PENDING;
	for (i = 0; i < SAMPLE_PENDING; i++)
		port[0].pending[i] = i * 7;
	port[1].host_open = 1;
	port[1].due = RTE_VHOST_STATE_CONSOLE_DUE_ADD;
	port[2].nb_pending = 2;
	memcpy(port[2].pending, "\xffx", 2);
	return st;
}

struct rte_vhost_state_limits
sample_console_limits(void)
{
	struct rte_vhost_state_limits lim = sample_limits();

	lim.device_id = RTE_VHOST_STATE_ID_CONSOLE;
	lim.console_ports = 3;
	return lim;
}

struct rte_vhost_state *
sample_scsi(void)
{
	struct rte_vhost_state *st = sample_packed_descs();
	struct rte_vhost_state_scsi_lun *lun = st->scsi.luns;

	st->device_id = RTE_VHOST_STATE_ID_SCSI;
	memset(st->class_data, 0, sizeof(st->class_data));
	st->scsi.sense_size = 96;
	st->scsi.cdb_size = 32;
	st->scsi.nb_luns = 2;
	lun[0].disk = (struct rte_vhost_state_blk){ 0x123456, 512, 0, 1 };
	lun[0].attention = RTE_VHOST_STATE_SCSI_ATTENTION_RESET |
		RTE_VHOST_STATE_SCSI_ATTENTION_CAPACITY;
	lun[0].event = 1;
	memcpy(lun[0].serial, "vstate-0", 8);
	lun[1].disk = (struct rte_vhost_state_blk){ UINT64_C(0x1122334455678), 4096, 1, 0 };
	memcpy(lun[1].serial, "twenty characters ok-1", 22);
	return st;
}

struct rte_vhost_state_limits
sample_scsi_limits(void)
{
	struct rte_vhost_state_limits lim = sample_limits();
	struct rte_vhost_state *st = sample_scsi();

	lim.device_id = RTE_VHOST_STATE_ID_SCSI;
	lim.scsi_luns = st->scsi.nb_luns;
	memcpy(lim.scsi_lun, st->scsi.luns, sizeof(lim.scsi_lun));
	rte_vhost_state_free(st);
	return lim;
}

struct rte_vhost_state *
sample_split_full(uint16_t used_idx)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_vq *vq = &st->vqs[2];
	uint16_t n;

	new_inflight(st, 2, vq->size);
	for (n = 0; n < vq->size; n++)
		vq->inflight[n] = (struct rte_vhost_state_inflight){ n, n, 1, n };
	vq->used_idx = used_idx;
	vq->avail_idx = (uint16_t)(used_idx + vq->size);
	return st;
}

struct rte_vhost_state_limits
sample_limits(void)
{
	return (struct rte_vhost_state_limits){
		.device_id = RTE_VHOST_STATE_ID_NET,
		.device_features = UINT64_MAX,
		.max_vqs = SAMPLE_VQS,
		.max_mtu = 9000,
		.inflight = true,
	};
}

/* ---- random ---- */

/* SplitMix64: every seed is valid, also 0. */
static uint64_t
draw_random(uint64_t *seed, uint64_t bound)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % bound;
}

/** Add buffers in flight. Their IDs are unique: consecutive, from a random one on. */
static void
random_inflight(struct rte_vhost_state *st, uint16_t i, bool packed, uint16_t nb, uint64_t *seed)
{
	struct rte_vhost_state_vq *vq = &st->vqs[i];
	struct rte_vhost_state_inflight *entry = new_inflight(st, i, nb);
	uint64_t counter = draw_random(seed, 1000);
	uint16_t id = (uint16_t)draw_random(seed, vq->size);
	uint16_t n;

	for (n = 0; n < nb; n++) {
		entry[n].id = id;
		entry[n].head = packed ? (uint16_t)draw_random(seed, vq->size) : id;
		entry[n].num = 1;
		counter += 1 + draw_random(seed, 3);
		entry[n].counter = counter;
		id = (uint16_t)((id + 1) % vq->size);
	}
}

/** Spread @p descs descriptors over the chains in flight. */
static uint32_t
random_chains(struct rte_vhost_state_vq *vq, uint64_t *seed)
{
	uint32_t descs = vq->nb_inflight;
	uint16_t n, more;

	for (n = 0; n < vq->nb_inflight && descs < vq->size; n++) {
		more = (uint16_t)draw_random(seed, vq->size - descs + 1);
		vq->inflight[n].num += more;
		descs += more;
	}
	return descs;
}

/** Add the descriptors of the buffers in flight, in seven of eight states. */
static void
random_descs(struct rte_vhost_state *st, uint16_t i, uint32_t descs, uint64_t *seed)
{
	struct rte_vhost_state_vq *vq = &st->vqs[i];
	struct rte_vhost_state_desc *desc;
	uint16_t n, d, num;

	if (draw_random(seed, 8) == 0)
		return;
	desc = new_descs(st, i, descs);
	for (n = 0; n < vq->nb_inflight; n++) {
		num = vq->inflight[n].num;
		for (d = 0; d < num; d++, desc++) {
			desc->addr = draw_random(seed, UINT64_MAX);
			desc->len = (uint32_t)draw_random(seed, UINT32_MAX);
			desc->flags = draw_random(seed, 2) != 0 ? RTE_VHOST_STATE_DESC_F_WRITE : 0;
			if (d + 1 < num)
				desc->flags |= RTE_VHOST_STATE_DESC_F_NEXT;
			else if (num == 1 && draw_random(seed, 2) != 0)
				desc->flags |= RTE_VHOST_STATE_DESC_F_INDIRECT;
			desc->id = d + 1 < num ? (uint16_t)draw_random(seed, 65536) :
					vq->inflight[n].id;
		}
	}
}

static void
random_indices(struct rte_vhost_state_vq *vq, bool packed, uint32_t descs, uint64_t *seed)
{
	uint32_t pos;

	if (!packed) {
		vq->used_idx = (uint16_t)draw_random(seed, 65536);
		vq->avail_idx = (uint16_t)(vq->used_idx + descs);
		return;
	}
	/* The wrap counter toggles each time the position passes the end of the ring. */
	pos = (uint32_t)draw_random(seed, vq->size);
	vq->used_idx = (uint16_t)pos;
	vq->used_wrap = (uint8_t)draw_random(seed, 2);
	vq->avail_wrap = vq->used_wrap;
	for (pos += descs; pos >= vq->size; pos -= vq->size)
		vq->avail_wrap ^= 1;
	vq->avail_idx = (uint16_t)pos;
}

/* Settings of the control queue, in half of the states. */
static void
random_ctrl(struct rte_vhost_state *st, uint64_t *seed)
{
	struct rte_vhost_state_net_ctrl *ctrl = &st->net.ctrl;
	unsigned int i, b, nb;

	if (draw_random(seed, 2) == 0)
		return;
	st->driver_features |= SAMPLE_F_CTRL;
	st->device_features |= SAMPLE_F_CTRL;
	ctrl->accepted = (uint16_t)draw_random(seed, 1 << RTE_VHOST_STATE_NET_CTRL_MAX);
	st->net.rx_mode = (uint8_t)draw_random(seed, 64);
	ctrl->rx_mode = st->net.rx_mode & ctrl->accepted;
	if ((ctrl->accepted >> RTE_VHOST_STATE_NET_CTRL_MAC_ADDR & 1) != 0)
		ctrl->mac = st->net.mac;
	if ((ctrl->accepted >> RTE_VHOST_STATE_NET_CTRL_PAIRS & 1) != 0)
		ctrl->pairs = st->net.active_pairs;
	if ((ctrl->accepted >> RTE_VHOST_STATE_NET_CTRL_OFFLOADS & 1) != 0)
		ctrl->offloads = st->net.guest_offloads;
	if ((ctrl->accepted >> RTE_VHOST_STATE_NET_CTRL_MAC_TABLE & 1) != 0) {
		ctrl->nb_unicast = (uint16_t)draw_random(seed, RTE_VHOST_STATE_NET_MACS + 1);
		ctrl->nb_multicast = (uint16_t)draw_random(seed,
				RTE_VHOST_STATE_NET_MACS + 1 - ctrl->nb_unicast);
	}
	nb = ctrl->nb_unicast + ctrl->nb_multicast;
	for (i = 0; i < nb; i++)
		for (b = 0; b < RTE_ETHER_ADDR_LEN; b++)
			ctrl->macs[i].addr_bytes[b] = (uint8_t)draw_random(seed, 256);
	for (i = 0; i < 4; i++)
		ctrl->vlans[draw_random(seed, 64)] |= UINT64_C(1) << draw_random(seed, 64);
}

static void
random_vq(struct rte_vhost_state *st, uint16_t i, bool packed, uint64_t *seed)
{
	struct rte_vhost_state_vq *vq = &st->vqs[i];
	uint32_t descs;
	uint16_t size;

	if (draw_random(seed, 8) == 0)
		return;
	size = packed ? (uint16_t)(1 + draw_random(seed, 300)) :
			(uint16_t)(1 << draw_random(seed, 9));
	fill_vq(vq, size, draw_random(seed, UINT64_C(1) << 50) & ~UINT64_C(15));
	vq->enabled = draw_random(seed, 2) != 0;
	random_inflight(st, i, packed, (uint16_t)draw_random(seed, vq->size + 1), seed);
	descs = packed ? random_chains(vq, seed) : vq->nb_inflight;
	if (packed)
		random_descs(st, i, descs, seed);
	random_indices(vq, packed, descs, seed);
	vq->signalled_used = (uint16_t)draw_random(seed, 65536);
	vq->signalled_valid = draw_random(seed, 2) != 0;
	vq->notify_pending = draw_random(seed, 2) != 0;
	if (draw_random(seed, 2) != 0) {
		vq->stats.packets = draw_random(seed, UINT64_MAX);
		vq->stats.bytes = draw_random(seed, UINT64_MAX);
	}
}

struct rte_vhost_state *
sample_random(uint64_t seed)
{
	const uint16_t nb_vqs = (uint16_t)(2 + draw_random(&seed, 9));
	struct rte_vhost_state *st = new_state(nb_vqs);
	const bool packed = draw_random(&seed, 2) != 0;
	uint16_t i;

	fill_device(st, FEATURES | (packed ? SAMPLE_F_RING_PACKED : 0));
	st->net.active_pairs = (uint16_t)(1 + draw_random(&seed, nb_vqs / 2));
	st->net.mtu = (uint16_t)(68 + draw_random(&seed, 65536 - 68));
	random_ctrl(st, &seed);
	for (i = 0; i < nb_vqs; i++)
		random_vq(st, i, packed, &seed);
	return st;
}

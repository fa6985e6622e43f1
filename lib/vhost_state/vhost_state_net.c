/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include "vhost_state_bytes.h"
#include "vhost_state_net.h"
#include "vhost_state_net_ctrl.h"
#include "vhost_state_reason.h"

#define FAULT(e, reason, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, -1, -1, expected, found)

/* ---- part ---- */

/*
 * NET:
 *   0  u8   mac[6]
 *   6  le16 mtu
 *   8  le16 status
 *  10  le16 active_pairs
 *  12  u8   rx_mode
 *  13  u8   reserved[3]   0
 *  16  le64 guest_offloads
 */
#define NET_TYPE 0xf000
#define NET_SIZE 24

static void
encode_net(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	const struct rte_vhost_state_net *net = &st->net;
	uint8_t b[NET_SIZE] = { 0 };

	memcpy(b, net->mac.addr_bytes, RTE_ETHER_ADDR_LEN);
	vhost_state_put_le(b + 6, net->mtu, 2);
	vhost_state_put_le(b + 8, net->status, 2);
	vhost_state_put_le(b + 10, net->active_pairs, 2);
	b[12] = net->rx_mode;
	vhost_state_put_le(b + 16, net->guest_offloads, 8);
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_net(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	struct rte_vhost_state_net *net = &st->net;

	memcpy(net->mac.addr_bytes, v->p, RTE_ETHER_ADDR_LEN);
	net->mtu = vhost_state_get_le16(v->p + 6);
	net->status = vhost_state_get_le16(v->p + 8);
	net->active_pairs = vhost_state_get_le16(v->p + 10);
	net->rx_mode = v->p[12];
	net->guest_offloads = vhost_state_get_le64(v->p + 16);
	return vhost_state_part_check_zero(v, 13, 16, e);
}

/* ---- checks ---- */

static uint64_t
mac_value(const struct rte_ether_addr *mac)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < RTE_ETHER_ADDR_LEN; i++)
		value = value << 8 | mac->addr_bytes[i];
	return value;
}

static int
check_net(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_net *net = &st->net;
	const uint16_t pairs = st->nb_vqs / 2;
	uint64_t extra = net->guest_offloads & ~st->driver_features;

	if (!rte_is_valid_assigned_ether_addr(&net->mac))
		return FAULT(e, NET_MAC, 0, mac_value(&net->mac));
	if (net->mtu < RTE_ETHER_MIN_MTU)
		return FAULT(e, NET_MTU, RTE_ETHER_MIN_MTU, net->mtu);
	if (net->active_pairs == 0 || net->active_pairs > pairs)
		return FAULT(e, NET_QUEUE_PAIRS, pairs, net->active_pairs);
	if (extra != 0)
		return FAULT(e, NET_OFFLOADS, 0, extra);
	return vhost_state_net_ctrl_check(st, e);
}

static const enum rte_vhost_state_reason net_reasons[] = {
	RTE_VHOST_STATE_R_NET_MAC,
	RTE_VHOST_STATE_R_NET_MTU,
	RTE_VHOST_STATE_R_NET_QUEUE_PAIRS,
	RTE_VHOST_STATE_R_NET_OFFLOADS,
	RTE_VHOST_STATE_R_NONE,
};

static int
check_net_fit(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	if (st->net.mtu > lim->max_mtu)
		return FAULT(e, FIT_MTU, lim->max_mtu, st->net.mtu);
	return vhost_state_net_ctrl_check_fit(st, lim, e);
}

/* Padding has no defined value, so the fields are compared one by one. */
static bool
net_equal(const struct rte_vhost_state *st_a, const struct rte_vhost_state *st_b)
{
	const struct rte_vhost_state_net *a = &st_a->net, *b = &st_b->net;

	return rte_is_same_ether_addr(&a->mac, &b->mac) && a->mtu == b->mtu &&
			a->status == b->status && a->active_pairs == b->active_pairs &&
			a->rx_mode == b->rx_mode && a->guest_offloads == b->guest_offloads &&
			vhost_state_net_ctrl_equal(&a->ctrl, &b->ctrl);
}

/* ---- text ---- */

static void
dump_net(const struct rte_vhost_state *st, FILE *f)
{
	const struct rte_vhost_state_net *net = &st->net;

	fprintf(f, "  mac              " RTE_ETHER_ADDR_PRT_FMT "\n",
			RTE_ETHER_ADDR_BYTES(&net->mac));
	fprintf(f, "  mtu              %u\n", net->mtu);
	fprintf(f, "  net status       0x%04x\n", net->status);
	fprintf(f, "  queue pairs      %u\n", net->active_pairs);
	fprintf(f, "  rx mode          0x%02x\n", net->rx_mode);
	fprintf(f, "  guest offloads   0x%016" PRIx64 "\n", net->guest_offloads);
	vhost_state_net_ctrl_dump(&net->ctrl, f);
}

static void
dump_net_json(const struct rte_vhost_state *st, FILE *f)
{
	const struct rte_vhost_state_net *net = &st->net;
	const uint8_t *mac = net->mac.addr_bytes;

	fprintf(f, "\"mac\": \"%02x:%02x:%02x:%02x:%02x:%02x\", ", mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5]);
	fprintf(f, "\"mtu\": %u, \"status\": %u, \"active_pairs\": %u, \"rx_mode\": %u, ",
			net->mtu, net->status, net->active_pairs, net->rx_mode);
	fprintf(f, "\"guest_offloads\": \"0x%" PRIx64 "\"", net->guest_offloads);
	vhost_state_net_ctrl_dump_json(&net->ctrl, f);
}

const struct vhost_state_class vhost_state_net = {
	.device_id = RTE_VHOST_STATE_ID_NET,
	.name = "net",
	/* A device without a queue pair is refused by its number of active pairs. */
	.min_vqs = 1,
	.max_vqs = RTE_VHOST_STATE_MAX_VQ,
	.parts = {
		VHOST_STATE_NET_CVQ_CFG,
		{
			.type = NET_TYPE, .mandatory = true,
			.unit = NET_SIZE, .max_units = 1,
			.encode = encode_net, .decode = decode_net,
			.reasons = net_reasons,
		},
		VHOST_STATE_NET_VLANS,
	},
	.check = check_net,
	.check_fit = check_net_fit,
	.equal = net_equal,
	.dump = dump_net,
	.dump_json = dump_net_json,
};

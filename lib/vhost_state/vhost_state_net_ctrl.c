/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include <rte_bitops.h>

#include "vhost_state_bytes.h"
#include "vhost_state_net_ctrl.h"
#include "vhost_state_reason.h"

#define FAULT(e, reason, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, -1, -1, expected, found)

/* Feature bits (VIRTIO 1.4 "Network Device"). */
#define F_CTRL_GUEST_OFFLOADS	2
#define F_CTRL_VQ		17
#define F_CTRL_RX		18
#define F_CTRL_VLAN		19
#define F_CTRL_RX_EXTRA		20
#define F_MQ			22
#define F_CTRL_MAC_ADDR		23

/* Receive offloads that a driver can switch: CSUM, TSO4, TSO6, ECN, UFO, USO4, USO6. */
#define GUEST_OFFLOADS \
	(RTE_BIT64(1) | RTE_BIT64(7) | RTE_BIT64(8) | RTE_BIT64(9) | RTE_BIT64(10) | \
	 RTE_BIT64(54) | RTE_BIT64(55))

#define CTRL(name) RTE_VHOST_STATE_NET_CTRL_##name
/* The commands that are modes of reception. */
#define RX_MODES ((1u << (CTRL(NOBCAST) + 1)) - 1)

const uint16_t vhost_state_net_ctrl_selectors[] = {
#define CTRL_SELECTOR(name, class, cmd) (class) | (cmd) << 8,
	RTE_VHOST_STATE_NET_CTRLS(CTRL_SELECTOR)
#undef CTRL_SELECTOR
};

/* The feature that each command needs, besides CTRL_VQ. */
static const uint8_t ctrl_features[CTRL(MAX)] = {
	[CTRL(PROMISC)] = F_CTRL_RX,
	[CTRL(ALLMULTI)] = F_CTRL_RX,
	[CTRL(ALLUNI)] = F_CTRL_RX_EXTRA,
	[CTRL(NOMULTI)] = F_CTRL_RX_EXTRA,
	[CTRL(NOUNI)] = F_CTRL_RX_EXTRA,
	[CTRL(NOBCAST)] = F_CTRL_RX_EXTRA,
	[CTRL(MAC_TABLE)] = F_CTRL_RX,
	[CTRL(MAC_ADDR)] = F_CTRL_MAC_ADDR,
	[CTRL(PAIRS)] = F_MQ,
	[CTRL(OFFLOADS)] = F_CTRL_GUEST_OFFLOADS,
};

static bool
ctrl_has(const struct rte_vhost_state_net_ctrl *ctrl, uint16_t cmd)
{
	return (ctrl->accepted >> cmd & 1) != 0;
}

static uint16_t
macs_count(const struct rte_vhost_state_net_ctrl *ctrl)
{
	return (uint16_t)RTE_MIN((uint32_t)ctrl->nb_unicast + ctrl->nb_multicast,
			(uint32_t)RTE_VHOST_STATE_NET_MACS);
}

/* ---- CVQ_CFG: the command-specific data of the last accepted command ---- */

/*
 *	PROMISC .. NOBCAST  u8   on              0 or 1
 *	MAC_TABLE           le32 unicast         number of addresses
 *	                    u8   [6]             each address
 *	                    le32 multicast       number of addresses
 *	                    u8   [6]             each address
 *	MAC_ADDR            u8   mac[6]
 *	PAIRS               le16 virtqueue_pairs
 *	OFFLOADS            le64 offloads
 */
static uint32_t
value_size(const struct rte_vhost_state_net_ctrl *ctrl, uint16_t cmd)
{
	switch (cmd) {
	case CTRL(MAC_TABLE):
		return 8 + macs_count(ctrl) * RTE_ETHER_ADDR_LEN;
	case CTRL(MAC_ADDR):
		return RTE_ETHER_ADDR_LEN;
	case CTRL(PAIRS):
		return 2;
	case CTRL(OFFLOADS):
		return 8;
	default:
		return 1;
	}
}

uint32_t
vhost_state_net_ctrl_units(const struct rte_vhost_state *st, uint16_t cmd)
{
	return ctrl_has(&st->net.ctrl, cmd) ? value_size(&st->net.ctrl, cmd) : 0;
}

static void
encode_macs(struct vhost_state_sink *sink, const struct rte_ether_addr *macs, uint16_t nb)
{
	uint8_t b[4];

	vhost_state_put_le(b, nb, 4);
	vhost_state_sink_put(sink, b, sizeof(b));
	if (nb > 0)
		vhost_state_sink_put(sink, macs, nb * sizeof(*macs));
}

void
vhost_state_net_ctrl_encode(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		uint16_t cmd)
{
	const struct rte_vhost_state_net_ctrl *ctrl = &st->net.ctrl;
	const uint16_t unicast = RTE_MIN(ctrl->nb_unicast, macs_count(ctrl));
	uint8_t b[8];

	switch (cmd) {
	case CTRL(MAC_TABLE):
		encode_macs(sink, ctrl->macs, unicast);
		encode_macs(sink, ctrl->macs + unicast, macs_count(ctrl) - unicast);
		return;
	case CTRL(MAC_ADDR):
		vhost_state_sink_put(sink, &ctrl->mac, RTE_ETHER_ADDR_LEN);
		return;
	case CTRL(PAIRS):
		vhost_state_put_le(b, ctrl->pairs, 2);
		break;
	case CTRL(OFFLOADS):
		vhost_state_put_le(b, ctrl->offloads, 8);
		break;
	default:
		b[0] = ctrl->rx_mode >> cmd & 1;
		break;
	}
	vhost_state_sink_put(sink, b, value_size(ctrl, cmd));
}

static int
fault_length(const struct vhost_state_value *v, uint32_t expected, struct rte_vhost_state_error *e)
{
	/* the length is the last field of the part's header */
	return vhost_state_fault(e, RTE_VHOST_STATE_R_PART_LENGTH, -1, v->offset - 4, expected,
			v->len);
}

/* Number of addresses at @p at; 0 where the value ends before it. */
static uint32_t
macs_number(const struct vhost_state_value *v, uint64_t at)
{
	return at + 4 <= v->len ? vhost_state_get_le32(v->p + at) : 0;
}

static int
decode_macs(struct rte_vhost_state_net_ctrl *ctrl, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	const uint64_t unicast = macs_number(v, 0);
	const uint64_t second = 4 + unicast * RTE_ETHER_ADDR_LEN;
	const uint64_t multicast = macs_number(v, second);
	const uint64_t size = second + 4 + multicast * RTE_ETHER_ADDR_LEN;

	/* the largest value of a part bounds both numbers */
	if (size != v->len)
		return fault_length(v, (uint32_t)RTE_MIN(size, (uint64_t)UINT32_MAX), e);
	ctrl->nb_unicast = (uint16_t)unicast;
	ctrl->nb_multicast = (uint16_t)multicast;
	memcpy(ctrl->macs, v->p + 4, unicast * RTE_ETHER_ADDR_LEN);
	memcpy(ctrl->macs + unicast, v->p + second + 4, multicast * RTE_ETHER_ADDR_LEN);
	return 0;
}

int
vhost_state_net_ctrl_decode(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	struct rte_vhost_state_net_ctrl *ctrl = &st->net.ctrl;
	const uint16_t cmd = v->instance;

	ctrl->accepted |= RTE_BIT32(cmd);
	if (cmd == CTRL(MAC_TABLE))
		return decode_macs(ctrl, v, e);
	if (v->len != value_size(ctrl, cmd))
		return fault_length(v, value_size(ctrl, cmd), e);
	switch (cmd) {
	case CTRL(MAC_ADDR):
		memcpy(&ctrl->mac, v->p, RTE_ETHER_ADDR_LEN);
		return 0;
	case CTRL(PAIRS):
		ctrl->pairs = vhost_state_get_le16(v->p);
		return 0;
	case CTRL(OFFLOADS):
		ctrl->offloads = vhost_state_get_le64(v->p);
		return 0;
	}
	if (v->p[0] > 1)
		return vhost_state_part_fault(v, 0, 1, v->p[0], e);
	ctrl->rx_mode |= v->p[0] << cmd;
	return 0;
}

/* ---- VLANs: le16 each, ascending ---- */

static bool
vlan_has(const struct rte_vhost_state_net_ctrl *ctrl, uint16_t vlan)
{
	return (ctrl->vlans[vlan / 64] >> vlan % 64 & 1) != 0;
}

static uint32_t
vlans_count(const struct rte_vhost_state_net_ctrl *ctrl)
{
	uint32_t n = 0;
	uint16_t i;

	for (i = 0; i < RTE_VHOST_STATE_NET_VLANS; i++)
		n += vlan_has(ctrl, i);
	return n;
}

/* Each check of a state asks this. */
static bool
vlans_any(const struct rte_vhost_state_net_ctrl *ctrl)
{
	uint64_t any = 0;
	size_t i;

	for (i = 0; i < RTE_DIM(ctrl->vlans); i++)
		any |= ctrl->vlans[i];
	return any != 0;
}

uint32_t
vhost_state_net_vlans_units(const struct rte_vhost_state *st, __rte_unused uint16_t instance)
{
	return vlans_count(&st->net.ctrl);
}

void
vhost_state_net_vlans_encode(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t instance)
{
	uint8_t b[2];
	uint16_t i;

	for (i = 0; i < RTE_VHOST_STATE_NET_VLANS; i++) {
		if (!vlan_has(&st->net.ctrl, i))
			continue;
		vhost_state_put_le(b, i, 2);
		vhost_state_sink_put(sink, b, sizeof(b));
	}
}

int
vhost_state_net_vlans_decode(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	uint16_t vlan, least = 0;
	uint32_t at;

	for (at = 0; at < v->len; at += 2) {
		vlan = vhost_state_get_le16(v->p + at);
		if (vlan < least || vlan >= RTE_VHOST_STATE_NET_VLANS)
			return vhost_state_part_fault(v, at, least, vlan, e);
		st->net.ctrl.vlans[vlan / 64] |= RTE_BIT64(vlan % 64);
		least = vlan + 1;
	}
	return 0;
}

/* ---- checks ---- */

static int
check_features(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_net_ctrl *ctrl = &st->net.ctrl;
	const bool vlans = vlans_any(ctrl);
	uint64_t needed = ctrl->accepted != 0 || vlans ? RTE_BIT64(F_CTRL_VQ) : 0;
	uint16_t cmd;

	if (ctrl->accepted >> CTRL(MAX) != 0)
		return FAULT(e, NET_CTRL_VALUE, RTE_BIT32(CTRL(MAX)) - 1, ctrl->accepted);
	for (cmd = 0; cmd < CTRL(MAX); cmd++)
		if (ctrl_has(ctrl, cmd))
			needed |= RTE_BIT64(ctrl_features[cmd]);
	if (vlans)
		needed |= RTE_BIT64(F_CTRL_VLAN);
	if ((needed & ~st->driver_features) != 0)
		return FAULT(e, NET_CTRL_FEATURE, st->driver_features, needed);
	return 0;
}

static int
check_value(bool good, uint64_t expected, uint64_t found, struct rte_vhost_state_error *e)
{
	return good ? 0 : FAULT(e, NET_CTRL_VALUE, expected, found);
}

int
vhost_state_net_ctrl_check(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_net *net = &st->net;
	const struct rte_vhost_state_net_ctrl *ctrl = &net->ctrl;
	const uint8_t modes = ctrl->accepted & RX_MODES;
	const uint32_t macs = (uint32_t)ctrl->nb_unicast + ctrl->nb_multicast;
	int ret = check_features(st, e);

	if (ret == 0)
		ret = check_value(ctrl->rx_mode == (net->rx_mode & modes), net->rx_mode & modes,
				ctrl->rx_mode, e);
	if (ret == 0 && ctrl_has(ctrl, CTRL(MAC_TABLE)))
		ret = check_value(macs <= RTE_VHOST_STATE_NET_MACS, RTE_VHOST_STATE_NET_MACS, macs,
				e);
	if (ret == 0 && ctrl_has(ctrl, CTRL(MAC_ADDR)))
		ret = check_value(rte_is_same_ether_addr(&ctrl->mac, &net->mac), 1, 0, e);
	if (ret == 0 && ctrl_has(ctrl, CTRL(PAIRS)))
		ret = check_value(ctrl->pairs == net->active_pairs, net->active_pairs, ctrl->pairs,
				e);
	if (ret == 0 && ctrl_has(ctrl, CTRL(OFFLOADS)))
		ret = check_value((ctrl->offloads & ~(st->driver_features & GUEST_OFFLOADS)) == 0 &&
				(net->guest_offloads & ~ctrl->offloads) == 0, net->guest_offloads,
				ctrl->offloads, e);
	return ret;
}

int
vhost_state_net_ctrl_check_fit(const struct rte_vhost_state *st,
		const struct rte_vhost_state_limits *lim, struct rte_vhost_state_error *e)
{
	const uint64_t both = RTE_BIT64(F_CTRL_VQ) | RTE_BIT64(F_MQ);
	const uint16_t last = st->nb_vqs - 1;

	/* without MQ it has index 2 in each device; a front end may also serve the queue itself */
	if ((st->driver_features & both) != both || last % 2 != 0 || last == 0 ||
			st->vqs[last].size == 0 || lim->ctrl_vq == last ||
			lim->ctrl_vq == UINT16_MAX)
		return 0;
	return vhost_state_fault(e, RTE_VHOST_STATE_R_FIT_CTRL_VQ, last, -1, lim->ctrl_vq, last);
}

bool
vhost_state_net_ctrl_equal(const struct rte_vhost_state_net_ctrl *a,
		const struct rte_vhost_state_net_ctrl *b)
{
	return a->accepted == b->accepted && a->rx_mode == b->rx_mode &&
		rte_is_same_ether_addr(&a->mac, &b->mac) && a->pairs == b->pairs &&
		a->offloads == b->offloads && a->nb_unicast == b->nb_unicast &&
		a->nb_multicast == b->nb_multicast &&
		memcmp(a->macs, b->macs, macs_count(a) * sizeof(a->macs[0])) == 0 &&
		memcmp(a->vlans, b->vlans, sizeof(a->vlans)) == 0;
}

/* ---- text ---- */

static const char *const ctrl_names[CTRL(MAX)] = {
	"promisc", "allmulti", "alluni", "nomulti", "nouni", "nobcast", "mac_table", "mac_addr",
	"pairs", "offloads",
};

static bool
is_empty(const struct rte_vhost_state_net_ctrl *ctrl)
{
	return ctrl->accepted == 0 && !vlans_any(ctrl);
}

static void
print_macs(const struct rte_vhost_state_net_ctrl *ctrl, uint16_t from, uint16_t to,
		const char *quote, const char *between, FILE *f)
{
	uint16_t i;

	for (i = from; i < to; i++)
		fprintf(f, "%s%s%02x:%02x:%02x:%02x:%02x:%02x%s", i > from ? between : "", quote,
				RTE_ETHER_ADDR_BYTES(&ctrl->macs[i]), quote);
}

static void
print_vlans(const struct rte_vhost_state_net_ctrl *ctrl, const char *between, FILE *f)
{
	const char *sep = "";
	uint16_t i;

	for (i = 0; i < RTE_VHOST_STATE_NET_VLANS; i++) {
		if (!vlan_has(ctrl, i))
			continue;
		fprintf(f, "%s%u", sep, i);
		sep = between;
	}
}

static void
print_value(const struct rte_vhost_state_net_ctrl *ctrl, uint16_t cmd, FILE *f)
{
	switch (cmd) {
	case CTRL(MAC_TABLE):
		fprintf(f, "%u unicast, %u multicast ", ctrl->nb_unicast, ctrl->nb_multicast);
		print_macs(ctrl, 0, macs_count(ctrl), "", " ", f);
		break;
	case CTRL(MAC_ADDR):
		fprintf(f, RTE_ETHER_ADDR_PRT_FMT, RTE_ETHER_ADDR_BYTES(&ctrl->mac));
		break;
	case CTRL(PAIRS):
		fprintf(f, "%u", ctrl->pairs);
		break;
	case CTRL(OFFLOADS):
		fprintf(f, "0x%016" PRIx64, ctrl->offloads);
		break;
	default:
		fputs((ctrl->rx_mode >> cmd & 1) != 0 ? "on" : "off", f);
		break;
	}
}

void
vhost_state_net_ctrl_dump(const struct rte_vhost_state_net_ctrl *ctrl, FILE *f)
{
	uint16_t cmd;

	for (cmd = 0; cmd < CTRL(MAX); cmd++) {
		if (!ctrl_has(ctrl, cmd))
			continue;
		fprintf(f, "  ctrl %-12s", ctrl_names[cmd]);
		print_value(ctrl, cmd, f);
		fputc('\n', f);
	}
	if (vlans_count(ctrl) == 0)
		return;
	fputs("  ctrl vlans       ", f);
	print_vlans(ctrl, " ", f);
	fputc('\n', f);
}

static void
print_value_json(const struct rte_vhost_state_net_ctrl *ctrl, uint16_t cmd, FILE *f)
{
	const uint8_t *mac = ctrl->mac.addr_bytes;

	switch (cmd) {
	case CTRL(MAC_TABLE):
		fputs("{\"unicast\": [", f);
		print_macs(ctrl, 0, RTE_MIN(ctrl->nb_unicast, macs_count(ctrl)), "\"", ", ", f);
		fputs("], \"multicast\": [", f);
		print_macs(ctrl, RTE_MIN(ctrl->nb_unicast, macs_count(ctrl)), macs_count(ctrl),
				"\"", ", ", f);
		fputs("]}", f);
		break;
	case CTRL(MAC_ADDR):
		fprintf(f, "\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3],
				mac[4], mac[5]);
		break;
	case CTRL(PAIRS):
		fprintf(f, "%u", ctrl->pairs);
		break;
	case CTRL(OFFLOADS):
		fprintf(f, "\"0x%" PRIx64 "\"", ctrl->offloads);
		break;
	default:
		fputs((ctrl->rx_mode >> cmd & 1) != 0 ? "true" : "false", f);
		break;
	}
}

void
vhost_state_net_ctrl_dump_json(const struct rte_vhost_state_net_ctrl *ctrl, FILE *f)
{
	uint16_t cmd;

	if (is_empty(ctrl))
		return;
	fputs(", \"ctrl\": {", f);
	for (cmd = 0; cmd < CTRL(MAX); cmd++) {
		if (!ctrl_has(ctrl, cmd))
			continue;
		fprintf(f, "\"%s\": ", ctrl_names[cmd]);
		print_value_json(ctrl, cmd, f);
		fputs(", ", f);
	}
	fputs("\"vlans\": [", f);
	print_vlans(ctrl, ", ", f);
	fputs("]}", f);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include "vstate_cvq_command.h"

#define CTRL(name) RTE_VHOST_STATE_NET_CTRL_##name

/* ---- values: the caller has checked the length ---- */

static uint64_t
le_get(const uint8_t *p, unsigned int bytes)
{
	uint64_t value = 0;

	memcpy(&value, p, bytes);
	return rte_le_to_cpu_64(value);
}

static enum vstate_cvq_refusal
rx_mode_run(struct rte_vhost_state_net_ctrl *ctrl, unsigned int mode, uint8_t on)
{
	if (on > 1)
		return VSTATE_CVQ_REFUSED_VALUE;
	ctrl->rx_mode = (ctrl->rx_mode & ~RTE_BIT32(mode)) | on << mode;
	ctrl->accepted |= RTE_BIT32(mode);
	return VSTATE_CVQ_REFUSED_NONE;
}

static enum vstate_cvq_refusal
mac_table_run(struct rte_vhost_state_net_ctrl *ctrl, const uint8_t *data, uint32_t len)
{
	uint64_t unicast, multicast, second;

	if (len < 8)
		return VSTATE_CVQ_REFUSED_LENGTH;
	unicast = le_get(data, 4);
	if (unicast > RTE_VHOST_STATE_NET_MACS)
		return VSTATE_CVQ_REFUSED_ADDRESSES;
	second = 4 + unicast * RTE_ETHER_ADDR_LEN;
	if (second + 4 > len)
		return VSTATE_CVQ_REFUSED_LENGTH;
	multicast = le_get(data + second, 4);
	if (unicast + multicast > RTE_VHOST_STATE_NET_MACS)
		return VSTATE_CVQ_REFUSED_ADDRESSES;
	if (second + 4 + multicast * RTE_ETHER_ADDR_LEN != len)
		return VSTATE_CVQ_REFUSED_LENGTH;
	memset(ctrl->macs, 0, sizeof(ctrl->macs));
	memcpy(ctrl->macs, data + 4, unicast * RTE_ETHER_ADDR_LEN);
	memcpy(ctrl->macs + unicast, data + second + 4, multicast * RTE_ETHER_ADDR_LEN);
	ctrl->nb_unicast = unicast;
	ctrl->nb_multicast = multicast;
	ctrl->accepted |= RTE_BIT32(CTRL(MAC_TABLE));
	return VSTATE_CVQ_REFUSED_NONE;
}

static enum vstate_cvq_refusal
mac_addr_run(struct rte_vhost_state_net_ctrl *ctrl, const uint8_t *data)
{
	struct rte_ether_addr mac;

	memcpy(&mac, data, sizeof(mac));
	if (!rte_is_valid_assigned_ether_addr(&mac))
		return VSTATE_CVQ_REFUSED_VALUE;
	rte_ether_addr_copy(&mac, &ctrl->mac);
	ctrl->accepted |= RTE_BIT32(CTRL(MAC_ADDR));
	return VSTATE_CVQ_REFUSED_NONE;
}

static enum vstate_cvq_refusal
vlan_run(struct rte_vhost_state_net_ctrl *ctrl, bool add, uint64_t vlan)
{
	if (vlan >= RTE_VHOST_STATE_NET_VLANS)
		return VSTATE_CVQ_REFUSED_VALUE;
	if (add)
		ctrl->vlans[vlan / 64] |= RTE_BIT64(vlan % 64);
	else
		ctrl->vlans[vlan / 64] &= ~RTE_BIT64(vlan % 64);
	return VSTATE_CVQ_REFUSED_NONE;
}

static enum vstate_cvq_refusal
pairs_run(struct rte_vhost_state_net_ctrl *ctrl, const struct vstate_cvq_rules *rules,
		uint64_t pairs)
{
	if (pairs == 0 || pairs > rules->pairs)
		return VSTATE_CVQ_REFUSED_VALUE;
	ctrl->pairs = pairs;
	ctrl->accepted |= RTE_BIT32(CTRL(PAIRS));
	return VSTATE_CVQ_REFUSED_NONE;
}

static enum vstate_cvq_refusal
offloads_run(struct rte_vhost_state_net_ctrl *ctrl, const struct vstate_cvq_rules *rules,
		uint64_t offloads)
{
	if ((offloads & ~(rules->features & VSTATE_CVQ_OFFLOADS)) != 0)
		return VSTATE_CVQ_REFUSED_VALUE;
	ctrl->offloads = offloads;
	ctrl->accepted |= RTE_BIT32(CTRL(OFFLOADS));
	return VSTATE_CVQ_REFUSED_NONE;
}

/* ---- the commands ---- */

#define ANY_LENGTH UINT32_MAX

struct command {
	uint8_t class, command;
	/** The feature that it needs, besides CTRL_VQ. */
	uint8_t feature;
	/** Bytes of its data, or ANY_LENGTH. */
	uint32_t len;
};

/* RSS, hash reports and coalescing are unknown: their features are not offered. */
static const struct command commands[] = {
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_F_CTRL_RX, 1 },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_F_CTRL_RX, 1 },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI, VIRTIO_NET_F_CTRL_RX_EXTRA, 1 },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOMULTI, VIRTIO_NET_F_CTRL_RX_EXTRA, 1 },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI, VIRTIO_NET_F_CTRL_RX_EXTRA, 1 },
	{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST, VIRTIO_NET_F_CTRL_RX_EXTRA, 1 },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_F_CTRL_RX, ANY_LENGTH },
	{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, VIRTIO_NET_F_CTRL_MAC_ADDR,
		RTE_ETHER_ADDR_LEN },
	{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, VIRTIO_NET_F_CTRL_VLAN, 2 },
	{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, VIRTIO_NET_F_CTRL_VLAN, 2 },
	{ VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, VIRTIO_NET_F_GUEST_ANNOUNCE, 0 },
	{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, VIRTIO_NET_F_MQ, 2 },
	{ VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
		VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, 8 },
};

static const struct command *
command_find(uint8_t class, uint8_t command)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(commands); i++)
		if (commands[i].class == class && commands[i].command == command)
			return &commands[i];
	return NULL;
}

enum vstate_cvq_refusal
vstate_cvq_command_run(struct rte_vhost_state_net_ctrl *ctrl, const struct vstate_cvq_rules *rules,
		const uint8_t *cmd, uint32_t len)
{
	const struct command *c;
	const uint8_t *data = cmd + 2;

	if (len < 2)
		return VSTATE_CVQ_REFUSED_LENGTH;
	c = command_find(cmd[0], cmd[1]);
	if (c == NULL)
		return VSTATE_CVQ_REFUSED_UNKNOWN;
	if ((rules->features & RTE_BIT64(c->feature)) == 0)
		return VSTATE_CVQ_REFUSED_FEATURE;
	len -= 2;
	if (c->len != ANY_LENGTH && len != c->len)
		return VSTATE_CVQ_REFUSED_LENGTH;
	switch (c->class) {
	case VIRTIO_NET_CTRL_RX:
		return rx_mode_run(ctrl, c->command, data[0]);
	case VIRTIO_NET_CTRL_MAC:
		return c->command == VIRTIO_NET_CTRL_MAC_TABLE_SET ?
			mac_table_run(ctrl, data, len) : mac_addr_run(ctrl, data);
	case VIRTIO_NET_CTRL_VLAN:
		return vlan_run(ctrl, c->command == VIRTIO_NET_CTRL_VLAN_ADD, le_get(data, 2));
	case VIRTIO_NET_CTRL_MQ:
		return pairs_run(ctrl, rules, le_get(data, 2));
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
		return offloads_run(ctrl, rules, le_get(data, 8));
	default:
		/* ANNOUNCE_ACK leaves no setting */
		return VSTATE_CVQ_REFUSED_NONE;
	}
}

/* ---- replay ---- */

static uint32_t
le_put(uint8_t *p, uint64_t value, unsigned int bytes)
{
	value = rte_cpu_to_le_64(value);
	memcpy(p, &value, bytes);
	return bytes;
}

static uint32_t
mac_table_make(uint8_t *p, const struct rte_vhost_state_net_ctrl *to)
{
	uint32_t len = le_put(p, to->nb_unicast, 4);

	memcpy(p + len, to->macs, to->nb_unicast * RTE_ETHER_ADDR_LEN);
	len += to->nb_unicast * RTE_ETHER_ADDR_LEN;
	len += le_put(p + len, to->nb_multicast, 4);
	memcpy(p + len, to->macs + to->nb_unicast, to->nb_multicast * RTE_ETHER_ADDR_LEN);
	return len + to->nb_multicast * RTE_ETHER_ADDR_LEN;
}

/* Make the command again whose result is in @p to. @return its length */
static uint32_t
command_make(uint8_t *cmd, const struct rte_vhost_state_net_ctrl *to, unsigned int which)
{
	static const uint8_t names[][2] = {
#define CTRL_NAME(name, class, cmd) { class, cmd },
		RTE_VHOST_STATE_NET_CTRLS(CTRL_NAME)
#undef CTRL_NAME
	};
	uint8_t *data = cmd + 2;

	memcpy(cmd, names[which], 2);
	switch (which) {
	case CTRL(MAC_TABLE):
		return 2 + mac_table_make(data, to);
	case CTRL(MAC_ADDR):
		memcpy(data, &to->mac, RTE_ETHER_ADDR_LEN);
		return 2 + RTE_ETHER_ADDR_LEN;
	case CTRL(PAIRS):
		return 2 + le_put(data, to->pairs, 2);
	case CTRL(OFFLOADS):
		return 2 + le_put(data, to->offloads, 8);
	default:
		data[0] = to->rx_mode >> which & 1;
		return 3;
	}
}

static enum vstate_cvq_refusal
replay_one(struct rte_vhost_state_net_ctrl *next, const struct vstate_cvq_rules *rules,
		const struct rte_vhost_state_net_ctrl *to, unsigned int which)
{
	uint8_t cmd[VSTATE_CVQ_COMMAND_MAX];

	if ((to->accepted >> which & 1) == 0)
		return VSTATE_CVQ_REFUSED_NONE;
	if (to->nb_unicast + to->nb_multicast > RTE_VHOST_STATE_NET_MACS)
		return VSTATE_CVQ_REFUSED_ADDRESSES;
	return vstate_cvq_command_run(next, rules, cmd, command_make(cmd, to, which));
}

static enum vstate_cvq_refusal
vlans_replay(struct rte_vhost_state_net_ctrl *next, const struct vstate_cvq_rules *rules,
		const struct rte_vhost_state_net_ctrl *to)
{
	uint8_t cmd[4] = { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD };
	enum vstate_cvq_refusal why = VSTATE_CVQ_REFUSED_NONE;
	unsigned int i;

	for (i = 0; i < RTE_VHOST_STATE_NET_VLANS && why == VSTATE_CVQ_REFUSED_NONE; i++) {
		if ((to->vlans[i / 64] >> i % 64 & 1) == 0)
			continue;
		le_put(cmd + 2, i, 2);
		why = vstate_cvq_command_run(next, rules, cmd, sizeof(cmd));
	}
	return why;
}

enum vstate_cvq_refusal
vstate_cvq_command_replay(struct rte_vhost_state_net_ctrl *ctrl,
		const struct vstate_cvq_rules *rules, const struct rte_vhost_state_net_ctrl *to)
{
	struct rte_vhost_state_net_ctrl next = { 0 };
	enum vstate_cvq_refusal why = VSTATE_CVQ_REFUSED_NONE;
	unsigned int which;

	for (which = 0; which < CTRL(MAX) && why == VSTATE_CVQ_REFUSED_NONE; which++)
		if (which != CTRL(PAIRS))
			why = replay_one(&next, rules, to, which);
	if (why == VSTATE_CVQ_REFUSED_NONE)
		why = vlans_replay(&next, rules, to);
	/* last: queues run with all other settings in force */
	if (why == VSTATE_CVQ_REFUSED_NONE)
		why = replay_one(&next, rules, to, CTRL(PAIRS));
	if (why == VSTATE_CVQ_REFUSED_NONE)
		*ctrl = next;
	return why;
}

/* ---- names ---- */

static struct {
	char name[16];
	const char *text;
} refusals[] = {
#define REFUSAL_ROW(name, text) [VSTATE_CVQ_REFUSED_##name] = { #name, text },
	VSTATE_CVQ_REFUSALS(REFUSAL_ROW)
#undef REFUSAL_ROW
};

/* Telemetry shows lower-case names. */
RTE_INIT(vstate_cvq_refusal_names_init)
{
	unsigned int i;
	char *p;

	for (i = 0; i < RTE_DIM(refusals); i++)
		for (p = refusals[i].name; *p != '\0'; p++)
			*p = tolower((unsigned char)*p);
}

const char *
vstate_cvq_refusal_name(enum vstate_cvq_refusal refusal)
{
	return (unsigned int)refusal < RTE_DIM(refusals) ? refusals[refusal].name : "unknown";
}

const char *
vstate_cvq_refusal_text(enum vstate_cvq_refusal refusal)
{
	return (unsigned int)refusal < RTE_DIM(refusals) ? refusals[refusal].text : "unknown";
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "clock.h"
#include "guest.h"
#include "guest_core.h"
#include "guest_ctrl.h"
#include "guest_frame.h"
#include "guest_layout.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_ring.h"

#define CTRL(name) RTE_VHOST_STATE_NET_CTRL_##name
#define POLL_US 20
/* An answer that no device gives. */
#define NO_ANSWER 0xee
/* Settings of one call of guest_ctrl_change(), and kinds of invalid commands. */
#define CHANGES 6
#define BAD_COMMANDS 8
/* Pieces of a command at random lengths, where the layout allows it. */
#define PIECES 3

static uint16_t
ctrl_vq(const struct guest *g)
{
	return 2 * g->conf.pairs;
}

int
guest_ctrl_reserve(struct guest *g)
{
	int ret;

	if (!g->conf.cvq)
		return 0;
	g->ctrl.rnd = g->conf.seed + 77;
	ret = guest_layout_ring(g, &g->ctrl.ring, g->ctrl.rnd + 1, PIECES + 1);
	if (ret < 0)
		return ret;
	g->ctrl.buf_gpa = guest_mem_reserve(&g->mem, GUEST_CTRL_MAX + PIECES * GUEST_SEG_GAP + 1,
		1);
	return g->ctrl.buf_gpa != 0 ? 0 : -ENOMEM;
}

void
guest_ctrl_reset(struct guest *g)
{
	if (g->conf.cvq)
		guest_ring_reset(&g->ctrl.ring);
}

void
guest_ctrl_free(struct guest *g)
{
	guest_ring_free(&g->ctrl.ring);
}

/* ---- one command ---- */

/* @return -errno */
static int
answer_wait(struct guest *g, uint64_t answer_gpa, uint8_t *answer)
{
	const uint64_t until = clock_ns() + GUEST_CTRL_MS * UINT64_C(1000000);
	uint32_t cookie, len;
	int ret;

	while ((ret = g->ctrl.ring.ops->take(&g->ctrl.ring, &cookie, &len)) == 0) {
		if (clock_ns() >= until)
			return -ETIMEDOUT;
		usleep(POLL_US);
	}
	if (ret < 0)
		return -EBADMSG;
	guest_mem_read(&g->mem, answer_gpa, answer, 1);
	return 0;
}

static int
command_add(struct guest *g, const uint8_t *cmd, uint32_t len, uint64_t *answer_gpa)
{
	struct guest_ctrl *c = &g->ctrl;
	const uint32_t most = RTE_MIN((uint32_t)PIECES, len);
	const uint16_t nb = g->conf.any_layout ? 1 + guest_rnd(&c->rnd, most) : 1;
	const bool indirect = c->ring.indirect && guest_rnd(&c->rnd, 2) == 0;
	const uint8_t none = NO_ANSWER;
	struct guest_seg segs[PIECES + 1];
	uint32_t done = 0;
	uint16_t i;

	guest_cut(&c->rnd, c->buf_gpa, len, nb, false, segs);
	for (i = 0; i < nb; i++) {
		guest_mem_write(&g->mem, segs[i].gpa, cmd + done, segs[i].len);
		done += segs[i].len;
	}
	*answer_gpa = segs[nb - 1].gpa + segs[nb - 1].len;
	guest_mem_write(&g->mem, *answer_gpa, &none, 1);
	segs[nb] = (struct guest_seg){ .gpa = *answer_gpa, .len = 1, .write = true };
	return c->ring.ops->add(&c->ring, segs, nb + 1, 0, indirect);
}

int
guest_ctrl_send(struct guest *g, uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	uint8_t cmd[GUEST_CTRL_MAX] = { class, command }, answer = NO_ANSWER;
	uint64_t answer_gpa;
	int ret;

	if (len > sizeof(cmd) - 2)
		return -EINVAL;
	if (len > 0)
		memcpy(cmd + 2, data, len);
	ret = command_add(g, cmd, len + 2, &answer_gpa);
	if (ret < 0)
		return ret;
	if (g->ctrl.ring.ops->publish(&g->ctrl.ring))
		guest_kick(g, ctrl_vq(g));
	ret = answer_wait(g, answer_gpa, &answer);
	if (ret < 0)
		return ret;
	return answer <= 1 ? answer : -EBADMSG;
}

/* ---- settings ---- */

static int
accepted_send(struct guest *g, uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	int ret = guest_ctrl_send(g, class, command, data, len);

	if (ret == 0)
		return 0;
	guest_complain(g, "control command %u of class %u: %s", command, class,
		ret > 0 ? "refused" : strerror(-ret));
	return -EBADMSG;
}

static int
mode_set(struct guest *g, unsigned int mode, uint8_t on)
{
	struct rte_vhost_state_net_ctrl *set = &g->ctrl.set;

	set->accepted |= RTE_BIT32(mode);
	set->rx_mode = (set->rx_mode & ~RTE_BIT32(mode)) | on << mode;
	return accepted_send(g, VIRTIO_NET_CTRL_RX, mode, &on, 1);
}

static void
mac_draw(struct guest *g, bool multicast, struct rte_ether_addr *mac)
{
	unsigned int i;

	for (i = 0; i < RTE_ETHER_ADDR_LEN; i++)
		mac->addr_bytes[i] = guest_rnd(&g->ctrl.rnd, 256);
	mac->addr_bytes[0] = (mac->addr_bytes[0] & ~1) | 2 | multicast;
}

/* The first unicast addresses are those of the guest's frames. */
static int
macs_set(struct guest *g)
{
	struct rte_vhost_state_net_ctrl *set = &g->ctrl.set;
	uint8_t data[8 + sizeof(set->macs)];
	const uint16_t pairs = g->conf.pairs;
	uint32_t number, len = 0;
	uint16_t i;

	memset(set->macs, 0, sizeof(set->macs));
	set->nb_unicast = pairs + guest_rnd(&g->ctrl.rnd, RTE_VHOST_STATE_NET_MACS - pairs + 1);
	set->nb_multicast = guest_rnd(&g->ctrl.rnd, RTE_VHOST_STATE_NET_MACS - set->nb_unicast + 1);
	for (i = 0; i < set->nb_unicast + set->nb_multicast; i++)
		mac_draw(g, i >= set->nb_unicast, &set->macs[i]);
	for (i = 0; i < pairs; i++)
		guest_frame_to(i, set->macs[i].addr_bytes);
	set->accepted |= RTE_BIT32(CTRL(MAC_TABLE));
	number = set->nb_unicast;
	memcpy(data, &number, sizeof(number));
	len = sizeof(number) + number * RTE_ETHER_ADDR_LEN;
	memcpy(data + sizeof(number), set->macs, len - sizeof(number));
	number = set->nb_multicast;
	memcpy(data + len, &number, sizeof(number));
	len += sizeof(number);
	memcpy(data + len, set->macs + set->nb_unicast, number * RTE_ETHER_ADDR_LEN);
	return accepted_send(g, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data,
		len + number * RTE_ETHER_ADDR_LEN);
}

static int
mac_set(struct guest *g)
{
	mac_draw(g, false, &g->ctrl.set.mac);
	g->ctrl.set.accepted |= RTE_BIT32(CTRL(MAC_ADDR));
	return accepted_send(g, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET,
		&g->ctrl.set.mac, RTE_ETHER_ADDR_LEN);
}

static int
vlan_set(struct guest *g)
{
	const uint16_t vlan = guest_rnd(&g->ctrl.rnd, RTE_VHOST_STATE_NET_VLANS);
	const bool add = guest_rnd(&g->ctrl.rnd, 4) != 0;

	if (add)
		g->ctrl.set.vlans[vlan / 64] |= RTE_BIT64(vlan % 64);
	else
		g->ctrl.set.vlans[vlan / 64] &= ~RTE_BIT64(vlan % 64);
	return accepted_send(g, VIRTIO_NET_CTRL_VLAN, add ? VIRTIO_NET_CTRL_VLAN_ADD :
		VIRTIO_NET_CTRL_VLAN_DEL, &vlan, sizeof(vlan));
}

/* Off and on again would change the checksums of frames that are on their way. */
static int
offloads_set(struct guest *g)
{
	const uint64_t all = RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) |
		RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) |
		RTE_BIT64(VIRTIO_NET_F_GUEST_ECN) | RTE_BIT64(VIRTIO_NET_F_GUEST_UFO);

	g->ctrl.set.offloads = g->features & all;
	g->ctrl.set.accepted |= RTE_BIT32(CTRL(OFFLOADS));
	return accepted_send(g, VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
		&g->ctrl.set.offloads, sizeof(g->ctrl.set.offloads));
}

static int
pairs_set(struct guest *g)
{
	g->ctrl.set.pairs = g->conf.pairs;
	g->ctrl.set.accepted |= RTE_BIT32(CTRL(PAIRS));
	return accepted_send(g, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
		&g->ctrl.set.pairs, sizeof(g->ctrl.set.pairs));
}

/* The modes in which the guest's own frames pass: all but NOUNI. */
static int
mode_draw(struct guest *g)
{
	static const uint8_t modes[] = { CTRL(PROMISC), CTRL(ALLMULTI), CTRL(ALLUNI),
		CTRL(NOMULTI), CTRL(NOBCAST) };

	return mode_set(g, modes[guest_rnd(&g->ctrl.rnd, RTE_DIM(modes))],
		guest_rnd(&g->ctrl.rnd, 2));
}

static int
setting_change(struct guest *g)
{
	switch (guest_rnd(&g->ctrl.rnd, 6)) {
	case 0:
		return macs_set(g);
	case 1:
		return mac_set(g);
	case 2:
		return offloads_set(g);
	case 3:
		return mode_draw(g);
	default:
		return vlan_set(g);
	}
}

/* A command that is not valid. */
static int
bad_send(struct guest *g)
{
	static const uint8_t data[GUEST_CTRL_MAX - 2] = { 0xff, 0xff, 0xff, 0xff };
	static const struct {
		uint8_t class, command;
		uint16_t len;
	} bad[BAD_COMMANDS] = {
		{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0 },
		{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST + 1, 1 },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 100 },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6 },
		{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2 },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2 },
		{ VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, 8 },
		{ 77, 0, sizeof(data) },
	};
	const uint32_t which = guest_rnd(&g->ctrl.rnd, BAD_COMMANDS);
	int ret = guest_ctrl_send(g, bad[which].class, bad[which].command, data, bad[which].len);

	if (ret == 1)
		return 0;
	guest_complain(g, "bad control command %u of class %u: %s", bad[which].command,
		bad[which].class, ret == 0 ? "accepted" : strerror(-ret));
	return -EBADMSG;
}

int
guest_ctrl_begin(struct guest *g)
{
	return guest_has(g, VIRTIO_NET_F_MQ) ? pairs_set(g) : 0;
}

int
guest_ctrl_change(struct guest *g)
{
	unsigned int i;
	int ret;

	/* before promiscuous mode can end, so that the guest's frames pass without it */
	if (!(g->ctrl.set.accepted & RTE_BIT32(CTRL(MAC_TABLE)))) {
		ret = macs_set(g);
		if (ret == 0)
			ret = mode_set(g, CTRL(PROMISC), 0);
		if (ret != 0)
			return ret;
	}
	for (i = 0; i < CHANGES; i++) {
		ret = setting_change(g);
		if (ret != 0)
			return ret;
	}
	return bad_send(g);
}

const struct rte_vhost_state_net_ctrl *
guest_ctrl_settings(const struct guest *g)
{
	return &g->ctrl.set;
}

const char *
guest_ctrl_differs(const struct guest *g, const struct rte_vhost_state *st)
{
	const struct rte_vhost_state_net_ctrl *a = &g->ctrl.set, *b = &st->net.ctrl;

	if (a->accepted != b->accepted)
		return "the commands that were accepted";
	if (a->rx_mode != b->rx_mode)
		return "the modes of reception";
	if (!rte_is_same_ether_addr(&a->mac, &b->mac))
		return "the MAC address";
	if (a->pairs != b->pairs)
		return "the number of queue pairs";
	if (a->offloads != b->offloads)
		return "the offloads";
	if (a->nb_unicast != b->nb_unicast || a->nb_multicast != b->nb_multicast ||
			memcmp(a->macs, b->macs, sizeof(a->macs)) != 0)
		return "the table of MAC addresses";
	return memcmp(a->vlans, b->vlans, sizeof(a->vlans)) == 0 ? NULL : "the VLANs";
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "vstate_cvq_command.h"
#include "vstate_net_filter.h"
#include "vstate_net_mbuf.h"
#include "vstate_net_ops.h"
#include "vstate_net_vq.h"

#define MODE(name) RTE_VHOST_STATE_NET_CTRL_##name

/* ---- build ---- */

static void
addrs_build(struct vstate_net_addrs *set, const struct rte_ether_addr *addrs, uint16_t nb)
{
	uint16_t i;

	memset(set->last_bytes, 0, sizeof(set->last_bytes));
	set->nb = nb;
	for (i = 0; i < nb; i++) {
		set->addrs[i] = addrs[i];
		set->last_bytes[addrs[i].addr_bytes[5] / 64] |=
			RTE_BIT64(addrs[i].addr_bytes[5] % 64);
	}
}

bool
vstate_net_filter_build(struct vstate_net_filter *f, const struct rte_vhost_state_net_ctrl *ctrl,
		const struct rte_ether_addr *mac, bool vlan)
{
	if (vstate_cvq_mode_is_on(ctrl, MODE(PROMISC)))
		return false;
	rte_ether_addr_copy(mac, &f->mac);
	f->allmulti = vstate_cvq_mode_is_on(ctrl, MODE(ALLMULTI));
	f->alluni = vstate_cvq_mode_is_on(ctrl, MODE(ALLUNI));
	f->nomulti = vstate_cvq_mode_is_on(ctrl, MODE(NOMULTI));
	f->nouni = vstate_cvq_mode_is_on(ctrl, MODE(NOUNI));
	f->nobcast = vstate_cvq_mode_is_on(ctrl, MODE(NOBCAST));
	f->vlan = vlan;
	memcpy(f->vlans, ctrl->vlans, sizeof(f->vlans));
	addrs_build(&f->unicast, ctrl->macs, ctrl->nb_unicast);
	addrs_build(&f->multicast, ctrl->macs + ctrl->nb_unicast, ctrl->nb_multicast);
	return true;
}

/* ---- one frame ---- */

static bool
addrs_have(const struct vstate_net_addrs *set, const struct rte_ether_addr *addr)
{
	const uint8_t last = addr->addr_bytes[5];
	uint16_t i;

	if ((set->last_bytes[last / 64] >> last % 64 & 1) == 0)
		return false;
	for (i = 0; i < set->nb; i++)
		if (rte_is_same_ether_addr(&set->addrs[i], addr))
			return true;
	return false;
}

/* A frame whose tag says priority only (VLAN 0) is in no VLAN. */
static bool
vlan_passes(const struct vstate_net_filter *f, const struct rte_mbuf *m)
{
	struct rte_vlan_hdr room;
	const struct rte_vlan_hdr *tag;
	rte_be16_t type_room;
	const rte_be16_t *type;
	uint16_t vlan;

	type = rte_pktmbuf_read(m, offsetof(struct rte_ether_hdr, ether_type), sizeof(*type),
			&type_room);
	if (type == NULL || *type != RTE_BE16(RTE_ETHER_TYPE_VLAN))
		return true;
	tag = rte_pktmbuf_read(m, RTE_ETHER_HDR_LEN, sizeof(*tag), &room);
	if (tag == NULL)
		return true;
	vlan = rte_be_to_cpu_16(tag->vlan_tci) % RTE_VHOST_STATE_NET_VLANS;
	return vlan == 0 || (f->vlans[vlan / 64] >> vlan % 64 & 1) != 0;
}

static bool
address_passes(const struct vstate_net_filter *f, const struct rte_ether_addr *to)
{
	if (rte_is_broadcast_ether_addr(to))
		return !f->nobcast;
	if (rte_is_multicast_ether_addr(to))
		return !f->nomulti && (f->allmulti || addrs_have(&f->multicast, to));
	return !f->nouni && (f->alluni || rte_is_same_ether_addr(to, &f->mac) ||
			addrs_have(&f->unicast, to));
}

bool
vstate_net_filter_passes(const struct vstate_net_filter *f, const struct rte_mbuf *m)
{
	struct rte_ether_addr room;
	const struct rte_ether_addr *to = rte_pktmbuf_read(m, 0, sizeof(room), &room);

	/* a frame without an address is dropped elsewhere, as a runt */
	if (to == NULL)
		return true;
	return (!f->vlan || vlan_passes(f, m)) && address_passes(f, to);
}

/* ---- bursts: the filter is one of the driver's receive queue ---- */

static uint16_t
filter_take(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	return nq->filtered_ops->take(nq, pool, pkts, n);
}

static void
filter_give(struct vstate_net_vq *nq, uint16_t n)
{
	nq->filtered_ops->give(nq, n);
}

static uint8_t
filter_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	return vstate_net_mbuf_look(pkts, n);
}

/*
 * Fill in up to VSTATE_BURST frames. Frames in front of one that finds no buffer are done, whether
 * they pass or not. What all frames have in common holds for those that pass as well.
 */
static uint16_t
burst_filter_fill(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	struct rte_mbuf *passing[VSTATE_BURST];
	uint16_t at[VSTATE_BURST];
	uint16_t nb = 0, put, done, i;

	for (i = 0; i < n; i++) {
		if (!vstate_net_filter_passes(nq->filter, pkts[i]))
			continue;
		at[nb] = i;
		passing[nb++] = pkts[i];
	}
	put = nb > 0 ? nq->filtered_ops->fill(nq, passing, nb, look) : 0;
	done = put < nb ? at[put] : n;
	nq->filtered += done - put;
	return done;
}

static uint16_t
filter_fill(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	uint16_t done = 0, some, batch;

	if (unlikely(nq->vq.fault != VSTATE_FAULT_NONE))
		return 0;
	do {
		batch = RTE_MIN(n - done, VSTATE_BURST);
		some = burst_filter_fill(nq, pkts + done, batch, look);
		done += some;
	} while (done < n && some == batch);
	return done;
}

static void
filter_flush(struct vstate_net_vq *nq)
{
	nq->filtered_ops->flush(nq);
}

static uint16_t
filter_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	uint16_t done = filter_fill(nq, pkts, n, look);

	nq->filtered_ops->flush(nq);
	return done;
}

static uint16_t
filter_count(struct vstate_net_vq *nq, uint16_t max)
{
	return nq->filtered_ops->count(nq, max);
}

void
vstate_net_filter_set(struct vstate_net_vq *nq, const struct vstate_net_filter *f)
{
	static const struct vstate_net_ops ops = {
		.take = filter_take,
		.give = filter_give,
		.look = filter_look,
		.put = filter_put,
		.fill = filter_fill,
		.flush = filter_flush,
		.count = filter_count,
	};

	nq->filter = f;
	if (nq->ops == &ops)
		nq->ops = nq->filtered_ops;
	if (f == NULL)
		return;
	nq->filtered_ops = nq->ops;
	nq->ops = &ops;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_jhash.h>
#include <rte_mbuf.h>

#include "ring/vstate_vq.h"
#include "vstate_log.h"
#include "vstate_net.h"
#include "vstate_net_bridge.h"
#include "vstate_net_offload.h"
#include "vstate_net_rarp.h"
#include "vstate_net_vq.h"


#define SERVICE_BURST 32
#define POOL_MBUFS 4095
#define POOL_CACHE 128
#define UPLINK_RING 1024
/* Seconds until a frame is dropped that the uplink does not accept. A live peer is faster. */
#define UPLINK_PATIENCE_S 1
#define CSUM_OFFLOADS (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

/** State of one queue pair between the guest and the uplink. */
struct bridge_pair {
	/** Frames of the uplink that found no buffers of the guest. They are sent first. */
	struct rte_mbuf *held[SERVICE_BURST];
	uint16_t nb_held;
	/** Timer cycles when the uplink began to accept no frame; 0 if it accepts frames. */
	uint64_t stuck_since;
};

struct vstate_net_bridge {
	struct vstate_dev *dev;
	struct rte_mempool *pool;
	/** Port of the uplink, or RTE_MAX_ETHPORTS to loop back. */
	uint16_t uplink;
	uint16_t uplink_queues;
	/** The uplink completes checksums of frames that it sends. */
	bool uplink_csum;
	/** Largest frame in bytes that the uplink receives. */
	uint32_t uplink_frame;
	struct bridge_pair pairs[VSTATE_MAX_QUEUES];
};

/* ---- polling ---- */

/*
 * Loop frames of the guest back to it. Both leases are held over the whole burst. Frames leave the
 * first queue before the guest sees them in the second one. A kill in between loses frames, but
 * cannot duplicate them.
 */
static uint16_t
pair_loop_back(struct vstate_net_bridge *srv, struct vstate_net_vq *from, struct vstate_net_vq *to)
{
	struct rte_mbuf *pkts[SERVICE_BURST];
	uint16_t nb, put = 0, i;

	if (!vstate_lease_take(&from->vq.lease))
		return 0;
	if (!vstate_lease_take(&to->vq.lease)) {
		vstate_lease_give(&from->vq.lease);
		return 0;
	}
	nb = from->ops->take(from, srv->pool, pkts, SERVICE_BURST);
	if (nb > 0) {
		for (i = 0; i < nb; i++)
			vstate_net_offload_turn(pkts[i]);
		put = to->ops->fill(to, pkts, nb, to->ops->look(pkts, nb));
		rte_pktmbuf_free_bulk(pkts, nb);
	}
	from->ops->give(from, put);
	to->ops->flush(to);
	vstate_lease_give(&to->vq.lease);
	vstate_lease_give(&from->vq.lease);
	return put;
}

/*
 * Whether to drop the first frame that was not sent. A frame that the uplink refuses, or does not
 * accept for UPLINK_PATIENCE_S, would block its queue. A NIC without a link drops frames too.
 */
static bool
head_is_lost(struct bridge_pair *br, uint16_t nb, uint16_t ready, uint16_t sent)
{
	uint64_t now;

	if (sent > 0 || ready == 0)
		br->stuck_since = 0;
	if (sent == ready)
		return ready < nb;
	if (sent > 0)
		return false;
	now = rte_get_timer_cycles();
	if (br->stuck_since == 0)
		br->stuck_since = now;
	return now - br->stuck_since > UPLINK_PATIENCE_S * rte_get_timer_hz();
}

/* Send frames of the guest to the uplink. @return buffers that the guest gets back */
static uint16_t
guest_to_uplink(struct vstate_net_bridge *srv, struct vstate_net_vq *from, struct bridge_pair *br,
		uint16_t queue)
{
	struct rte_mbuf *pkts[SERVICE_BURST];
	uint16_t nb, ready, sent = 0, lost = 0, i;

	if (!vstate_lease_take(&from->vq.lease)) {
		br->stuck_since = 0;
		return 0;
	}
	nb = from->ops->take(from, srv->pool, pkts, SERVICE_BURST);
	if (nb > 0) {
		for (i = 0; i < nb; i++)
			vstate_net_offload_turn(pkts[i]);
		ready = rte_eth_tx_prepare(srv->uplink, queue, pkts, nb);
		sent = rte_eth_tx_burst(srv->uplink, queue, pkts, ready);
		rte_pktmbuf_free_bulk(pkts + sent, nb - sent);
		lost = head_is_lost(br, nb, ready, sent);
		from->counters.uplink += lost;
	} else {
		br->stuck_since = 0;
	}
	from->ops->give(from, sent + lost);
	vstate_lease_give(&from->vq.lease);
	return sent + lost;
}

/*
 * Estimate for how many frames the guest has buffers now. Mergeable buffers usually have about
 * 4 KiB; 1 KiB is assumed, to be safe. In a packed ring, descriptors count instead of buffers.
 */
static uint16_t
room_estimate(struct vstate_net_bridge *srv, struct vstate_net_vq *to)
{
	uint16_t per_frame = 1, n;

	if (to->mergeable)
		per_frame += (srv->uplink_frame + to->hdr_len) / 1024;
	n = to->ops->count(to, RTE_MIN(SERVICE_BURST * per_frame, to->vq.size));
	if (n > 0 && n < per_frame)
		return 1;
	return RTE_MIN(n / per_frame, SERVICE_BURST);
}

/* Send frames of the uplink to the guest. @return frames sent */
static uint16_t
uplink_to_guest(struct vstate_net_bridge *srv, struct vstate_net_vq *to, struct bridge_pair *br,
		uint16_t queue)
{
	uint16_t put = 0, room;

	if (!vstate_lease_take(&to->vq.lease))
		return 0;
	room = br->nb_held == 0 ? room_estimate(srv, to) : 0;
	if (room > 0)
		br->nb_held = rte_eth_rx_burst(srv->uplink, queue, br->held, room);
	if (br->nb_held > 0) {
		put = to->ops->put(to, br->held, br->nb_held,
				to->ops->look(br->held, br->nb_held));
		rte_pktmbuf_free_bulk(br->held, put);
		br->nb_held -= put;
		memmove(br->held, br->held + put, br->nb_held * sizeof(br->held[0]));
	}
	vstate_lease_give(&to->vq.lease);
	return put;
}

/* Announce a guest that was migrated here and cannot announce itself. */
static void
guest_announce(struct vstate_net_bridge *srv)
{
	uint64_t due;
	struct rte_mbuf *m = vstate_net_rarp_make(vstate_net_of(srv->dev), srv->pool, &due);

	if (m == NULL)
		return;
	if (rte_eth_tx_burst(srv->uplink, 0, &m, 1) == 1)
		vstate_net_rarp_done(vstate_net_of(srv->dev), due);
	else
		rte_pktmbuf_free(m); /* retried at the next poll */
}

uint32_t
vstate_net_bridge_poll(struct vstate_dev *dev)
{
	struct vstate_net *net = vstate_net_of(dev);
	struct vstate_net_bridge *srv = net->bridge;
	uint16_t pair, queue;
	uint32_t work = 0;

	if (unlikely(rte_atomic_load_explicit(&net->rarp_due, rte_memory_order_relaxed) != 0) &&
			srv->uplink != RTE_MAX_ETHPORTS)
		guest_announce(srv);
	for (pair = 0; pair < vstate_net_pairs(dev); pair++) {
		struct vstate_net_vq *from = vstate_net_vq_of(dev->vqs[VSTATE_TXQ(pair)]);
		struct vstate_net_vq *to = vstate_net_vq_of(dev->vqs[VSTATE_RXQ(pair)]);

		if (srv->uplink == RTE_MAX_ETHPORTS) {
			work += pair_loop_back(srv, from, to);
			continue;
		}
		queue = pair % srv->uplink_queues;
		work += guest_to_uplink(srv, from, &srv->pairs[pair], queue);
		work += uplink_to_guest(srv, to, &srv->pairs[pair], queue);
	}
	return work;
}

void
vstate_net_bridge_begin(struct vstate_dev *dev)
{
	const struct vstate_net_bridge *srv = vstate_net_of(dev)->bridge;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_net_vq_of(dev->vqs[i])->linear = false;
		vstate_net_vq_of(dev->vqs[i])->lro_max = VSTATE_MAX_FRAME;
		vstate_net_vq_of(dev->vqs[i])->frame_max = VSTATE_MAX_FRAME;
		vstate_net_vq_of(dev->vqs[i])->complete_csum =
			srv->uplink != RTE_MAX_ETHPORTS && !srv->uplink_csum;
	}
}

/* ---- create and destroy ---- */

static int
uplink_open(struct vstate_net_bridge *srv, int socket)
{
	const char *name = vstate_net_conf_const(&srv->dev->conf)->uplink;
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	uint16_t q, mtu = 0;
	int ret;

	srv->uplink = RTE_MAX_ETHPORTS;
	if (name[0] == '\0')
		return 0;
	if (rte_eth_dev_get_port_by_name(name, &srv->uplink) != 0) {
		VSTATE_LOG(ERR, "%s: uplink port %s does not exist: create it before this device",
				srv->dev->name, name);
		return -ENODEV;
	}
	ret = rte_eth_dev_info_get(srv->uplink, &info);
	if (ret != 0)
		return ret;
	srv->uplink_queues = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
	srv->uplink_queues = RTE_MIN(srv->uplink_queues, srv->dev->conf.queues);
	conf.txmode.offloads = info.tx_offload_capa & (RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
			CSUM_OFFLOADS | RTE_ETH_TX_OFFLOAD_TCP_TSO);
	srv->uplink_csum = (conf.txmode.offloads & CSUM_OFFLOADS) == CSUM_OFFLOADS;
	ret = rte_eth_dev_configure(srv->uplink, srv->uplink_queues, srv->uplink_queues, &conf);
	for (q = 0; ret == 0 && q < srv->uplink_queues; q++) {
		ret = rte_eth_rx_queue_setup(srv->uplink, q, UPLINK_RING, socket, NULL, srv->pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(srv->uplink, q, UPLINK_RING, socket, NULL);
	}
	if (ret == 0)
		ret = rte_eth_dev_start(srv->uplink);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: cannot start uplink port %s: %s", srv->dev->name, name,
				strerror(-ret));
		return ret;
	}
	rte_eth_promiscuous_enable(srv->uplink);
	if (rte_eth_dev_get_mtu(srv->uplink, &mtu) != 0)
		mtu = RTE_ETHER_MTU;
	srv->uplink_frame = mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
	return 0;
}

/* Make a name that no other device's pool has: a long device name is cut and gets a hash. */
static void
pool_name_make(const char *dev, char name[RTE_MEMPOOL_NAMESIZE])
{
	if (snprintf(name, RTE_MEMPOOL_NAMESIZE, "vs_%s", dev) >= (int)RTE_MEMPOOL_NAMESIZE)
		snprintf(name, RTE_MEMPOOL_NAMESIZE, "vs_%.13s.%08x", dev,
			rte_jhash(dev, strlen(dev), 0));
}

/* Use the pool of an earlier device of this name again, if the uplink kept mbufs of it. */
static struct rte_mempool *
pool_get(const struct vstate_dev *dev, int socket)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	pool_name_make(dev->name, name);
	pool = rte_mempool_lookup(name);
	return pool != NULL ? pool : rte_pktmbuf_pool_create(name, POOL_MBUFS, POOL_CACHE, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE, socket);
}

/* The uplink's queues keep mbufs until the application closes the uplink. */
static void
pool_put(const struct vstate_net_bridge *srv)
{
	if (srv->pool == NULL || rte_mempool_full(srv->pool))
		rte_mempool_free(srv->pool);
	else
		VSTATE_LOG(NOTICE, "%s: the uplink holds %u mbufs, so their pool is not freed",
				srv->dev->name, rte_mempool_in_use_count(srv->pool));
}

int
vstate_net_bridge_create(struct vstate_dev *dev, int socket)
{
	struct vstate_net_bridge *srv;
	int ret;

	srv = calloc(1, sizeof(*srv));
	if (srv == NULL)
		return -ENOMEM;
	srv->dev = dev;
	vstate_net_of(dev)->bridge = srv;
	srv->pool = pool_get(dev, socket);
	ret = srv->pool != NULL ? uplink_open(srv, socket) : -rte_errno;
	if (ret != 0)
		vstate_net_bridge_destroy(dev);
	return ret;
}

void
vstate_net_bridge_destroy(struct vstate_dev *dev)
{
	struct vstate_net_bridge *srv = vstate_net_of(dev)->bridge;
	uint16_t i;

	if (srv == NULL)
		return;
	for (i = 0; i < VSTATE_MAX_QUEUES; i++)
		rte_pktmbuf_free_bulk(srv->pairs[i].held, srv->pairs[i].nb_held);
	if (srv->uplink != RTE_MAX_ETHPORTS && srv->uplink_frame != 0)
		rte_eth_dev_stop(srv->uplink);
	pool_put(srv);
	vstate_net_of(dev)->bridge = NULL;
	free(srv);
}

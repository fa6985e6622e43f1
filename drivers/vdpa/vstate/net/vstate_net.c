/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_telemetry.h>
#include <rte_vhost.h>

#include <vstate_compat.h>

#include "dev/vstate_counters.h"
#include "dev/vstate_setup.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "vstate_compat.h"
#include "vstate_cvq.h"
#include "vstate_net.h"
#include "vstate_net_casts.h"
#include "vstate_net_ops.h"
#include "vstate_net_vq.h"
#include "vstate_port_link.h"

#define TSO_FEATURES \
	(RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) | RTE_BIT64(VIRTIO_NET_F_HOST_TSO6))

/*
 * Offered with and without tso=1, as net_vhost does. A guest that negotiated them with net_vhost
 * can be migrated to vstate only if vstate offers them.
 */
#define LARGE_FRAME_FEATURES \
	(RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_ECN) | RTE_BIT64(VIRTIO_NET_F_GUEST_UFO) | \
	 RTE_BIT64(VIRTIO_NET_F_HOST_ECN) | RTE_BIT64(VIRTIO_NET_F_HOST_UFO))

/*
 * The control virtqueue has the features below with cvq=1 only. MQ and GUEST_ANNOUNCE are offered
 * without it too: the network card of a vhost-user front end, as QEMU's, has a control queue of its
 * own, offers these two to its guest only if the back end does, and serves them by other messages
 * (SET_VRING_ENABLE, SEND_RARP). A guest that negotiated them with net_vhost can be migrated to
 * vstate only if vstate offers them.
 */
#define CVQ_FEATURES \
	(RTE_BIT64(VIRTIO_NET_F_CTRL_VQ) | RTE_BIT64(VIRTIO_NET_F_CTRL_RX) | \
	 VSTATE_NET_OWN_FEATURES)

#define NET_FEATURES \
	(RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_RING_PACKED) | \
	 RTE_BIT64(VIRTIO_F_IN_ORDER) | RTE_BIT64(VIRTIO_F_ANY_LAYOUT) | \
	 RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) | RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) | \
	 RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) | RTE_BIT64(VIRTIO_NET_F_CSUM) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) | RTE_BIT64(VIRTIO_NET_F_MTU) | \
	 RTE_BIT64(VIRTIO_NET_F_STATUS) | RTE_BIT64(VIRTIO_NET_F_MQ) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_ANNOUNCE) | RTE_BIT64(VHOST_F_LOG_ALL) | \
	 RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES) | LARGE_FRAME_FEATURES)

uint64_t
vstate_net_features(const struct vstate_conf *conf)
{
	return NET_FEATURES | (vstate_net_conf_const(conf)->tso ? TSO_FEATURES : 0) |
		(vstate_net_conf_const(conf)->cvq ? CVQ_FEATURES : 0);
}

uint16_t
vstate_net_more_vqs(const struct vstate_conf *conf)
{
	return vstate_net_conf_const(conf)->cvq ? 1 : 0;
}

int
vstate_net_dev_init(struct vstate_dev *dev)
{
	const struct vstate_net_conf *conf = vstate_net_conf_const(&dev->conf);
	struct vstate_net *net = vstate_net_of(dev);
	uint16_t i;

	/* until a poller sets its own limits */
	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_net_vq_of(dev->vqs[i])->frame_max = VSTATE_MAX_FRAME;
		vstate_net_vq_of(dev->vqs[i])->lro_max = VSTATE_MAX_FRAME;
	}
	net->mtu = conf->mtu;
	if (conf->has_mac)
		rte_ether_addr_copy(&conf->mac, &net->mac);
	else
		rte_eth_random_addr(net->mac.addr_bytes);
	return vstate_cvq_create(dev);
}

void
vstate_net_dev_fini(struct vstate_dev *dev)
{
	vstate_cvq_destroy(dev);
}

/* ---- connect, set-up and reset ---- */

void
vstate_net_connect(struct vstate_dev *dev)
{
	vstate_net_of(dev)->mtu = vstate_net_conf_const(&dev->conf)->mtu;
}

void
vstate_net_disconnect(struct vstate_dev *dev)
{
	struct vstate_net *net = vstate_net_of(dev);

	net->mtu_next = 0;
	/* a guest that is gone must not be announced */
	rte_atomic_store_explicit(&net->rarp_due, 0, rte_memory_order_relaxed);
	vstate_cvq_forget(dev);
}

void
vstate_net_reset(struct vstate_dev *dev)
{
	vstate_net_of(dev)->mtu_next = 0;
}

void
vstate_net_setup(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	if (setup->mtu != 0 && (vstate_run_status(dev) & RTE_VHOST_STATE_S_SUSPEND) == 0)
		vstate_net_of(dev)->mtu = setup->mtu;
	vstate_cvq_setup(dev);
}

void
vstate_net_mtu_set(struct vstate_dev *dev, uint16_t mtu)
{
	if (vstate_run_status(dev) & RTE_VHOST_STATE_S_SUSPEND)
		vstate_net_of(dev)->mtu_next = mtu;
	else
		vstate_net_of(dev)->mtu = mtu;
}

void
vstate_net_resume(struct vstate_dev *dev)
{
	struct vstate_net *net = vstate_net_of(dev);

	if (net->mtu_next != 0)
		net->mtu = net->mtu_next;
	net->mtu_next = 0;
}

/* Count the pairs from pair 0 on that may run. A port spreads its queues over them. */
static uint16_t
active_pairs_count(const struct vstate_dev *dev)
{
	const struct vstate_vq *vq;
	uint16_t pair;

	for (pair = 0; pair < vstate_net_pairs(dev); pair++) {
		vq = dev->vqs[VSTATE_RXQ(pair)];
		/* a broken queue stays active: frames for it are dropped, as for a full queue */
		if (vstate_net_vq_of(vq)->is_control ||
				(vstate_run_vq_blocks(dev, vq) & ~VSTATE_BLOCK_BROKEN) != 0)
			break;
	}
	return pair;
}

/* The front end enabled the pair, and the driver uses it. */
static bool
pair_is_enabled(const struct vstate_dev *dev, uint16_t pair)
{
	const struct vstate_vq *vq = dev->vqs[VSTATE_RXQ(pair)];

	return (vq->block & (VSTATE_BLOCK_NOT_READY | VSTATE_BLOCK_INACTIVE)) == 0 &&
		!vstate_net_vq_of(vq)->is_control;
}

static uint64_t
enabled_pairs_mask(const struct vstate_dev *dev)
{
	uint64_t mask = 0;
	uint16_t pair;

	RTE_BUILD_BUG_ON(VSTATE_MAX_QUEUES > 64);
	for (pair = 0; pair < vstate_net_pairs(dev); pair++)
		if (pair_is_enabled(dev, pair))
			mask |= RTE_BIT64(pair);
	return mask;
}

/*
 * A stale value is harmless: the queue that it names has no lease. This release pairs with the load
 * in vstate_port_tx(). That thread uses vq->ops before it takes the lease. Without the pair, it
 * could read ops that are not set yet.
 */
void
vstate_net_run_changed(struct vstate_dev *dev)
{
	uint64_t enabled;

	vstate_cvq_settle(dev);
	enabled = enabled_pairs_mask(dev);
	if (enabled != vstate_net_of(dev)->enabled_pairs) {
		vstate_net_of(dev)->enabled_pairs = enabled;
		vstate_port_link_queues_changed(dev);
	}
	rte_atomic_store_explicit(&vstate_net_of(dev)->active_pairs, active_pairs_count(dev),
			rte_memory_order_release);
}

/* ---- queues ---- */

void
vstate_net_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq)
{
	struct vstate_net_vq *nq = vstate_net_vq_of(vq);
	const uint64_t f = dev->guest.features;

	nq->ops = vstate_net_ops_choose(vq->is_packed);
	if (vstate_net_conf_const(&dev->conf)->count_multicast)
		vstate_net_casts_begin(nq);
	nq->nb_taken = 0;
	nq->features = f;
	nq->mergeable = f & RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF);
	nq->host_offloads = f & (RTE_BIT64(VIRTIO_NET_F_CSUM) | TSO_FEATURES);
	nq->guest_csum = f & RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM);
	/* The legacy header has num_buffers only with mergeable receive buffers. */
	nq->hdr_len = f & (RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)) ?
		sizeof(struct virtio_net_hdr_mrg_rxbuf) : sizeof(struct virtio_net_hdr);
	vstate_cvq_vq_setup(dev, nq);
}

bool
vstate_net_vq_needs_all(const struct vstate_vq *vq)
{
	return vstate_net_vq_of(vq)->is_control;
}

uint32_t
vstate_net_empty_len(const struct vstate_vq *vq)
{
	/* a header and one byte: the device would drop such a frame as a runt */
	return vstate_net_vq_of(vq)->hdr_len + 1;
}

bool
vstate_net_wants_kicks(const struct vstate_vq *vq)
{
	/* a thread sleeps until the guest sends, and not until the guest has room */
	return vq->qid % 2 == 1 || vstate_net_vq_of(vq)->is_control;
}

bool
vstate_net_used_ahead(const struct vstate_vq *vq)
{
	return vq->qid % 2 == 1;
}

/* ---- state ---- */

static uint16_t
net_status_get(const struct vstate_dev *dev)
{
	return VIRTIO_NET_S_LINK_UP |
		(vstate_cvq_announce_is_due(dev) ? VIRTIO_NET_S_ANNOUNCE : 0);
}

static uint16_t
enabled_pairs_count(const struct vstate_dev *dev)
{
	uint16_t pair, n = 0;

	for (pair = 0; pair < vstate_net_pairs(dev); pair++)
		n += pair_is_enabled(dev, pair);
	return RTE_MAX(n, 1);
}

void
vstate_net_capture(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	const struct vstate_net *net = vstate_net_of(dev);
	uint16_t i;

	rte_ether_addr_copy(&net->mac, &st->net.mac);
	st->net.mtu = net->mtu;
	st->net.status = net_status_get(dev);
	st->net.active_pairs = enabled_pairs_count(dev);
	st->net.guest_offloads = dev->guest.features & (RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) |
			RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) |
			RTE_BIT64(VIRTIO_NET_F_GUEST_ECN));
	for (i = 0; i < dev->nb_vqs; i++) {
		if (dev->vqs[i]->size == 0)
			continue;
		st->vqs[i].stats.packets = vstate_net_vq_of(dev->vqs[i])->counters.packets;
		st->vqs[i].stats.bytes = vstate_net_vq_of(dev->vqs[i])->counters.bytes;
	}
	vstate_cvq_capture(dev, st);
}

/* The state is applied once, and has no MTU then. A later MTU of the front end replaces it. */
int
vstate_net_restore(struct vstate_dev *dev, struct rte_vhost_state *st)
{
	struct vstate_net *net = vstate_net_of(dev);
	int ret;

	if (st->net.mtu == 0)
		return 0;
	ret = vstate_cvq_restore(dev, st, true);
	if (ret != 0)
		return ret;
	net->mtu = RTE_MIN(net->mtu, st->net.mtu);
	st->net.mtu = 0;
	return 0;
}

/* The MTU comes from the front end, which is still the same. */
int
vstate_net_recover(struct vstate_dev *dev, const struct rte_vhost_state *st)
{
	uint16_t i;

	for (i = 0; i < st->nb_vqs; i++) {
		if (vstate_net_vq_of(dev->vqs[i])->is_control && st->vqs[i].size != 0 &&
				vstate_run_vq_is_ready(dev->vqs[i]))
			return vstate_cvq_restore(dev, st, false);
	}
	return 0;
}

void
vstate_net_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim)
{
	lim->max_mtu = vstate_net_conf_const(&dev->conf)->mtu;
	lim->ctrl_vq = vstate_cvq_index(dev);
}

/* ---- config space ---- */

int
vstate_net_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size)
{
	const struct vstate_net *net = vstate_net_of(dev);
	struct virtio_net_config space;

	if (size > sizeof(space))
		return -EINVAL;
	memset(&space, 0, sizeof(space));
	memcpy(space.mac, net->mac.addr_bytes, sizeof(space.mac));
	space.status = rte_cpu_to_le_16(net_status_get(dev));
	space.max_virtqueue_pairs = rte_cpu_to_le_16(vstate_net_pairs(dev));
	space.mtu = rte_cpu_to_le_16(net->mtu);
	memcpy(config, &space, size);
	return 0;
}

int
vstate_net_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size)
{
	/* A virtio 1.x network device has no config field that a driver may write. */
	RTE_SET_USED(dev);
	RTE_SET_USED(config);
	RTE_SET_USED(offset);
	RTE_SET_USED(size);
	return -ENOTSUP;
}

void
vstate_net_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	vstate_tel_dict_uint(d, "active_pairs",
			rte_atomic_load_explicit(&vstate_net_of(dev)->active_pairs,
			rte_memory_order_relaxed));
	vstate_cvq_telemetry(dev, d);
}

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
#include <rte_vhost.h>

#include "vstate_net.h"

#define TSO_FEATURES \
	(RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) | RTE_BIT64(VIRTIO_NET_F_HOST_TSO6))

/*
 * Offered whether segmentation is wanted or not, as net_vhost does: a guest that has
 * agreed to them there can be migrated here only if they are offered here.
 */
#define LARGE_FRAME_FEATURES \
	(RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_ECN) | RTE_BIT64(VIRTIO_NET_F_GUEST_UFO) | \
	 RTE_BIT64(VIRTIO_NET_F_HOST_ECN) | RTE_BIT64(VIRTIO_NET_F_HOST_UFO))

/*
 * The control virtqueue (MQ, CTRL_VQ, CTRL_RX, GUEST_ANNOUNCE) is served by the vhost-user
 * front end; the back end agrees to what it decides.
 */
#define NET_FEATURES \
	(RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_RING_PACKED) | \
	 RTE_BIT64(VIRTIO_F_IN_ORDER) | RTE_BIT64(VIRTIO_F_ANY_LAYOUT) | \
	 RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) | RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) | \
	 RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) | RTE_BIT64(VIRTIO_NET_F_CSUM) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) | RTE_BIT64(VIRTIO_NET_F_MTU) | \
	 RTE_BIT64(VIRTIO_NET_F_STATUS) | RTE_BIT64(VIRTIO_NET_F_CTRL_VQ) | \
	 RTE_BIT64(VIRTIO_NET_F_CTRL_RX) | RTE_BIT64(VIRTIO_NET_F_MQ) | \
	 RTE_BIT64(VIRTIO_NET_F_GUEST_ANNOUNCE) | RTE_BIT64(VHOST_F_LOG_ALL) | \
	 RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES) | LARGE_FRAME_FEATURES)

/* Features that say nothing about what a guest and its device agreed upon. */
#define TRANSPORT_FEATURES \
	(RTE_BIT64(VHOST_F_LOG_ALL) | RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES))

uint64_t
vstate_net_features(const struct vstate_conf *conf)
{
	return conf->tso ? NET_FEATURES | TSO_FEATURES : NET_FEATURES;
}

uint64_t
vstate_net_protocol_features(void)
{
	return RTE_BIT64(VHOST_USER_PROTOCOL_F_MQ) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_RARP) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_NET_MTU) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS);
}

void
vstate_net_vq_configure(const struct vstate_dev *dev, struct vstate_vq *vq)
{
	const uint64_t f = dev->features;

	vq->features = f;
	vq->event_idx = f & RTE_BIT64(VIRTIO_RING_F_EVENT_IDX);
	vq->indirect = f & RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC);
	vq->mergeable = f & RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF);
	vq->host_offloads = f & (RTE_BIT64(VIRTIO_NET_F_CSUM) | TSO_FEATURES);
	vq->guest_csum = f & RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM);
	/* The legacy header lacks num_buffers unless receive buffers are merged. */
	vq->hdr_len = f & (RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF)) ?
		sizeof(struct virtio_net_hdr_mrg_rxbuf) : sizeof(struct virtio_net_hdr);
}

static uint16_t
enabled_pairs(const struct vstate_dev *dev)
{
	uint16_t pair, n = 0;

	for (pair = 0; pair < dev->nb_vqs / 2; pair++)
		n += dev->vqs[VSTATE_RXQ(pair)]->ready;
	return RTE_MAX(n, 1);
}

void
vstate_net_capture(const struct vstate_dev *dev, struct rte_vhost_state_net *net)
{
	rte_ether_addr_copy(&dev->mac, &net->mac);
	net->mtu = dev->mtu;
	net->status = VIRTIO_NET_S_LINK_UP;
	net->active_pairs = enabled_pairs(dev);
	net->guest_offloads = dev->features & (RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) |
			RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6) |
			RTE_BIT64(VIRTIO_NET_F_GUEST_ECN));
}

void
vstate_net_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim)
{
	lim->device_id = RTE_VHOST_STATE_ID_NET;
	lim->device_features = dev->features_offered;
	lim->driver_features = dev->features & ~TRANSPORT_FEATURES;
	lim->max_vqs = dev->nb_vqs;
	lim->max_mtu = dev->conf.mtu;
	lim->inflight = true;
}

int
vstate_net_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size)
{
	struct virtio_net_config net;

	if (size > sizeof(net))
		return -EINVAL;
	memset(&net, 0, sizeof(net));
	memcpy(net.mac, dev->mac.addr_bytes, sizeof(net.mac));
	net.status = rte_cpu_to_le_16(VIRTIO_NET_S_LINK_UP);
	net.max_virtqueue_pairs = rte_cpu_to_le_16(dev->nb_vqs / 2);
	net.mtu = rte_cpu_to_le_16(dev->mtu);
	memcpy(config, &net, size);
	return 0;
}

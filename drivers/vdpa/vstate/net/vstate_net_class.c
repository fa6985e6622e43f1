/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_ids.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_vhost.h>

#include "vstate_cvq.h"
#include "vstate_net.h"
#include "vstate_net_bridge.h"
#include "vstate_net_class.h"
#include "vstate_net_conf.h"
#include "vstate_net_counters.h"
#include "vstate_net_rarp.h"
#include "vstate_net_vq.h"
#include "vstate_port_intr.h"
#include "vstate_port_link.h"

#define PROTOCOL_FEATURES \
	(RTE_BIT64(VHOST_USER_PROTOCOL_F_MQ) | RTE_BIT64(VHOST_USER_PROTOCOL_F_LOG_SHMFD) | \
	 RTE_BIT64(VHOST_USER_PROTOCOL_F_RARP) | RTE_BIT64(VHOST_USER_PROTOCOL_F_REPLY_ACK) | \
	 RTE_BIT64(VHOST_USER_PROTOCOL_F_NET_MTU) | RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS))

/*
 * A generic front end asks for config space (CONFIG), and never writes DRIVER_OK although it
 * negotiates STATUS. Without STATUS the start of the rings implies DRIVER_OK.
 */
static uint64_t
net_protocol_features(const struct vstate_conf *conf)
{
	if (!vstate_net_conf_const(conf)->cvq)
		return PROTOCOL_FEATURES;
	return (PROTOCOL_FEATURES & ~RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS)) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_CONFIG);
}

static void
net_message(struct vstate_dev *dev, enum vstate_class_msg msg, uint64_t value)
{
	switch (msg) {
	case VSTATE_CLASS_MSG_SET_MTU:
		vstate_net_mtu_set(dev, value);
		break;
	case VSTATE_CLASS_MSG_RARP:
		vstate_net_rarp_set(vstate_net_of(dev), value);
		vstate_port_intr_wake(dev);
		break;
	}
}

static const struct vstate_feature_name feature_names[] = {
	{ VIRTIO_NET_F_CSUM, "csum" },
	{ VIRTIO_NET_F_GUEST_CSUM, "guest_csum" },
	{ VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, "ctrl_guest_offloads" },
	{ VIRTIO_NET_F_MTU, "mtu" },
	{ VIRTIO_NET_F_MAC, "mac" },
	{ VIRTIO_NET_F_GUEST_TSO4, "guest_tso4" },
	{ VIRTIO_NET_F_GUEST_TSO6, "guest_tso6" },
	{ VIRTIO_NET_F_GUEST_ECN, "guest_ecn" },
	{ VIRTIO_NET_F_GUEST_UFO, "guest_ufo" },
	{ VIRTIO_NET_F_HOST_TSO4, "host_tso4" },
	{ VIRTIO_NET_F_HOST_TSO6, "host_tso6" },
	{ VIRTIO_NET_F_HOST_ECN, "host_ecn" },
	{ VIRTIO_NET_F_HOST_UFO, "host_ufo" },
	{ VIRTIO_NET_F_MRG_RXBUF, "mrg_rxbuf" },
	{ VIRTIO_NET_F_STATUS, "status" },
	{ VIRTIO_NET_F_CTRL_VQ, "ctrl_vq" },
	{ VIRTIO_NET_F_CTRL_RX, "ctrl_rx" },
	{ VIRTIO_NET_F_CTRL_VLAN, "ctrl_vlan" },
	{ VIRTIO_NET_F_CTRL_RX_EXTRA, "ctrl_rx_extra" },
	{ VIRTIO_NET_F_GUEST_ANNOUNCE, "guest_announce" },
	{ VIRTIO_NET_F_MQ, "mq" },
	{ VIRTIO_NET_F_CTRL_MAC_ADDR, "ctrl_mac_addr" },
	{ VIRTIO_NET_F_RSS, "rss" },
	{ VIRTIO_NET_F_SPEED_DUPLEX, "speed_duplex" },
};

/* A grant suppresses kicks: who sleeps until one comes has to look, and ask for one again. */
static void
net_granted(struct vstate_dev *dev)
{
	vstate_port_intr_wake(dev);
	vstate_cvq_wake(dev);
}

const struct vstate_class vstate_net_class = {
	.name = "net",
	.virtio_id = VIRTIO_ID_NET,
	.vdpa_type = RTE_VHOST_VDPA_DEVICE_TYPE_NET,
	.protocol_features = PROTOCOL_FEATURES,
	.own_features = VSTATE_NET_OWN_FEATURES,
	.vqs_per_queue = 2,
	.vqs_to_start = 2,
	.built_in = true,
	.interrupted = VSTATE_INTERRUPTED_RETURNED_EMPTY,
	.dev_size = sizeof(struct vstate_net),
	.vq_size = sizeof(struct vstate_net_vq),
	.feature_names = feature_names,
	.nb_feature_names = RTE_DIM(feature_names),
	.counters = vstate_net_counters,
	.nb_counters = VSTATE_NET_NB_COUNTERS,
	.devargs = vstate_net_devargs,
	.nb_devargs = VSTATE_NET_NB_DEVARGS,
	.conf_default = vstate_net_conf_default,
	.conf_check = vstate_net_conf_check,
	.features = vstate_net_features,
	.protocol_features_of = net_protocol_features,
	.more_vqs = vstate_net_more_vqs,
	.dev_init = vstate_net_dev_init,
	.dev_fini = vstate_net_dev_fini,
	.config_get = vstate_net_config_get,
	.config_set = vstate_net_config_set,
	.connect = vstate_net_connect,
	.disconnect = vstate_net_disconnect,
	.reset = vstate_net_reset,
	.setup = vstate_net_setup,
	.vq_setup = vstate_net_vq_setup,
	.vq_needs_all = vstate_net_vq_needs_all,
	.run_changed = vstate_net_run_changed,
	.granted = net_granted,
	.wants_kicks = vstate_net_wants_kicks,
	.link = vstate_port_link_set,
	.resume = vstate_net_resume,
	.poll_init = vstate_net_bridge_create,
	.poll_fini = vstate_net_bridge_destroy,
	.poll = vstate_net_bridge_poll,
	.poll_begin = vstate_net_bridge_begin,
	.event_fd = vstate_cvq_event_fd,
	.event = vstate_cvq_event,
	.message = net_message,
	.capture = vstate_net_capture,
	.restore = vstate_net_restore,
	.recover = vstate_net_recover,
	.limits = vstate_net_limits,
	.empty_len = vstate_net_empty_len,
	.used_ahead = vstate_net_used_ahead,
	.telemetry = vstate_net_telemetry,
};

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_malloc.h>

#include <bus_vdev_driver.h>
#include <ethdev_driver.h>
#include <ethdev_vdev.h>

#include <vstate_compat.h>

#include "dev/vstate_control.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_poller.h"
#include "ring/vstate_ring.h"
#include "ring/vstate_vq.h"
#include "vstate_compat.h"
#include "vstate_log.h"
#include "vstate_net.h"
#include "vstate_port.h"
#include "vstate_port_burst.h"
#include "vstate_port_intr.h"
#include "vstate_port_link.h"
#include "vstate_port_list.h"
#include "vstate_port_queue.h"
#include "vstate_port_stats.h"
#include "vstate_net_vq.h"

/* Bytes that ethdev adds to an MTU for max_rx_pktlen. */
#define L2_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN)
/* Bytes before the packet in the longest frame that is received: as a NIC, with two VLAN tags. */
#define L2_MAX (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

#define RX_OFFLOADS \
	(RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_SCATTER | \
	 RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_OFFLOADS \
	(RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_MULTI_SEGS | \
	 RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_TCP_CKSUM)

/* dev_private holds only the pointer. */
static struct vstate_dev *
port_get_dev(const struct rte_eth_dev *eth)
{
	return *(struct vstate_dev **)eth->data->dev_private;
}

/* After this time no function of ethdev still uses a port that was closed. */
#define CLOSE_GRACE_US 10000

static int
port_link_update(struct rte_eth_dev *eth, int wait_to_complete)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	int ret;

	RTE_SET_USED(wait_to_complete);
	if (dev == NULL)
		return -ENODEV;
	ret = vstate_port_link_show(vstate_net_of(dev)->port);
	vstate_port_list_unlock();
	return ret;
}

/* ---- configuration ---- */

/* Name a setting of an application that the port does not have; NULL: there is none. */
static const char *
conf_find_unsupported(const struct rte_eth_conf *conf)
{
	/* RSS without a hash function: the guest chooses the queue of a frame */
	if (conf->rxmode.mq_mode != RTE_ETH_MQ_RX_NONE && conf->rxmode.mq_mode != RTE_ETH_MQ_RX_RSS)
		return "rxmode.mq_mode: only none and RSS";
	if (conf->txmode.mq_mode != RTE_ETH_MQ_TX_NONE)
		return "txmode.mq_mode: only none";
	if (conf->txmode.hw_vlan_reject_tagged || conf->txmode.hw_vlan_reject_untagged ||
			conf->txmode.hw_vlan_insert_pvid)
		return "txmode.hw_vlan_*";
	if (conf->lpbk_mode != 0)
		return "lpbk_mode";
	return NULL;
}

/* ethdev checked offloads, numbers of queues and lengths against vstate_port_infos(). */
static int
port_configure(struct rte_eth_dev *eth)
{
	const char *what = conf_find_unsupported(&eth->data->dev_conf);

	if (what == NULL)
		return 0;
	VSTATE_LOG(ERR, "%s: port not configured: not supported: %s", port_get_dev(eth)->name, what);
	return -ENOTSUP;
}

int
vstate_port_infos(struct rte_eth_dev *eth, struct rte_eth_dev_info *info)
{
	struct vstate_dev *dev = vstate_port_list_lock(eth);
	struct vstate_net_conf conf;

	if (dev == NULL)
		return -ENODEV;
	conf = *vstate_net_conf_const(&dev->conf);
	vstate_port_list_unlock();
	info->max_mac_addrs = 1;
	info->min_rx_bufsize = RTE_ETHER_MIN_LEN;
	info->max_rx_pktlen = conf.mtu + L2_OVERHEAD;
	info->min_mtu = RTE_ETHER_MIN_MTU;
	info->max_mtu = conf.mtu;
	/* More queues than the guest has are allowed; see vstate_port.h. */
	info->max_rx_queues = RTE_MAX_QUEUES_PER_PORT < 2 * VSTATE_MAX_QUEUES ?
		RTE_MAX_QUEUES_PER_PORT : 2 * VSTATE_MAX_QUEUES;
	info->max_tx_queues = info->max_rx_queues;
	info->rx_offload_capa = RX_OFFLOADS;
	info->tx_offload_capa = TX_OFFLOADS;
	if (conf.ipv4_cksum)
		info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
	if (conf.tso) {
		info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
		info->max_lro_pkt_size = VSTATE_MAX_FRAME;
		info->tx_offload_capa |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
	}
	info->rx_queue_offload_capa = 0;
	info->tx_queue_offload_capa = 0;
	info->dev_capa &= ~RTE_ETH_DEV_CAPA_FLOW_RULE_KEEP;
	return 0;
}

/* ---- start and stop ---- */

/* Drop frames above the MTU from now on. No poll thread is inside. */
static void
frame_max_apply(struct vstate_dev *dev, void *arg)
{
	const uint16_t *mtu = arg;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		vstate_net_vq_of(dev->vqs[i])->frame_max = *mtu + L2_MAX;
}

struct start {
	struct rte_eth_dev *eth;
	struct vstate_port_intr *intr;
};

/* Apply the configuration of the port to the queues, while no poll thread is inside. */
static void
start_apply(struct vstate_dev *dev, void *arg)
{
	struct vstate_port_intr *intr = ((struct start *)arg)->intr;
	struct rte_eth_dev *eth = ((struct start *)arg)->eth;
	const uint64_t rx = eth->data->dev_conf.rxmode.offloads;
	static const uint64_t never;
	const uint64_t csum = RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
	uint16_t i;

	frame_max_apply(dev, &eth->data->mtu);
	vstate_net_of(dev)->port->intr = intr;
	vstate_port_intr_attach(dev, intr);

	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_net_vq_of(dev->vqs[i])->port_id = eth->data->port_id;
		/*
		 * An application that did not enable SCATTER treats each frame as one segment. It
		 * would read other memory behind the data of the first mbuf.
		 */
		vstate_net_vq_of(dev->vqs[i])->linear =
			vstate_net_conf_const(&dev->conf)->linear_buffer ||
			(rx & RTE_ETH_RX_OFFLOAD_SCATTER) == 0;
		/* An application without LRO expects no frame that stands for several. */
		vstate_net_vq_of(dev->vqs[i])->lro_max = rx & RTE_ETH_RX_OFFLOAD_TCP_LRO ?
			eth->data->dev_conf.rxmode.max_lro_pkt_size : 0;
		/*
		 * An application without these offloads ignores the flags of a partial checksum.
		 * One that enables IPv4's too treats the port as a NIC, which has no partial ones.
		 */
		vstate_net_vq_of(dev->vqs[i])->complete_csum = (rx & csum) != csum ||
			(rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
	}
	for (i = 0; i < eth->data->nb_rx_queues; i++) {
		struct vstate_port_rxq *rxq = eth->data->rx_queues[i];

		rxq->nb_rxq = eth->data->nb_rx_queues;
		rxq->next_pair = i;
		rxq->intr = intr;
		/* the announcement goes to one queue only */
		rxq->rarp_due = i == 0 ? &vstate_net_of(dev)->rarp_due : &never;
		rxq->vlan_strip = rx & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
		rxq->ip_cksum = rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
		vstate_port_rxq_run(rxq, !rxq->deferred);
	}
	for (i = 0; i < eth->data->nb_tx_queues; i++) {
		struct vstate_port_txq *txq = eth->data->tx_queues[i];

		txq->shared = eth->data->nb_tx_queues > 1;
		vstate_port_txq_run(txq, !txq->deferred);
	}
}

static int
port_start(struct rte_eth_dev *eth)
{
	struct vstate_dev *dev = port_get_dev(eth);
	struct vstate_port_intr *earlier = vstate_net_of(dev)->port->intr;
	struct start start = { .eth = eth };
	int ret;

	if (!vstate_port_queues_are_set_up(eth)) {
		VSTATE_LOG(ERR, "%s: port not started: set up all of its queues first", dev->name);
		return -EINVAL;
	}
	ret = vstate_port_intr_create(eth, earlier, &start.intr);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: port not started: no receive interrupts: %s", dev->name,
				strerror(-ret));
		return ret;
	}
	vstate_poller_set(dev, VSTATE_POLLER_PORT, start_apply, &start);
	if (earlier != start.intr)
		vstate_port_intr_free(eth, earlier);
	vstate_port_queue_states_set(eth);
	/* ethdev sets dev_started later. A link change before that must not be missed. */
	rte_atomic_store_explicit(&vstate_net_of(dev)->port->running, true,
			rte_memory_order_seq_cst);
	vstate_port_link_show(vstate_net_of(dev)->port);
	return 0;
}

static int
port_stop(struct rte_eth_dev *eth)
{
	struct vstate_dev *dev = port_get_dev(eth);
	uint16_t i;

	vstate_poller_fall_back(dev);
	for (i = 0; i < eth->data->nb_rx_queues; i++)
		eth->data->rx_queue_state[i] = RTE_ETH_QUEUE_STATE_STOPPED;
	for (i = 0; i < eth->data->nb_tx_queues; i++)
		eth->data->tx_queue_state[i] = RTE_ETH_QUEUE_STATE_STOPPED;
	rte_atomic_store_explicit(&vstate_net_of(dev)->port->running, false,
			rte_memory_order_seq_cst);
	vstate_port_link_show(vstate_net_of(dev)->port);
	eth->data->dev_started = 0;
	return 0;
}

/* ---- settings ---- */

/*
 * ethdev checked the range. The guest gets its MTU from its front end: this one is only the limit
 * for frames that the port receives.
 */
static int
port_mtu_set(struct rte_eth_dev *eth, uint16_t mtu)
{
	struct vstate_dev *dev = port_get_dev(eth);

	/* a start applies it otherwise */
	if (eth->data->dev_started)
		vstate_poller_set(dev, VSTATE_POLLER_PORT, frame_max_apply, &mtu);
	return 0;
}

/* The address of the application, as the source of its frames. The guest has another one. */
static int
port_mac_set(struct rte_eth_dev *eth, struct rte_ether_addr *mac)
{
	RTE_SET_USED(eth);
	RTE_SET_USED(mac);
	return 0;
}

static void
forget_apply(struct vstate_dev *dev, void *arg)
{
	*(struct vstate_port **)arg = vstate_net_of(dev)->port;
	vstate_port_intr_attach(dev, NULL);
	vstate_net_of(dev)->port = NULL;
}

static void
port_forget(struct rte_eth_dev *eth, struct vstate_dev *dev)
{
	struct vstate_port *port = NULL;

	vstate_poller_set(dev, dev->run.poller, forget_apply, &port);
	if (port == NULL)
		return;
	vstate_port_intr_free(eth, port->intr);
	vstate_port_link_free(port);
}

static int
port_close(struct rte_eth_dev *eth)
{
	struct vstate_dev *dev = port_get_dev(eth);

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	if (eth->data->dev_started)
		port_stop(eth);
	vstate_port_list_set(eth, NULL);
	/*
	 * A device with a socket of its own has no other purpose than its port, so its socket is
	 * closed too. vdpa_vstate serves its guest without the port.
	 */
	if (dev->front_ops != NULL && dev->front_ops->close != NULL)
		dev->front_ops->close(dev);
	port_forget(eth, dev);
	/*
	 * ethdev frees the port next, while other functions of ethdev may still read it. No new
	 * call finds a port that is marked unused, and running calls end within CLOSE_GRACE_US.
	 * ethdev sends the event below only for a port in use, so it is sent here.
	 */
	rte_eth_dev_callback_process(eth, RTE_ETH_EVENT_DESTROY, NULL);
	eth->state = RTE_ETH_DEV_UNUSED;
	usleep(CLOSE_GRACE_US);
	return 0;
}

static const struct eth_dev_ops port_ops = {
	.dev_configure = port_configure,
	.dev_start = port_start,
	.dev_stop = port_stop,
	.dev_close = port_close,
	.dev_infos_get = vstate_port_infos,
	.rx_queue_setup = vstate_port_rxq_setup,
	.tx_queue_setup = vstate_port_txq_setup,
	.rx_queue_release = vstate_port_rxq_release,
	.tx_queue_release = vstate_port_txq_release,
	.rx_queue_start = vstate_port_rxq_start,
	.rx_queue_stop = vstate_port_rxq_stop,
	.tx_queue_start = vstate_port_txq_start,
	.tx_queue_stop = vstate_port_txq_stop,
	.rxq_info_get = vstate_port_rxq_info,
	.txq_info_get = vstate_port_txq_info,
	.tx_done_cleanup = vstate_port_tx_cleanup,
	.link_update = port_link_update,
	.mtu_set = port_mtu_set,
	.mac_addr_set = port_mac_set,
	.rx_queue_intr_enable = vstate_port_intr_enable,
	.rx_queue_intr_disable = vstate_port_intr_disable,
	.stats_get = vstate_port_stats_get,
	.stats_reset = vstate_port_stats_reset,
	.xstats_get = vstate_port_xstats_get,
	.xstats_get_names = vstate_port_xstats_names,
	.xstats_reset = vstate_port_stats_reset,
};

/* ---- create and destroy ---- */

static void
install_apply(struct vstate_dev *dev, void *arg)
{
	vstate_net_of(dev)->port = arg;
}

int
vstate_port_create(struct rte_vdev_device *vdev, struct vstate_dev *dev)
{
	struct vstate_port *port;
	struct rte_eth_dev *eth;
	int ret;

	if (!vstate_net_conf_const(&dev->conf)->port)
		return 0;
	if (rte_eth_dev_count_total() >= RTE_MAX_ETHPORTS) {
		VSTATE_LOG(ERR, "%s: this DPDK has at most %u ports, and all are in use; vdpa_vstate "
				"without port=1 needs none", dev->name, RTE_MAX_ETHPORTS);
		return -ENOSPC;
	}
	ret = vstate_port_link_create(&port);
	if (ret != 0)
		return ret;
	eth = rte_eth_vdev_allocate(vdev, sizeof(struct vstate_dev *));
	if (eth == NULL) {
		vstate_port_link_free(port);
		return -ENOMEM;
	}
	eth->data->mac_addrs = rte_zmalloc("vstate mac", sizeof(struct rte_ether_addr), 0);
	if (eth->data->mac_addrs == NULL) {
		rte_eth_dev_release_port(eth);
		vstate_port_link_free(port);
		return -ENOMEM;
	}
	rte_ether_addr_copy(&vstate_net_of(dev)->mac, &eth->data->mac_addrs[0]);
	*(struct vstate_dev **)eth->data->dev_private = dev;
	eth->data->dev_link = (struct rte_eth_link) { .link_speed = RTE_ETH_SPEED_NUM_10G,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX };
	eth->data->dev_flags = RTE_ETH_DEV_INTR_LSC | RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS;
	/* All frames of the guest are received. Without functions, a change is -ENOTSUP. */
	eth->data->promiscuous = 1;
	eth->data->all_multicast = 1;
	eth->dev_ops = &port_ops;
	eth->rx_queue_count = vstate_port_rx_count;
	eth->rx_descriptor_status = vstate_port_rx_status;
	eth->tx_descriptor_status = vstate_port_tx_status;
	eth->rx_pkt_burst = vstate_port_rx;
	eth->tx_pkt_burst = vstate_port_tx;
	eth->tx_pkt_prepare = vstate_port_prepare;
	port->eth = eth;
	vstate_poller_set(dev, dev->run.poller, install_apply, port);
	vstate_port_list_set(eth, dev);
	rte_eth_dev_probing_finish(eth);
	return 0;
}

void
vstate_port_destroy(struct vstate_dev *dev)
{
	struct rte_eth_dev *eth = rte_eth_dev_allocated(dev->name);

	if (eth == NULL) /* the application closed it already */
		return;
	port_close(eth);
	rte_eth_dev_release_port(eth);
}

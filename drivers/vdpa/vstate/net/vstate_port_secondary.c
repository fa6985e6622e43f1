/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <bus_vdev_driver.h>
#include <ethdev_driver.h>
#include <ethdev_vdev.h>

#include <vstate_compat.h>

#include "vstate_port.h"
#include "vstate_port_list.h"
#include "vstate_port_queue.h"
#include "vstate_port_secondary.h"
#include "vstate_port_stats.h"

/* The primary process writes the link. */
static int
secondary_link_update(struct rte_eth_dev *eth, int wait_to_complete)
{
	RTE_SET_USED(eth);
	RTE_SET_USED(wait_to_complete);
	return -1; /* unchanged */
}

static int
secondary_close(struct rte_eth_dev *eth)
{
	vstate_port_list_set(eth, NULL);
	return 0;
}

/* Without functions to configure, start or reset the port, those calls are -ENOTSUP. */
static const struct eth_dev_ops secondary_ops = {
	.dev_close = secondary_close,
	.dev_infos_get = vstate_port_infos,
	.rxq_info_get = vstate_port_rxq_info,
	.txq_info_get = vstate_port_txq_info,
	.link_update = secondary_link_update,
	.stats_get = vstate_port_stats_get,
	.xstats_get = vstate_port_xstats_get,
	.xstats_get_names = vstate_port_xstats_names,
};

static uint16_t
secondary_burst(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	RTE_SET_USED(queue);
	RTE_SET_USED(pkts);
	RTE_SET_USED(n);
	return 0;
}

int
vstate_port_secondary_attach(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *eth = rte_eth_dev_attach_secondary(rte_vdev_device_name(vdev));

	if (eth == NULL)
		return -ENODEV;
	eth->device = &vdev->device;
	eth->dev_ops = &secondary_ops;
	eth->rx_pkt_burst = secondary_burst;
	eth->tx_pkt_burst = secondary_burst;
	vstate_port_list_set(eth, *(struct vstate_dev **)eth->data->dev_private);
	rte_eth_dev_probing_finish(eth);
	return 0;
}

void
vstate_port_secondary_detach(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *eth = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	if (eth == NULL)
		return;
	secondary_close(eth);
	rte_eth_dev_release_port(eth);
}

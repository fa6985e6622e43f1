/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <pthread.h>

#include <ethdev_driver.h>

#include "vstate_port_list.h"

static pthread_mutex_t ports_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vstate_dev *ports[RTE_MAX_ETHPORTS];

/* The index of a port. eth->data->port_id does not serve, because eth->data may be freed. */
static unsigned int
port_get_number(const struct rte_eth_dev *eth)
{
	return eth - rte_eth_devices;
}

void
vstate_port_list_set(const struct rte_eth_dev *eth, struct vstate_dev *dev)
{
	pthread_mutex_lock(&ports_lock);
	ports[port_get_number(eth)] = dev;
	pthread_mutex_unlock(&ports_lock);
}

struct vstate_dev *
vstate_port_list_lock(const struct rte_eth_dev *eth)
{
	struct vstate_dev *dev;

	pthread_mutex_lock(&ports_lock);
	dev = ports[port_get_number(eth)];
	if (dev == NULL)
		pthread_mutex_unlock(&ports_lock);
	return dev;
}

void
vstate_port_list_unlock(void)
{
	pthread_mutex_unlock(&ports_lock);
}

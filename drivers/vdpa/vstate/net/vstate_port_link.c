/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_interrupts.h>

#include <ethdev_driver.h>

#include "vstate_compat.h"
#include "vstate_port_link.h"
#include "vstate_log.h"

static struct rte_eth_link
link_get(const struct vstate_port *port)
{
	return (struct rte_eth_link) {
		.link_speed = RTE_ETH_SPEED_NUM_10G,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = rte_atomic_load_explicit(&port->link_up, rte_memory_order_seq_cst) &&
			rte_atomic_load_explicit(&port->running, rte_memory_order_seq_cst) ?
			RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN,
	};
}

/*
 * EAL's interrupt thread and the thread that starts or stops the port may run this at the same
 * time. Each thread reads the link again after its write, which is a full barrier. So the last
 * write has the current link.
 */
int
vstate_port_link_show(struct vstate_port *port)
{
	struct rte_eth_link link, next = link_get(port);
	int ret = -1;

	do {
		link = next;
		if (rte_eth_linkstatus_set(port->eth, &link) == 0)
			ret = 0;
		next = link_get(port);
	} while (next.link_status != link.link_status);
	return ret;
}

static void
link_event(void *arg)
{
	struct vstate_port *port = arg;
	uint64_t n;

	/* A change after this read triggers another event. */
	if (read(rte_intr_fd_get(port->events), &n, sizeof(n)) != (ssize_t)sizeof(n))
		return;
	if (vstate_port_link_show(port) == 0 &&
			rte_atomic_load_explicit(&port->running, rte_memory_order_relaxed) &&
			port->eth->data->dev_conf.intr_conf.lsc != 0)
		rte_eth_dev_callback_process(port->eth, RTE_ETH_EVENT_INTR_LSC, NULL);
	if (rte_atomic_exchange_explicit(&port->queues_changed, false, rte_memory_order_acquire))
		rte_eth_dev_callback_process(port->eth, RTE_ETH_EVENT_QUEUE_STATE, NULL);
}

/* Wake EAL's interrupt thread. */
static void
event_send(struct vstate_dev *dev, const char *what)
{
	const uint64_t one = 1;

	if (write(rte_intr_fd_get(vstate_net_of(dev)->port->events), &one, sizeof(one)) !=
			(ssize_t)sizeof(one))
		VSTATE_LOG(WARNING, "%s: cannot send the event for %s: %s", dev->name, what,
				strerror(errno));
}

void
vstate_port_link_set(struct vstate_dev *dev, bool up)
{
	struct vstate_port *port = vstate_net_of(dev)->port;

	if (port == NULL || port->link_up == up)
		return;
	rte_atomic_store_explicit(&port->link_up, up, rte_memory_order_seq_cst);
	event_send(dev, up ? "link up" : "link down");
}

void
vstate_port_link_queues_changed(struct vstate_dev *dev)
{
	struct vstate_port *port = vstate_net_of(dev)->port;

	if (port == NULL)
		return;
	rte_atomic_store_explicit(&port->queues_changed, true, rte_memory_order_release);
	event_send(dev, "queues");
}

static void
link_free(struct vstate_port *port)
{
	if (rte_intr_fd_get(port->events) >= 0)
		close(rte_intr_fd_get(port->events));
	rte_intr_instance_free(port->events);
	free(port);
}

/* The handle that EAL passes is a copy of port->events. */
static void
link_unregistered(struct rte_intr_handle *copy, void *port)
{
	RTE_SET_USED(copy);
	link_free(port);
}

int
vstate_port_link_create(struct vstate_port **out)
{
	struct vstate_port *port = calloc(1, sizeof(*port));
	int ret;

	if (port == NULL)
		return -ENOMEM;
	port->events = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (port->events == NULL) {
		free(port);
		return -ENOMEM;
	}
	ret = rte_intr_fd_set(port->events, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	if (ret == 0 && rte_intr_fd_get(port->events) < 0)
		ret = -EMFILE;
	if (ret == 0)
		ret = rte_intr_type_set(port->events, RTE_INTR_HANDLE_EXT);
	if (ret == 0)
		ret = rte_intr_callback_register(port->events, link_event, port);
	if (ret != 0) {
		link_free(port);
		return ret;
	}
	*out = port;
	return 0;
}

void
vstate_port_link_free(struct vstate_port *port)
{
	int ret;

	/* The application closes the port in its link callback: free it when that returns. */
	if (rte_thread_is_intr() && rte_intr_callback_unregister_pending(port->events, link_event,
			port, link_unregistered) > 0)
		return;
	ret = rte_intr_callback_unregister_sync(port->events, link_event, port);
	if (ret <= 0)
		VSTATE_LOG(ERR, "%s: cannot unregister the link interrupt: %s",
				port->eth != NULL ? rte_dev_name(port->eth->device) : "port",
				ret < 0 ? strerror(-ret) : "not registered");
	link_free(port);
}

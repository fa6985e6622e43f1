/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "serve_port.h"
#include "vdpa_socket.h"
#include "vstate_compat.h"

/* The main thread adds ports. vhost's thread only searches paths and sets "connected". */
static struct serve_port ports[SERVE_MAX_PORTS];
static unsigned int nb_ports;

static void
connected_set(int vid, bool connected)
{
	char path[sizeof(ports[0].path)];
	unsigned int i, nb = rte_atomic_load_explicit(&nb_ports, rte_memory_order_acquire);

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) < 0)
		return;
	for (i = 0; i < nb; i++)
		if (strcmp(ports[i].path, path) == 0)
			rte_atomic_store_explicit(&ports[i].connected, connected,
					rte_memory_order_relaxed);
}

static int
on_new_device(int vid)
{
	connected_set(vid, true);
	return 0;
}

static void
on_destroy_device(int vid)
{
	connected_set(vid, false);
}

static const struct rte_vhost_device_ops port_ops = {
	.new_device = on_new_device,
	.destroy_device = on_destroy_device,
};

int
serve_port_create(const char *device, const char *path, bool client)
{
	struct serve_port *port;
	int ret;

	if (nb_ports == SERVE_MAX_PORTS) {
		fprintf(stderr, "dpdk-test-vdpa: at most %u sockets are supported\n",
			SERVE_MAX_PORTS);
		return -ENOSPC;
	}
	if (serve_port_find(device) != NULL) {
		fprintf(stderr, "dpdk-test-vdpa: %s has a socket already\n", device);
		return -EBUSY;
	}
	port = &ports[nb_ports];
	memset(port, 0, sizeof(*port));
	if (snprintf(port->device, sizeof(port->device), "%s", device) >=
				(int)sizeof(port->device) ||
			snprintf(port->path, sizeof(port->path), "%s", path) >=
				(int)sizeof(port->path)) {
		fprintf(stderr, "dpdk-test-vdpa: %s: too long for the path of a socket\n", path);
		return -ENAMETOOLONG;
	}
	/* Pairs with the acquire in connected_set(): names are written before the count. */
	rte_atomic_store_explicit(&nb_ports, nb_ports + 1, rte_memory_order_release);
	ret = vdpa_socket_open(port->path, port->device, client, &port_ops);
	if (ret < 0)
		rte_atomic_store_explicit(&nb_ports, nb_ports - 1, rte_memory_order_release);
	return ret;
}

const struct serve_port *
serve_port_get(unsigned int pos)
{
	return pos < nb_ports ? &ports[pos] : NULL;
}

const struct serve_port *
serve_port_find(const char *device)
{
	unsigned int i;

	for (i = 0; i < nb_ports; i++)
		if (strcmp(ports[i].device, device) == 0)
			return &ports[i];
	return NULL;
}

bool
serve_port_connected(const struct serve_port *port)
{
	return rte_atomic_load_explicit(&port->connected, rte_memory_order_relaxed);
}

void
serve_ports_close(void)
{
	unsigned int i;

	for (i = 0; i < nb_ports; i++)
		vdpa_socket_close(ports[i].path);
	rte_atomic_store_explicit(&nb_ports, 0, rte_memory_order_release);
}

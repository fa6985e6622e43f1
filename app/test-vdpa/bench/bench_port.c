/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench.h"
#include "bench_port.h"
#include "clock.h"
#include "workdir.h"

#define MBUFS 8191
#define MBUF_CACHE 512
/* Both drivers ignore this number: the guest chooses the size of the rings. */
#define PORT_DESCS 1024
/* For the longest frames of a case. */
#define PORT_MTU 9600
#define LINK_NS UINT64_C(5000000000)

const char *const bench_kind_names[BENCH_KINDS] = { "vstate", "vhost", "roofline" };

struct rte_mempool *
bench_pool_create(void)
{
	return rte_pktmbuf_pool_create("bench", MBUFS, MBUF_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
}

static int
port_start(struct bench_port *port, uint16_t pairs, struct rte_mempool *pool)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	uint16_t q;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret < 0)
		return ret;
	memset(&conf, 0, sizeof(conf));
	conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	/* net_vhost chains mbufs without being asked, and offers no such offload */
	conf.rxmode.offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	conf.rxmode.mtu = PORT_MTU;
	ret = rte_eth_dev_configure(port->id, pairs, pairs, &conf);
	for (q = 0; q < pairs && ret == 0; q++) {
		ret = rte_eth_rx_queue_setup(port->id, q, PORT_DESCS, SOCKET_ID_ANY, NULL, pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(port->id, q, PORT_DESCS, SOCKET_ID_ANY, NULL);
	}
	return ret == 0 ? rte_eth_dev_start(port->id) : ret;
}

int
bench_port_open(struct bench_port *port, enum bench_kind kind, uint16_t pairs,
		struct rte_mempool *pool, const struct workdir *wd)
{
	char args[160];
	int ret;

	memset(port, 0, sizeof(*port));
	snprintf(port->name, sizeof(port->name), "net_%s9", bench_kind_names[kind]);
	ret = workdir_path(wd, bench_kind_names[kind], port->path, sizeof(port->path));
	if (ret < 0)
		return ret;
	snprintf(args, sizeof(args), "iface=%s,queues=%u", port->path, pairs);
	ret = rte_vdev_init(port->name, args);
	if (ret == 0) {
		port->present = true;
		ret = rte_eth_dev_get_port_by_name(port->name, &port->id);
	}
	if (ret == 0)
		ret = port_start(port, pairs, pool);
	if (ret == 0)
		return 0;
	fprintf(stderr, "dpdk-test-vdpa bench: cannot create port %s,%s: %s\n", port->name, args,
		rte_strerror(-ret));
	bench_port_close(port);
	return ret;
}

void
bench_port_close(struct bench_port *port)
{
	if (!port->present)
		return;
	rte_eth_dev_stop(port->id);
	rte_eth_dev_close(port->id);
	rte_vdev_uninit(port->name);
	unlink(port->path);
	port->present = false;
}

int
bench_port_wait_link(const struct bench_port *port, bool up)
{
	uint64_t end = clock_ns() + LINK_NS;
	struct rte_eth_link link;

	do {
		if (rte_eth_link_get_nowait(port->id, &link) == 0 &&
				(link.link_status == RTE_ETH_LINK_UP) == up)
			return 0;
		usleep(1000);
	} while (clock_ns() < end);
	return -ETIMEDOUT;
}

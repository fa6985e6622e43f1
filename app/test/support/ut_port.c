/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_atomic.h>
#include <rte_bitops.h>
#include <rte_mbuf.h>

#include <bus_vdev_driver.h>

#include <vstate_compat.h>

#include "ut_groups.h"
#include "ut_port.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_start.h"

#define NAME "net_vstate4"

struct ut_port ut_port;

void
ut_port_open(unsigned int queues)
{
	char args[64];

	snprintf(args, sizeof(args), "iface=/tmp/vstate-port-%d.sock,queues=%u", getpid(), queues);
	assert_int_equal(rte_vdev_init(NAME, args), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &ut_port.port), 0);
	ut_port.dev = vstate_dev_find(NAME);
	ut_port.pool = rte_pktmbuf_pool_create("port", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	assert_non_null(ut_port.pool);
}

void
ut_port_close(void)
{
	assert_int_equal(rte_vdev_uninit(NAME), 0);
	assert_int_equal(rte_mempool_in_use_count(ut_port.pool), 0);
	rte_mempool_free(ut_port.pool);
}

void
ut_port_configure(const struct rte_eth_conf *conf)
{
	assert_int_equal(rte_eth_dev_configure(ut_port.port, 1, 1, conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(ut_port.port, 0, 64, SOCKET_ID_ANY, NULL,
			ut_port.pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(ut_port.port, 0, 64, SOCKET_ID_ANY, NULL), 0);
}

void
ut_port_connect(bool packed, bool event_idx)
{
	ring_open(&ut_port.ring, packed, UT_PORT_RING);
	ut_port.event_idx = event_idx;
	ut_port.kickfd = eventfd(0, EFD_NONBLOCK);
	assert_true(ut_port.kickfd >= 0);
	ring_seek(&ut_port.ring, 0, packed);
	memset(&ut_port.setup, 0, sizeof(ut_port.setup));
	ut_port.setup.features = RTE_BIT64(VIRTIO_F_VERSION_1) |
		(packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0) |
		(event_idx ? RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) : 0);
	ut_port.setup.mem = ut_port.ring.guest.mem;
	ring_describe(&ut_port.ring, &ut_port.setup.rings[UT_PORT_QID]);
	ut_port.setup.rings[UT_PORT_QID].ready = true;
	ut_port.setup.rings[UT_PORT_QID].kickfd = ut_port.kickfd;
	ut_port.setup.rings[UT_PORT_QID].avail = ut_port.ring.next;
	ut_port.setup.rings[UT_PORT_QID].used = ut_port.ring.next;
	ut_port.setup.rings[UT_PORT_QID].base_fresh = true;
	vstate_start_connect(ut_port.dev);
	vstate_start_negotiate(ut_port.dev, ut_port.setup.features, false);
	assert_int_equal(vstate_start(ut_port.dev, &ut_port.setup), 0);
	ut_port.setup.rings[UT_PORT_QID].base_fresh = false;
}

void
ut_port_disconnect(void)
{
	vstate_start_disconnect(ut_port.dev, false);
	close(ut_port.kickfd);
	ring_close(&ut_port.ring);
}

static uint16_t
guest_u16(uint64_t gpa)
{
	const uint16_t *p = (const uint16_t *)(void *)guest_at(&ut_port.ring.guest, gpa);

	return rte_atomic_load_explicit(p, rte_memory_order_relaxed);
}

/* Whether the device wants a kick for the one buffer that was made available last. */
static bool
kick_is_wanted(void)
{
	uint16_t event;

	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	if (ut_port.ring.packed)
		return guest_u16(RING_DEVICE_GPA + 2) != VRING_PACKED_EVENT_FLAG_DISABLE;
	if (!ut_port.event_idx)
		return (guest_u16(RING_DEVICE_GPA) & VRING_USED_F_NO_NOTIFY) == 0;
	event = guest_u16(RING_DEVICE_GPA + 4 + 8 * UT_PORT_RING);
	return (uint16_t)(ut_port.ring.next.idx - event - 1) < 1;
}

bool
ut_port_send(void)
{
	const struct piece p = { RING_BUF_GPA, RING_HDR + 64 };
	const uint64_t one = 1;

	ring_add(&ut_port.ring, &p, 1, false);
	if (!kick_is_wanted())
		return false;
	assert_int_equal(write(ut_port.kickfd, &one, sizeof(one)), sizeof(one));
	return true;
}

uint16_t
ut_port_receive(void)
{
	struct rte_mbuf *pkts[32];
	uint16_t n = rte_eth_rx_burst(ut_port.port, 0, pkts, 32);

	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

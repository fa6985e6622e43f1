/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The representor port without the rings: announcement, VLAN tags, link, close. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_thread.h>

#include <bus_vdev_driver.h>
#include <ethdev_driver.h>

#include <vstate_compat.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_status.h"
#include "net/vstate_net.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"
#include "net/vstate_net_mbuf.h"
#include "net/vstate_net_rarp.h"
#include "net/vstate_port.h"
#include "net/vstate_port_burst.h"
#include "net/vstate_port_link.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"
#include "vstate_compat.h"

static const struct rte_ether_addr guest_mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };

/* A port queue of a device whose rings are not granted: it can receive only announcements. */
struct fixture {
	struct vstate_dev dev;
	struct vstate_net net;
	struct vstate_net_vq nq;
	struct vstate_port_rxq rxq;
};

static int
fixture_setup(void **state)
{
	struct fixture *f = aligned_alloc(RTE_CACHE_LINE_SIZE,
			RTE_ALIGN(sizeof(*f), RTE_CACHE_LINE_SIZE));

	assert_non_null(f);
	memset(f, 0, sizeof(*f));
	f->dev.nb_vqs = 2;
	f->dev.vqs[0] = &f->nq.vq;
	f->dev.vqs[1] = &f->nq.vq;
	f->nq.port_id = 7;
	f->rxq.dev = &f->dev;
	f->rxq.nb_rxq = 1;
	f->rxq.only = &f->nq.vq;
	f->dev.class = &vstate_net_class;
	f->dev.of_class = &f->net;
	f->rxq.net = &f->net;
	f->rxq.rarp_due = &f->net.rarp_due;
	f->rxq.pool = rte_pktmbuf_pool_create("port", 3, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	assert_non_null(f->rxq.pool);
	*state = f;
	return 0;
}

static int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rte_mempool_avail_count(f->rxq.pool), 3);
	rte_mempool_free(f->rxq.pool);
	free(f);
	return 0;
}

static void
rarp_set(struct fixture *f, const struct rte_ether_addr *mac)
{
	uint64_t value = 0;

	/* in the byte order of the payload of SEND_RARP */
	memcpy(&value, mac, sizeof(*mac));
	vstate_net_rarp_set(&f->net, value);
}

static void
guest_announce(struct fixture *f)
{
	rarp_set(f, &guest_mac);
}

static void
migrated_guest_is_announced_once(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *pkts[4];
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
	guest_announce(f);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 1);
	eth = rte_pktmbuf_mtod(pkts[0], struct rte_ether_hdr *);
	arp = (struct rte_arp_hdr *)(eth + 1);
	assert_int_equal(pkts[0]->port, 7);
	assert_int_equal(eth->ether_type, rte_cpu_to_be_16(RTE_ETHER_TYPE_RARP));
	assert_true(rte_is_broadcast_ether_addr(&eth->dst_addr));
	assert_true(rte_is_same_ether_addr(&eth->src_addr, &guest_mac));
	assert_true(rte_is_same_ether_addr(&arp->arp_data.arp_sha, &guest_mac));
	rte_pktmbuf_free(pkts[0]);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
}

static void
announcement_waits_for_an_mbuf_and_for_room(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *pkts[4], *hoard[3];

	guest_announce(f);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 0), 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(f->rxq.pool, hoard, 3), 0);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
	rte_pktmbuf_free_bulk(hoard, 3);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 1);
	rte_pktmbuf_free(pkts[0]);
}

/* The guest leaves before the port is polled: switches must not send its frames here. */
static void
guest_that_left_is_not_announced(void **state)
{
	const struct rte_ether_addr next_mac = { { 0x52, 0x54, 0, 1, 2, 3 } };
	struct fixture *f = *state;
	struct rte_mbuf *pkts[4];
	struct rte_ether_hdr *eth;

	f->nq.vq.callfd = f->nq.vq.kickfd = f->nq.vq.kick_epfd = -1;
	f->nq.vq.inflight_head = &f->nq.vq.own_head;
	guest_announce(f);
	vstate_start_disconnect(&f->dev, false);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
	/* of two guests after each other, only the second one is announced */
	guest_announce(f);
	rarp_set(f, &next_mac);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 1);
	eth = rte_pktmbuf_mtod(pkts[0], struct rte_ether_hdr *);
	assert_true(rte_is_same_ether_addr(&eth->src_addr, &next_mac));
	rte_pktmbuf_free(pkts[0]);
	assert_int_equal(vstate_port_rx(&f->rxq, pkts, 4), 0);
}

/* ---- tags ---- */

static unsigned int nb_put;
static uint8_t put_look[2];

static uint16_t
frames_put_all(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	RTE_SET_USED(nq);
	RTE_SET_USED(pkts);
	put_look[nb_put % RTE_DIM(put_look)] = look;
	nb_put += n;
	return n;
}

static uint8_t
frames_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	return vstate_net_mbuf_look(pkts, n);
}

static void
frame_that_cannot_be_tagged_is_dropped_alone(void **state)
{
	static const struct vstate_net_ops ops = { .look = frames_look, .put = frames_put_all };
	struct fixture *f = *state;
	struct vstate_port_txq txq = { .dev = &f->dev, .net = &f->net };
	struct rte_mbuf *pkts[3];
	int i;

	f->nq.ops = &ops;
	f->net.active_pairs = 1;
	assert_int_equal(rte_pktmbuf_alloc_bulk(f->rxq.pool, pkts, 3), 0);
	for (i = 0; i < 3; i++)
		rte_pktmbuf_append(pkts[i], 60);
	/* the second mbuf is shared, so that no tag can be inserted */
	pkts[1]->ol_flags |= RTE_MBUF_F_TX_VLAN;
	rte_mbuf_refcnt_update(pkts[1], 1);
	nb_put = 0;
	/* no frame is sent while the lease is not granted */
	assert_int_equal(vstate_port_tx(&txq, pkts, 3), 0);
	vstate_lease_grant(&f->nq.vq.lease);
	assert_int_equal(vstate_port_tx(&txq, pkts, 3), 3);
	assert_int_equal(nb_put, 2);
	/* after a tag is inserted, the properties of the burst are not known any more */
	assert_int_equal(put_look[0], VSTATE_NET_MBUF_UNKNOWN);
	assert_int_equal(put_look[1], VSTATE_NET_MBUF_UNKNOWN);
	assert_int_equal(f->nq.counters.bad_offload, 1);
	assert_int_equal(rte_pktmbuf_data_len(pkts[1]), 60);
	rte_pktmbuf_free(pkts[1]);
}

/* ---- link ---- */

#define LINK_NAME "net_vstate6"

/* A port and its application, which reads the link and receives link events. */
static struct {
	pthread_mutex_t lock;
	struct vstate_dev *dev;
	struct rte_eth_dev *eth;
	uint16_t port;
	unsigned int events;
	uint16_t seen;
} app = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
app_link_read(void)
{
	struct rte_eth_link link = { 0 };

	/* if the read fails, the link is neither up nor down */
	if (rte_eth_link_get_nowait(app.port, &link) == 0)
		app.seen = link.link_status;
	else
		app.seen = UINT16_MAX;
}

static int
app_link_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret)
{
	RTE_SET_USED(port);
	RTE_SET_USED(type);
	RTE_SET_USED(arg);
	RTE_SET_USED(ret);
	pthread_mutex_lock(&app.lock);
	app.events++;
	app_link_read();
	pthread_mutex_unlock(&app.lock);
	return 0;
}

static void
app_start(void)
{
	assert_int_equal(rte_eth_dev_start(app.port), 0);
	pthread_mutex_lock(&app.lock);
	app_link_read();
	pthread_mutex_unlock(&app.lock);
}

static int
link_setup_with(void **state, const char *more)
{
	const struct rte_eth_conf conf = { .intr_conf.lsc = 1 };
	char path[] = "/tmp/vstate-autotest-XXXXXX", args[64];
	struct rte_mempool *pool;

	assert_int_equal(fixture_setup(state), 0);
	pool = ((struct fixture *)*state)->rxq.pool;
	assert_non_null(mkdtemp(path));
	rmdir(path);
	snprintf(args, sizeof(args), "iface=%s%s", path, more);
	assert_int_equal(rte_vdev_init(LINK_NAME, args), 0);
	app.dev = vstate_dev_find(LINK_NAME);
	assert_non_null(app.dev);
	assert_int_equal(rte_eth_dev_get_port_by_name(LINK_NAME, &app.port), 0);
	app.eth = &rte_eth_devices[app.port];
	app.events = 0;
	assert_int_equal(rte_eth_dev_configure(app.port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(app.port, 0, 64, SOCKET_ID_ANY, NULL, pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(app.port, 0, 64, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_callback_register(app.port, RTE_ETH_EVENT_INTR_LSC,
			app_link_event, NULL), 0);
	return 0;
}

static int
link_setup(void **state)
{
	return link_setup_with(state, "");
}

static int
ipv4_cksum_setup(void **state)
{
	return link_setup_with(state, ",ipv4-cksum=1");
}

static int
link_teardown(void **state)
{
	assert_int_equal(rte_vdev_uninit(LINK_NAME), 0);
	return fixture_teardown(state);
}

#define TCI 0x6123

/* Length of the frame that the guest sends. */
static uint16_t tagged_len = 64;
/* Its packet type, if that is known. */
static uint32_t tagged_type;

/* The guest sends one frame with a tag in each burst. */
static uint16_t
tagged_frame_take(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts,
		uint16_t n)
{
	struct rte_vlan_hdr *tag;
	struct rte_ether_hdr *eth;

	RTE_SET_USED(nq);
	assert_true(n > 0);
	pkts[0] = rte_pktmbuf_alloc(pool);
	assert_non_null(pkts[0]);
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(pkts[0], tagged_len);
	memset(eth, 0, 64);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
	tag = (struct rte_vlan_hdr *)(eth + 1);
	tag->vlan_tci = rte_cpu_to_be_16(TCI);
	tag->eth_proto = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	pkts[0]->packet_type = tagged_type;
	pkts[0]->l2_len = RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
	return 1;
}

static void
buffers_give_none(struct vstate_net_vq *nq, uint16_t n)
{
	RTE_SET_USED(nq);
	RTE_SET_USED(n);
}

/* Receive one frame through a port with these offloads. */
static struct rte_mbuf *
frame_receive(struct rte_mempool *pool, uint64_t offloads)
{
	static const struct vstate_net_ops ops = { .take = tagged_frame_take,
		.give = buffers_give_none };
	const struct rte_eth_conf conf = { .rxmode.offloads = offloads };
	struct vstate_vq *vq = app.dev->vqs[VSTATE_TXQ(0)];
	struct rte_mbuf *m;

	assert_int_equal(rte_eth_dev_configure(app.port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup(app.port, 0, 64, SOCKET_ID_ANY, NULL, pool), 0);
	assert_int_equal(rte_eth_dev_start(app.port), 0);
	vstate_net_vq_of(vq)->ops = &ops;
	/* the queue never looks empty */
	vq->look_at = &vq->look_value;
	vq->look_mask = 0;
	vq->look_value = 1;
	vstate_lease_grant(&vq->lease);
	assert_int_equal(rte_eth_rx_burst(app.port, 0, &m, 1), 1);
	vstate_lease_revoke(&vq->lease);
	assert_int_equal(rte_eth_dev_stop(app.port), 0);
	return m;
}

/* A frame has the port's number, whatever the queue had before. */
static void
frame_names_the_port_that_received_it(void **state)
{
	struct fixture *f = *state;
	struct vstate_net_vq *nq = vstate_net_vq_of(app.dev->vqs[VSTATE_TXQ(0)]);

	nq->port_id = app.port + 1;
	rte_pktmbuf_free(frame_receive(f->rxq.pool, 0));
	assert_int_equal(nq->port_id, app.port);
	assert_int_equal(vstate_net_vq_of(app.dev->vqs[VSTATE_RXQ(0)])->port_id, app.port);
}

/* The header behind the tag is all zeros, which is no IPv4 header. */
static void
ipv4_header_is_checked_only_with_the_offload(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m;

	m = frame_receive(f->rxq.pool, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM);
	assert_true(m->ol_flags == RTE_MBUF_F_RX_IP_CKSUM_BAD);
	rte_pktmbuf_free(m);
	m = frame_receive(f->rxq.pool, RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
			RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
	assert_true(m->ol_flags == 0);
	rte_pktmbuf_free(m);
}

static void
tag_is_stripped_only_with_the_offload(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m;

	m = frame_receive(f->rxq.pool, RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
	assert_int_equal(m->pkt_len, 60);
	assert_int_equal(m->vlan_tci, TCI);
	assert_true(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED);
	rte_pktmbuf_free(m);
	m = frame_receive(f->rxq.pool, 0);
	assert_int_equal(m->pkt_len, 64);
	assert_int_equal(m->ol_flags, 0);
	rte_pktmbuf_free(m);
}

static void
tag_is_not_stripped_from_a_frame_that_ends_inside_it(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m;

	for (tagged_len = RTE_ETHER_HDR_LEN; tagged_len <= 18; tagged_len++) {
		m = frame_receive(f->rxq.pool, RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
		assert_int_equal(m->pkt_len, tagged_len < 18 ? tagged_len : 14);
		assert_int_equal((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0,
				tagged_len == 18);
		rte_pktmbuf_free(m);
	}
	tagged_len = 64;
}

/* Of a frame with a partial checksum, header lengths are known, and the tag is one of them. */
static void
tag_that_is_stripped_is_no_header_any_more(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *m;

	tagged_type = RTE_PTYPE_L2_ETHER_VLAN | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP;
	m = frame_receive(f->rxq.pool, RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
	assert_int_equal(m->l2_len, RTE_ETHER_HDR_LEN);
	assert_int_equal(m->packet_type, RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 |
			RTE_PTYPE_L4_TCP);
	rte_pktmbuf_free(m);
	tagged_type = 0;
}

/* Whether a port with these offloads may receive frames of several mbufs. */
static bool
chains_are_received(uint64_t offloads)
{
	const struct rte_eth_conf conf = { .rxmode.offloads = offloads };
	bool linear;

	assert_int_equal(rte_eth_dev_configure(app.port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_dev_start(app.port), 0);
	linear = vstate_net_vq_of(app.dev->vqs[VSTATE_TXQ(0)])->linear;
	assert_int_equal(rte_eth_dev_stop(app.port), 0);
	return !linear;
}

static void
frames_of_several_mbufs_are_received_only_with_scatter(void **state)
{
	RTE_SET_USED(state);
	assert_false(chains_are_received(0));
	assert_true(chains_are_received(RTE_ETH_RX_OFFLOAD_SCATTER));
	assert_false(chains_are_received(RTE_ETH_RX_OFFLOAD_VLAN_STRIP));
	vstate_net_conf(&app.dev->conf)->linear_buffer = true;
	assert_false(chains_are_received(RTE_ETH_RX_OFFLOAD_SCATTER));
	vstate_net_conf(&app.dev->conf)->linear_buffer = false;
}

static int
do_link_set(struct vstate_dev *dev, void *arg)
{
	vstate_port_link_set(dev, *(const bool *)arg);
	return 0;
}

static void
guest_set_present(bool up)
{
	assert_int_equal(vstate_control_run(do_link_set, app.dev, &up), 0);
}

static void
flag_set(void *flag)
{
	rte_atomic_store_explicit((uint32_t *)flag, 1, rte_memory_order_release);
}

/* Wait for earlier events: EAL's interrupt thread serves the alarm after them. */
static void
events_wait(void)
{
	uint32_t flag = 0;

	assert_int_equal(rte_eal_alarm_set(1, flag_set, &flag), 0);
	while (rte_atomic_load_explicit(&flag, rte_memory_order_acquire) == 0)
		usleep(10);
}

static void
assert_link(uint16_t status)
{
	struct rte_eth_link link;

	events_wait();
	pthread_mutex_lock(&app.lock);
	rte_eth_linkstatus_get(app.eth, &link);
	assert_int_equal(link.link_status, status);
	assert_int_equal(app.seen, status);
	pthread_mutex_unlock(&app.lock);
}

static void
guest_that_connects_while_the_port_starts_is_reported(void **state)
{
	RTE_SET_USED(state);
	/* the driver's part of a start is done, and ethdev's part is not */
	assert_int_equal(app.eth->dev_ops->dev_start(app.eth), 0);
	app.seen = RTE_ETH_LINK_DOWN;
	guest_set_present(true);
	events_wait();
	app.eth->data->dev_started = 1;
	assert_link(RTE_ETH_LINK_UP);
	assert_int_equal(app.events, 1);
	/* the guest disconnects, and the port stops before the event is sent */
	guest_set_present(false);
	assert_link(RTE_ETH_LINK_DOWN);
	assert_int_equal(app.events, 2);
	guest_set_present(true);
	assert_int_equal(rte_eth_dev_stop(app.port), 0);
	events_wait();
	app_link_read();
	assert_link(RTE_ETH_LINK_DOWN);
}

#define FEATURES_OK 0xb
#define DRIVER_OK 0xf

static void
status_write(uint8_t status)
{
	vstate_status_write(app.dev, status);
	assert_int_equal(vstate_status_read(app.dev), status);
}

/* Connection and rings stay: only the status byte shows whether a driver is present. */
static void
link_follows_driver_ok_on_a_live_connection(void **state)
{
	struct vstate_setup setup = { .features = RTE_BIT64(VIRTIO_F_VERSION_1),
		.status_negotiated = true };
	struct ring ring;
	unsigned int i;

	RTE_SET_USED(state);
	ring_open(&ring, false, 256);
	setup.mem = ring.guest.mem;
	for (i = 0; i < 2; i++) {
		ring_describe(&ring, &setup.rings[i]);
		setup.rings[i].ready = true;
	}
	app_start();
	vstate_start_connect(app.dev);
	vstate_start_negotiate(app.dev, setup.features, true);
	assert_int_equal(vstate_start(app.dev, &setup), 0);
	assert_link(RTE_ETH_LINK_DOWN);
	for (i = 1; i <= 3; i++) {
		status_write(FEATURES_OK);
		assert_link(RTE_ETH_LINK_DOWN);
		status_write(DRIVER_OK);
		assert_link(RTE_ETH_LINK_UP);
		status_write(0);
		assert_link(RTE_ETH_LINK_DOWN);
		assert_true(vstate_run_is_started(app.dev));
		assert_int_equal(app.events, 2 * i);
	}
	vstate_start_disconnect(app.dev, false);
	assert_link(RTE_ETH_LINK_DOWN);
	assert_int_equal(rte_eth_dev_stop(app.port), 0);
	ring_close(&ring);
}

/* ---- a port that closes while other threads read it ---- */

#define CLOSE_ROUNDS 100
#define XSTATS_MAX 256

static bool readers_stop;

/* Read the port as an application does, under ethdev's lock. */
static void
port_read_locked(bool link_only)
{
	static struct rte_eth_xstat_name names[XSTATS_MAX];
	struct rte_eth_xstat xstats[XSTATS_MAX];
	struct rte_eth_stats stats;
	struct rte_eth_link link;
	int ret;

	vstate_ethdev_lock();
	if (rte_eth_dev_is_valid_port(0)) {
		/* It fails if the port was just removed; since 24.11 a result must be used. */
		ret = rte_eth_link_get_nowait(0, &link);
		RTE_SET_USED(ret);
		if (!link_only) {
			rte_eth_stats_get(0, &stats);
			rte_eth_xstats_get_names(0, names, XSTATS_MAX);
			rte_eth_xstats_get(0, xstats, XSTATS_MAX);
		}
	}
	vstate_ethdev_unlock();
	/* A spinlock, and not fair: the thread that removes the port would wait for minutes. */
	usleep(20);
}

/*
 * Where ethdev has no lock, a reader may find the table of functions gone between ethdev's check
 * and its call, with any driver. So the driver's own functions are called.
 */
static void
port_read_by_driver(const struct eth_dev_ops *ops, bool link_only)
{
	static struct rte_eth_xstat_name names[XSTATS_MAX];
	struct rte_eth_dev *eth = &rte_eth_devices[0];
	struct rte_eth_xstat xstats[XSTATS_MAX];

	ops->link_update(eth, 0);
	if (link_only)
		return;
	ops->xstats_get_names(eth, names, XSTATS_MAX);
	ops->xstats_get(eth, xstats, XSTATS_MAX);
}

struct reader {
	struct vstate_thread thread;
	const struct eth_dev_ops *ops;
	bool link_only;
};

/* Read link and statistics of a port in a loop, as telemetry does. */
static void *
reader_main(void *arg)
{
	const struct reader *r = arg;

	while (!rte_atomic_load_explicit(&readers_stop, rte_memory_order_relaxed)) {
		if (VSTATE_ETHDEV_HAS_LOCK)
			port_read_locked(r->link_only);
		else
			port_read_by_driver(r->ops, r->link_only);
	}
	return NULL;
}

static void
port_is_closed_and_removed_while_other_threads_read_it(void **state)
{
	struct reader r[2] = { { .link_only = true } };
	char args[64];
	unsigned int i;

	RTE_SET_USED(state);
	readers_stop = false;
	snprintf(args, sizeof(args), "iface=/tmp/vstate-port-%d.sock", getpid());
	assert_int_equal(rte_vdev_init(LINK_NAME, args), 0);
	r[0].ops = r[1].ops = rte_eth_devices[0].dev_ops;
	assert_int_equal(rte_vdev_uninit(LINK_NAME), 0);
	/* control threads of EAL, as other threads would share this thread's processor */
	for (i = 0; i < RTE_DIM(r); i++)
		assert_int_equal(vstate_thread_create(&r[i].thread, "reader", reader_main, &r[i]), 0);
	for (i = 0; i < CLOSE_ROUNDS; i++) {
		assert_int_equal(rte_vdev_init(LINK_NAME, args), 0);
		assert_int_equal(rte_eth_dev_get_port_by_name(LINK_NAME, &app.port), 0);
		assert_int_equal(app.port, 0);
		if (i % 2 == 0)
			assert_int_equal(rte_eth_dev_close(app.port), 0);
		assert_int_equal(rte_vdev_uninit(LINK_NAME), 0);
	}
	rte_atomic_store_explicit(&readers_stop, true, rte_memory_order_relaxed);
	for (i = 0; i < RTE_DIM(r); i++)
		vstate_thread_join(&r[i].thread);
}

static unsigned int destroyed;

static int
app_destroy_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret)
{
	RTE_SET_USED(port);
	RTE_SET_USED(type);
	RTE_SET_USED(arg);
	RTE_SET_USED(ret);
	destroyed++;
	return 0;
}

static void
close_of_a_port_is_reported_once(void **state)
{
	char args[64];

	RTE_SET_USED(state);
	snprintf(args, sizeof(args), "iface=/tmp/vstate-port-%d.sock", getpid());
	assert_int_equal(rte_vdev_init(LINK_NAME, args), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(LINK_NAME, &app.port), 0);
	destroyed = 0;
	assert_int_equal(rte_eth_dev_callback_register(app.port, RTE_ETH_EVENT_DESTROY,
			app_destroy_event, NULL), 0);
	assert_int_equal(rte_eth_dev_close(app.port), 0);
	assert_int_equal(destroyed, 1);
	assert_int_equal(rte_vdev_uninit(LINK_NAME), 0);
	assert_int_equal(destroyed, 1);
	rte_eth_dev_callback_unregister(app.port, RTE_ETH_EVENT_DESTROY, app_destroy_event, NULL);
}

#define ROUNDS 100
#define FLIPS 1000

static uint32_t
flip_main(void *arg)
{
	unsigned int i;

	RTE_SET_USED(arg);
	for (i = 0; i < FLIPS; i++)
		guest_set_present(i % 2 == 0);
	return 0;
}

static void
link_is_right_after_concurrent_starts_stops_and_guests(void **state)
{
	unsigned int round, i;
	rte_thread_t t;

	RTE_SET_USED(state);
	for (round = 0; round < ROUNDS; round++) {
		assert_int_equal(rte_thread_create(&t, NULL, flip_main, NULL), 0);
		app_start();
		for (i = 0; i < 100; i++) {
			assert_int_equal(rte_eth_dev_stop(app.port), 0);
			app_start();
		}
		assert_int_equal(rte_thread_join(t, NULL), 0);
		guest_set_present(round % 2);
		assert_link(round % 2 ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN);
		/* after a stop the link is down, even if an event runs at the same time */
		guest_set_present(round % 2 == 0);
		assert_int_equal(rte_eth_dev_stop(app.port), 0);
		events_wait();
		app_link_read();
		assert_link(RTE_ETH_LINK_DOWN);
	}
}

int
test_vstate_port(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(migrated_guest_is_announced_once,
				fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(announcement_waits_for_an_mbuf_and_for_room,
				fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(guest_that_left_is_not_announced,
				fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
				frame_that_cannot_be_tagged_is_dropped_alone,
				fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(frame_names_the_port_that_received_it, link_setup,
				link_teardown),
		cmocka_unit_test_setup_teardown(ipv4_header_is_checked_only_with_the_offload,
				ipv4_cksum_setup, link_teardown),
		cmocka_unit_test_setup_teardown(tag_is_stripped_only_with_the_offload,
				link_setup, link_teardown),
		cmocka_unit_test_setup_teardown(
				tag_is_not_stripped_from_a_frame_that_ends_inside_it,
				link_setup, link_teardown),
		cmocka_unit_test_setup_teardown(tag_that_is_stripped_is_no_header_any_more,
				link_setup, link_teardown),
		cmocka_unit_test_setup_teardown(
				frames_of_several_mbufs_are_received_only_with_scatter,
				link_setup, link_teardown),
		cmocka_unit_test_setup_teardown(
				guest_that_connects_while_the_port_starts_is_reported,
				link_setup, link_teardown),
		cmocka_unit_test(port_is_closed_and_removed_while_other_threads_read_it),
		cmocka_unit_test(close_of_a_port_is_reported_once),
		cmocka_unit_test_setup_teardown(link_follows_driver_ok_on_a_live_connection,
				link_setup, link_teardown),
		cmocka_unit_test_setup_teardown(
				link_is_right_after_concurrent_starts_stops_and_guests,
				link_setup, link_teardown),
	};

	return cmocka_run_group_tests_name("vstate_port", tests, NULL, NULL);
}

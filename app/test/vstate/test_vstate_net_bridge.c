/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The bridge between a guest and an uplink that the test controls. */

#include <stdlib.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_service.h>

#include <ethdev_driver.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_device.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "net/vstate_net_bridge.h"
#include "net/vstate_net_conf.h"
#include "ring/vstate_lease.h"

#define NAME "test_bridge"
#define UPLINK "test_uplink"
#define FRAMES 128

/* A port that accepts and receives as many frames as the test sets. */
static struct uplink {
	struct rte_eth_dev *eth;
	/** Number of frames that it still accepts; lengths that it refuses to send or prepare. */
	uint32_t accept, never_len, unprepared_len;
	/** Numbers of the frames that it sent. */
	uint8_t sent[FRAMES];
	uint32_t nb_sent;
	/** Data and offload flags of the last frame; offload capabilities of the port. */
	uint8_t last[64];
	uint64_t last_flags, capa;
	/** Keep the mbuf of a frame that was sent, as a port does until the frame is sent. */
	bool keep;
	struct rte_mbuf *kept;
	/** Frames for the guest. */
	struct rte_mbuf *waiting[FRAMES];
	uint32_t first, nb_waiting;
} uplink;

/* Offload capabilities of the next uplink that is opened. */
static uint64_t uplink_capa;

static uint16_t
uplink_tx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	RTE_SET_USED(queue);
	for (i = 0; i < n && uplink.accept > 0; i++, uplink.accept--) {
		if (pkts[i]->pkt_len == uplink.never_len)
			break;
		assert_true(uplink.nb_sent < FRAMES);
		uplink.sent[uplink.nb_sent++] = *rte_pktmbuf_mtod(pkts[i], uint8_t *);
		memcpy(uplink.last, rte_pktmbuf_mtod(pkts[i], uint8_t *),
				RTE_MIN(sizeof(uplink.last), (size_t)pkts[i]->data_len));
		uplink.last_flags = pkts[i]->ol_flags;
		if (uplink.keep)
			uplink.kept = pkts[i];
		else
			rte_pktmbuf_free(pkts[i]);
	}
	return i;
}

static uint16_t
uplink_prepare(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	RTE_SET_USED(queue);
	for (i = 0; i < n && pkts[i]->pkt_len != uplink.unprepared_len; i++)
		;
	return i;
}

static uint16_t
uplink_rx(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t i;

	RTE_SET_USED(queue);
	for (i = 0; i < n && uplink.first < uplink.nb_waiting; i++)
		pkts[i] = uplink.waiting[uplink.first++];
	return i;
}

static int
uplink_op_accept(struct rte_eth_dev *eth)
{
	RTE_SET_USED(eth);
	return 0;
}

static int
uplink_infos(struct rte_eth_dev *eth, struct rte_eth_dev_info *info)
{
	RTE_SET_USED(eth);
	info->max_rx_queues = 1;
	info->max_tx_queues = 1;
	info->max_mac_addrs = 1;
	info->max_rx_pktlen = UINT16_MAX;
	info->tx_offload_capa = uplink.capa;
	return 0;
}

static int
uplink_rxq(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	RTE_SET_USED(nb_desc);
	RTE_SET_USED(socket);
	RTE_SET_USED(conf);
	RTE_SET_USED(pool);
	eth->data->rx_queues[id] = &uplink;
	return 0;
}

static int
uplink_txq(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc, unsigned int socket,
		const struct rte_eth_txconf *conf)
{
	RTE_SET_USED(nb_desc);
	RTE_SET_USED(socket);
	RTE_SET_USED(conf);
	eth->data->tx_queues[id] = &uplink;
	return 0;
}

static int
uplink_link(struct rte_eth_dev *eth, int wait)
{
	RTE_SET_USED(eth);
	RTE_SET_USED(wait);
	return -1;
}

static void
uplink_open(void)
{
	static const struct eth_dev_ops ops = {
		.dev_configure = uplink_op_accept,
		.dev_start = uplink_op_accept,
		.dev_stop = uplink_op_accept,
		.dev_infos_get = uplink_infos,
		.promiscuous_enable = uplink_op_accept,
		.promiscuous_disable = uplink_op_accept,
		.allmulticast_enable = uplink_op_accept,
		.allmulticast_disable = uplink_op_accept,
		.rx_queue_setup = uplink_rxq,
		.tx_queue_setup = uplink_txq,
		.link_update = uplink_link,
	};
	static const struct rte_driver driver = { .name = UPLINK };
	static struct rte_device device = { .name = UPLINK, .driver = &driver };
	static struct rte_ether_addr mac = { { 2 } };
	struct rte_eth_dev *eth = rte_eth_dev_allocate(UPLINK);

	memset(&uplink, 0, sizeof(uplink));
	uplink.capa = uplink_capa;
	assert_non_null(eth);
	uplink.eth = eth;
	eth->device = &device;
	eth->dev_ops = &ops;
	eth->data->mac_addrs = &mac;
	eth->data->mtu = 1500;
	eth->rx_pkt_burst = uplink_rx;
	eth->tx_pkt_burst = uplink_tx;
	eth->tx_pkt_prepare = uplink_prepare;
	rte_eth_dev_probing_finish(eth);
}

static void
uplink_close(void)
{
	for (; uplink.first < uplink.nb_waiting; uplink.first++)
		rte_pktmbuf_free(uplink.waiting[uplink.first]);
	uplink.eth->data->mac_addrs = NULL;
	rte_eth_dev_release_port(uplink.eth);
}

/* A running device with one pair and a service. The rings belong to the test. */
struct bench {
	struct vstate_dev *dev;
	struct vstate_vq *own[2];
	struct ring rx, tx;
	uint32_t service;
	/** Numbers of the next frame to the uplink, and to the guest. */
	uint8_t next_tx, next_rx;
};

static void
bench_open(struct bench *b, bool packed, uint16_t size)
{
	struct vstate_conf conf = ut_conf(1, 1500);

	memset(b, 0, sizeof(*b));
	strcpy(vstate_net_conf(&conf)->uplink, UPLINK);
	uplink_open();
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->dev = ut_device_make(NAME, &conf);
	assert_non_null(b->dev);
	ring_open(&b->rx, packed, size);
	ring_open(&b->tx, packed, size);
	memcpy(b->own, b->dev->vqs, sizeof(b->own));
	b->dev->vqs[0] = b->rx.vq;
	b->dev->vqs[1] = b->tx.vq;
	vstate_run_vq_unblock(b->rx.vq, VSTATE_BLOCK_NOT_READY);
	vstate_run_vq_unblock(b->tx.vq, VSTATE_BLOCK_NOT_READY);
	vstate_run_unblock(b->dev, VSTATE_BLOCK_NOT_CONNECTED | VSTATE_BLOCK_NOT_STARTED);
	vstate_run_status_set(b->dev, RTE_VHOST_STATE_S_DRIVER_OK);
	assert_int_equal(vstate_poller_create(b->dev, SOCKET_ID_ANY), 0);
	assert_int_equal(rte_service_get_by_name(NAME, &b->service), 0);
}

static void
bench_close(struct bench *b)
{
	vstate_poller_destroy(b->dev);
	vstate_run_block(b->dev, VSTATE_BLOCK_NOT_STARTED);
	memcpy(b->dev->vqs, b->own, sizeof(b->own));
	ut_device_unmake(b->dev);
	vstate_watch_put();
	uplink_close();
	assert_int_equal(ring_mbufs_out(&b->rx), 0);
	ring_close(&b->rx);
	ring_close(&b->tx);
}

static void
poll_once(struct bench *b)
{
	rte_service_run_iter_on_app_lcore(b->service, 0);
}

/* The guest sends a frame of @p len bytes, each of them the number of the frame. */
static void
guest_send(struct bench *b, uint32_t len)
{
	const struct piece p = { RING_BUF_GPA + 256 * (b->next_tx % 64), RING_HDR + len };

	memset(guest_at(&b->tx.guest, p.gpa), 0, RING_HDR);
	memset(guest_at(&b->tx.guest, p.gpa + RING_HDR), b->next_tx++, len);
	ring_add(&b->tx, &p, 1, false);
}

/* Count the frames whose buffers the guest got back. */
static unsigned int
guest_count_used(struct bench *b)
{
	unsigned int n = 0;
	uint32_t len;
	uint16_t id;

	while (ring_get_used(&b->tx, &id, &len))
		n++;
	return n;
}

static void
uplink_give(struct bench *b, unsigned int n, uint32_t len)
{
	struct rte_mbuf *m;

	for (; n > 0; n--) {
		m = rte_pktmbuf_alloc(b->rx.pool);
		assert_non_null(m);
		memset(rte_pktmbuf_append(m, len), uplink.nb_waiting, len);
		uplink.waiting[uplink.nb_waiting++] = m;
	}
}

/* The guest adds a buffer of two descriptors, as many drivers do: header, then frame. */
static void
guest_add_buffer(struct bench *b, uint32_t i, uint32_t len)
{
	const struct piece p[2] = { { RING_BUF_GPA + 512 * (i % 64), RING_HDR },
		{ RING_BUF_GPA + 512 * (i % 64) + 64, len } };

	ring_add(&b->rx, p, 2, true);
}

static void
frames_pass_both_ways_once_and_in_order(void **state)
{
	struct bench b;
	uint32_t i, len;
	int packed;
	uint16_t id;

	for (packed = 0; packed < 2; packed++) {
		bench_open(&b, packed, 64);
		uplink.accept = UINT32_MAX;
		for (i = 0; i < 50; i++)
			guest_send(&b, 60 + i);
		uplink_give(&b, 20, 80);
		for (i = 0; i < 20; i++)
			guest_add_buffer(&b, i, 200);
		for (i = 0; i < 20; i++)
			poll_once(&b);
		assert_int_equal(guest_count_used(&b), 50);
		assert_int_equal(uplink.nb_sent, 50);
		for (i = 0; i < 50; i++)
			assert_int_equal(uplink.sent[i], i);
		for (i = 0; i < 20; i++) {
			assert_true(ring_get_used(&b.rx, &id, &len));
			assert_int_equal(len, RING_HDR + 80);
			assert_int_equal(*guest_at(&b.rx.guest, RING_BUF_GPA + 512 * i + 64), i);
		}
		assert_int_equal(b.tx.nq->counters.packets, 50);
		assert_int_equal(b.rx.nq->counters.packets, 20);
		bench_close(&b);
	}
}

static void
frames_that_the_uplink_does_not_accept_stay_in_the_ring(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;
	uint32_t i;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		bench_open(&b, packed, 64);
		uplink.accept = 7;
		for (i = 0; i < 40; i++)
			guest_send(&b, 60);
		poll_once(&b);
		poll_once(&b);
		assert_int_equal(guest_count_used(&b), 7);
		/* a stop finds these frames in the ring */
		assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
		uplink.accept = UINT32_MAX;
		poll_once(&b);
		assert_int_equal(uplink.nb_sent, 7);
		assert_int_equal(b.tx.vq->avail.idx, 7);
		assert_int_equal(b.tx.vq->used.idx, 7);
		st = rte_vhost_state_capture(NAME, NULL);
		assert_non_null(st);
		assert_int_equal(st->vqs[1].used_idx, 7);
		rte_vhost_state_free(st);
		assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
		for (i = 0; i < 3; i++)
			poll_once(&b);
		assert_int_equal(guest_count_used(&b), 33);
		assert_int_equal(uplink.nb_sent, 40);
		for (i = 0; i < 40; i++)
			assert_int_equal(uplink.sent[i], i);
		assert_int_equal(b.tx.nq->counters.uplink, 0);
		bench_close(&b);
	}
}

/* Poll until @p lost frames were dropped. */
static void
poll_until_lost(struct bench *b, uint64_t lost)
{
	uint64_t end = rte_get_timer_cycles() + 60 * rte_get_timer_hz();

	while (b->tx.nq->counters.uplink < lost && rte_get_timer_cycles() < end)
		poll_once(b);
	assert_int_equal(b->tx.nq->counters.uplink, lost);
}

static void
frame_that_the_uplink_never_accepts_is_dropped_and_counted(void **state)
{
	uint64_t start;
	struct bench b;

	bench_open(&b, false, 64);
	uplink.accept = UINT32_MAX;
	uplink.never_len = 99;
	guest_send(&b, 60);
	guest_send(&b, 99);
	guest_send(&b, 60);
	start = rte_get_timer_cycles();
	poll_until_lost(&b, 1);
	/* not at once, because the peer may only be slow */
	assert_true(rte_get_timer_cycles() - start > rte_get_timer_hz() / 2);
	poll_once(&b);
	assert_int_equal(guest_count_used(&b), 3);
	assert_int_equal(uplink.nb_sent, 2);
	assert_int_equal(uplink.sent[1], 2);
	/* the next frame gets the full time again; frames for a dead uplink do not */
	guest_send(&b, 99);
	start = rte_get_timer_cycles();
	poll_until_lost(&b, 2);
	assert_true(rte_get_timer_cycles() - start > rte_get_timer_hz() / 2);
	uplink.accept = 0;
	guest_send(&b, 60);
	guest_send(&b, 60);
	guest_send(&b, 60);
	poll_until_lost(&b, 3);
	poll_once(&b);
	poll_once(&b);
	assert_int_equal(b.tx.nq->counters.uplink, 5);
	assert_int_equal(guest_count_used(&b), 4);
	bench_close(&b);
}

static void
frame_that_the_uplink_cannot_send_is_dropped_at_once(void **state)
{
	struct bench b;

	bench_open(&b, true, 64);
	uplink.accept = UINT32_MAX;
	uplink.unprepared_len = 99;
	guest_send(&b, 60);
	guest_send(&b, 99);
	guest_send(&b, 60);
	poll_once(&b);
	poll_once(&b);
	assert_int_equal(guest_count_used(&b), 3);
	assert_int_equal(uplink.nb_sent, 2);
	assert_int_equal(uplink.sent[1], 2);
	assert_int_equal(b.tx.nq->counters.uplink, 1);
	bench_close(&b);
}

#define L4 34
#define LEN 60

/* The guest sends a UDP frame with a partial checksum. @return the complete checksum */
static uint16_t
guest_send_partial(struct bench *b)
{
	const struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = L4, .csum_offset = 6 };
	const struct piece p = { RING_BUF_GPA, RING_HDR + LEN };
	uint8_t *frame = guest_at(&b->tx.guest, RING_BUF_GPA + RING_HDR);
	uint32_t sum = 0, i;

	b->tx.nq->features |= RTE_BIT64(VIRTIO_NET_F_CSUM);
	b->tx.nq->host_offloads = true;
	memset(guest_at(&b->tx.guest, p.gpa), 0, RING_HDR);
	memcpy(guest_at(&b->tx.guest, p.gpa), &hdr, sizeof(hdr));
	memset(frame, 2, LEN);
	frame[12] = 8;
	frame[13] = 0;
	memset(frame + 14, 0, L4 - 14);
	frame[14] = 0x45;
	frame[17] = LEN - 14;
	frame[23] = 17;
	frame[L4 + 4] = 0;
	frame[L4 + 5] = LEN - L4;
	for (i = L4; i < LEN; i += 2)
		sum += frame[i] << 8 | frame[i + 1];
	ring_add(&b->tx, &p, 1, false);
	return ~((sum & 0xffff) + (sum >> 16));
}

static void
checksum_that_the_uplink_cannot_complete_is_completed(void **state)
{
	const uint64_t both = RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	static const uint64_t capas[] = { 0, RTE_ETH_TX_OFFLOAD_TCP_CKSUM,
		RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM };
	struct bench b;
	uint16_t want;
	size_t i;

	for (i = 0; i < RTE_DIM(capas); i++) {
		uplink_capa = capas[i];
		bench_open(&b, i & 1, 64);
		uplink_capa = 0;
		uplink.accept = UINT32_MAX;
		want = guest_send_partial(&b);
		poll_once(&b);
		assert_int_equal(uplink.nb_sent, 1);
		if (capas[i] == both) {
			assert_true((uplink.last_flags & RTE_MBUF_F_TX_L4_MASK) ==
					RTE_MBUF_F_TX_UDP_CKSUM);
		} else {
			assert_true((uplink.last_flags & RTE_MBUF_F_TX_L4_MASK) == 0);
			assert_int_equal(uplink.last[L4 + 6] << 8 | uplink.last[L4 + 7], want);
		}
		bench_close(&b);
	}
}

/* The announcement leaves by the port that sends the guest's frames. */
static void
migrated_guest_is_announced_at_the_uplink(void **state)
{
	uint64_t value = 0;
	const struct rte_ether_addr mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)uplink.last;
	struct bench b;

	bench_open(&b, false, 64);
	poll_once(&b);
	memcpy(&value, &mac, sizeof(mac));
	vstate_start_message(b.dev, VSTATE_CLASS_MSG_RARP, value);
	/* retried until the frame is sent, and then never again */
	poll_once(&b);
	assert_int_equal(uplink.nb_sent, 0);
	uplink.accept = UINT32_MAX;
	poll_once(&b);
	assert_int_equal(uplink.nb_sent, 1);
	assert_int_equal(eth->ether_type, rte_cpu_to_be_16(RTE_ETHER_TYPE_RARP));
	assert_true(rte_is_same_ether_addr(&eth->src_addr, &mac));
	poll_once(&b);
	assert_int_equal(uplink.nb_sent, 1);
	bench_close(&b);
}

static void
frames_wait_for_buffers_and_none_is_dropped(void **state)
{
	uint32_t len, given, got;
	struct bench b;
	uint16_t id;
	int k;

	for (k = 0; k < 4; k++) {
		bench_open(&b, k & 1, 64);
		b.rx.nq->mergeable = k & 2;
		uplink_give(&b, 60, 80);
		/* mergeable: three buffers for a frame, far smaller than the estimate assumes */
		for (given = got = 0; got < 60 * (k & 2 ? 3u : 1u);) {
			for (len = 0; len < 5; len++)
				guest_add_buffer(&b, given++, k & 2 ? 20 : 200);
			poll_once(&b);
			if (given == 35) {
				/* the frames that are held stay held during a stop */
				assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
				poll_once(&b);
				assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
			}
			for (; ring_get_used(&b.rx, &id, &len); got++) {
				if (k & 2)
					continue;
				assert_int_equal(len, RING_HDR + 80);
				assert_int_equal(*guest_at(&b.rx.guest, RING_BUF_GPA +
						512 * (got % 64) + 64), got);
			}
			assert_true(given < 400);
		}
		assert_int_equal(b.rx.nq->counters.packets, 60);
		assert_int_equal(b.rx.nq->counters.small_buffer, 0);
		bench_close(&b);
	}
}

static void
uplink_is_not_read_for_a_guest_without_buffers(void **state)
{
	struct bench b;

	/* a ring that is smaller than the estimate for one frame gets frames too */
	bench_open(&b, false, 2);
	uplink_give(&b, 8, 80);
	poll_once(&b);
	assert_int_equal(uplink.first, 0);
	guest_add_buffer(&b, 0, 200);
	poll_once(&b);
	assert_int_equal(uplink.first, 1);
	assert_int_equal(b.rx.nq->counters.packets, 1);
	/* the uplink is not read while the device is suspended either */
	guest_add_buffer(&b, 1, 200);
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	poll_once(&b);
	assert_int_equal(uplink.first, 1);
	bench_close(&b);
}

static void
pool_stays_while_the_uplink_keeps_mbufs(void **state)
{
	struct bench b;

	bench_open(&b, false, 64);
	uplink.accept = 1;
	uplink.keep = true;
	guest_send(&b, 60);
	poll_once(&b);
	assert_non_null(uplink.kept);
	vstate_net_bridge_destroy(b.dev);
	assert_ptr_equal(rte_mempool_lookup("vs_" NAME), uplink.kept->pool);
	rte_pktmbuf_free(uplink.kept);
	/* the next bridge uses the same pool */
	assert_int_equal(vstate_net_bridge_create(b.dev, SOCKET_ID_ANY), 0);
	bench_close(&b);
	assert_null(rte_mempool_lookup("vs_" NAME));
}

static void
pool_count_one(struct rte_mempool *pool, void *arg)
{
	if (strncmp(pool->name, "vs_", 3) == 0)
		++*(unsigned int *)arg;
}

static unsigned int
pools_count_all(void)
{
	unsigned int n = 0;

	rte_mempool_walk(pool_count_one, &n);
	return n;
}

/* The pool of a device is freed with the device, even if another one has a similar name. */
static void
devices_with_similar_names_share_no_pool(void **state)
{
	static const char *const names[] = { "vdpa_vstate_tenant-a-vm1",
		"vdpa_vstate_tenant-a-vm2" };
	struct vstate_conf conf = ut_conf(1, 1500);
	struct vstate_dev *dev[RTE_DIM(names)];
	size_t i;

	assert_int_equal(vstate_watch_get(), 0);
	for (i = 0; i < RTE_DIM(names); i++) {
		dev[i] = ut_device_make(names[i], &conf);
		assert_non_null(dev[i]);
		assert_int_equal(vstate_poller_create(dev[i], SOCKET_ID_ANY), 0);
		assert_int_equal(pools_count_all(), i + 1);
	}
	for (i = 0; i < RTE_DIM(names); i++) {
		vstate_poller_destroy(dev[i]);
		assert_int_equal(pools_count_all(), RTE_DIM(names) - 1 - i);
		ut_device_unmake(dev[i]);
	}
	vstate_watch_put();
}

int
test_vstate_net_bridge(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_pass_both_ways_once_and_in_order),
		cmocka_unit_test(frames_that_the_uplink_does_not_accept_stay_in_the_ring),
		cmocka_unit_test(frame_that_the_uplink_never_accepts_is_dropped_and_counted),
		cmocka_unit_test(frame_that_the_uplink_cannot_send_is_dropped_at_once),
		cmocka_unit_test(checksum_that_the_uplink_cannot_complete_is_completed),
		cmocka_unit_test(migrated_guest_is_announced_at_the_uplink),
		cmocka_unit_test(frames_wait_for_buffers_and_none_is_dropped),
		cmocka_unit_test(pool_stays_while_the_uplink_keeps_mbufs),
		cmocka_unit_test(devices_with_similar_names_share_no_pool),
		cmocka_unit_test(uplink_is_not_read_for_a_guest_without_buffers),
	};

	return cmocka_run_group_tests_name("vstate_net_bridge", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Segmentation in software, for a driver that did not negotiate it. */

#include <errno.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <vstate_compat.h>

#include "ut_frame.h"
#include "ut_groups.h"
#include "dev/vstate_dev.h"
#include "net/vstate_net.h"
#include "net/vstate_port.h"
#include "net/vstate_port_burst.h"
#include "ring/vstate_lease.h"

#define MSS 16
/* 33 bytes: 16, 16, 1 */
#define SEGMENTS 3
#define SEQ 0xfffffff8u		/* it wraps */
#define FIN_PSH 0x09

/* A transmit queue of a port whose guest has one ring. */
struct sender {
	struct ring r;
	struct vstate_dev dev;
	struct vstate_net net;
	struct vstate_port_txq txq;
};

static void
sender_open(struct sender *s, bool partial)
{
	memset(s, 0, sizeof(*s));
	ring_open_offloads(&s->r);
	s->r.nq->guest_csum = partial;
	s->r.nq->features &= ~(RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) |
			RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6));
	s->dev.nb_vqs = 2;
	s->dev.vqs[0] = s->dev.vqs[1] = s->r.vq;
	s->dev.of_class = &s->net;
	s->net.active_pairs = 1;
	s->txq.dev = &s->dev;
	s->txq.net = &s->net;
	vstate_lease_grant(&s->r.vq->lease);
}

static void
buffers_add(struct sender *s, uint16_t n)
{
	uint16_t i;

	for (i = 0; i < n; i++) {
		const struct piece p = { RING_BUF_GPA + 1024 * i, 1024 };

		ring_add(&s->r, &p, 1, true);
	}
}

static struct rte_mbuf *
large_frame_make(struct sender *s, bool v6)
{
	struct rte_mbuf *m;
	struct frame f;

	frame_make(&f, v6, true);
	f.bytes[f.l4 + 4] = SEQ >> 24;
	f.bytes[f.l4 + 5] = (SEQ >> 16) & 0xff;
	f.bytes[f.l4 + 6] = (SEQ >> 8) & 0xff;
	f.bytes[f.l4 + 7] = SEQ & 0xff;
	f.bytes[f.l4 + 13] = FIN_PSH | 0x10;
	m = frame_mbuf(&s->r, &f, 0);
	m->l2_len = FRAME_L3;
	m->l3_len = f.l4 - FRAME_L3;
	m->l4_len = 20;
	m->tso_segsz = MSS;
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	return m;
}

/* Read segment @p i that the guest got. */
static void
segment_read(struct sender *s, uint16_t i, uint32_t used_len, struct virtio_net_hdr *hdr,
		struct frame *seg)
{
	frame_make(seg, false, true);
	guest_read(&s->r.guest, RING_BUF_GPA + 1024 * i, (uint8_t *)hdr, sizeof(*hdr));
	seg->len = used_len - RING_HDR;
	guest_read(&s->r.guest, RING_BUF_GPA + 1024 * i + RING_HDR, seg->bytes, seg->len);
}

static void
assert_segment(const struct frame *whole, const struct frame *seg, uint16_t i, bool partial)
{
	const uint16_t payload = i + 1 < SEGMENTS ? MSS : FRAME_DATA - i * MSS;
	const uint32_t seq = SEQ + i * MSS;
	const uint8_t *tcp = seg->bytes + FRAME_L4_V4;

	assert_int_equal(seg->len, FRAME_L4_V4 + 20 + payload);
	assert_int_equal(seg->bytes[FRAME_L3 + 2] << 8 | seg->bytes[FRAME_L3 + 3], 40 + payload);
	assert_int_equal(frame_sum_fold(frame_sum_add(0, seg->bytes + FRAME_L3, 20)), 0xffff);
	assert_int_equal((uint32_t)tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7], seq);
	assert_int_equal(tcp[13], i + 1 < SEGMENTS ? 0x10 : FIN_PSH | 0x10);
	assert_memory_equal(tcp + 20, whole->bytes + FRAME_L4_V4 + 20 + i * MSS, payload);
	assert_int_equal(tcp[16] << 8 | tcp[17], partial ? frame_pseudo_sum(seg, 20 + payload) :
			frame_checksum(seg));
}

static void
frame_is_segmented_for_a_driver_that_does_not_take_it(void **state)
{
	struct virtio_net_hdr hdr;
	struct frame whole, seg;
	struct rte_mbuf *m;
	struct sender s;
	uint16_t id, i;
	uint32_t len;
	int partial;

	RTE_SET_USED(state);
	frame_make(&whole, false, true);
	for (partial = 0; partial < 2; partial++) {
		sender_open(&s, partial);
		m = large_frame_make(&s, false);
		assert_int_equal(vstate_port_prepare(&s.txq, &m, 1), 1);
		/* no buffer: the application keeps the frame */
		assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 0);
		buffers_add(&s, SEGMENTS);
		assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 1);
		for (i = 0; i < SEGMENTS; i++) {
			assert_true(ring_get_used(&s.r, &id, &len));
			segment_read(&s, i, len, &hdr, &seg);
			assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
			assert_int_equal(hdr.flags, partial ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
			assert_segment(&whole, &seg, i, partial);
		}
		assert_false(ring_get_used(&s.r, &id, &len));
		assert_int_equal(s.r.nq->counters.segmented, 1);
		assert_int_equal(s.r.nq->counters.segments_lost, 0);
		assert_int_equal(s.r.nq->counters.packets, SEGMENTS);
		assert_int_equal(ring_mbufs_out(&s.r), 0);
		ring_close(&s.r);
	}
}

/* Found by the fuzzer of offloads: its mbufs but the first one were freed twice. */
static void
frame_of_one_segment_and_several_mbufs_is_freed_once(void **state)
{
	struct rte_mbuf *m, *tail;
	struct sender s;

	RTE_SET_USED(state);
	sender_open(&s, true);
	m = large_frame_make(&s, false);
	tail = rte_pktmbuf_alloc(s.r.pool);
	assert_non_null(tail);
	memset(rte_pktmbuf_append(tail, 10), 0, 10);
	assert_int_equal(rte_pktmbuf_trim(m, 10), 0);
	assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
	m->tso_segsz = FRAME_DATA + 1;
	/* no buffer: the application keeps the frame, and all of its mbufs */
	assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 0);
	assert_int_equal(ring_mbufs_out(&s.r), 2);
	buffers_add(&s, SEGMENTS);
	s.r.nq->mergeable = true;
	assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 1);
	assert_int_equal(s.r.nq->counters.packets, 1);
	assert_int_equal(ring_mbufs_out(&s.r), 0);
	ring_close(&s.r);
}

static void
segments_without_a_buffer_are_counted(void **state)
{
	struct rte_mbuf *m;
	struct sender s;

	RTE_SET_USED(state);
	sender_open(&s, true);
	buffers_add(&s, 1);
	m = large_frame_make(&s, false);
	assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 1);
	assert_int_equal(s.r.nq->counters.segmented, 1);
	assert_int_equal(s.r.nq->counters.segments_lost, SEGMENTS - 1);
	assert_int_equal(ring_mbufs_out(&s.r), 0);
	ring_close(&s.r);
}

static void
driver_that_takes_segmentation_gets_the_whole_frame(void **state)
{
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;
	struct frame seg;
	struct sender s;
	uint32_t len;
	uint16_t id;

	RTE_SET_USED(state);
	sender_open(&s, true);
	s.r.nq->features |= RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4);
	buffers_add(&s, 1);
	m = large_frame_make(&s, false);
	assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 1);
	assert_true(ring_get_used(&s.r, &id, &len));
	segment_read(&s, 0, len, &hdr, &seg);
	assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(hdr.gso_size, MSS);
	assert_int_equal(s.r.nq->counters.segmented, 0);
	ring_close(&s.r);
}

/* What lib/gso cannot do is refused by prepare, and dropped and counted without it. */
static void
frame_that_cannot_be_segmented_is_refused_and_counted(void **state)
{
	struct rte_mbuf *pkts[2];
	struct sender s;

	RTE_SET_USED(state);
	sender_open(&s, true);
	buffers_add(&s, 4);
	pkts[0] = large_frame_make(&s, true);
	if (!VSTATE_GSO_TCP6) {
		rte_errno = 0;
		assert_int_equal(vstate_port_prepare(&s.txq, pkts, 1), 0);
		assert_int_equal(rte_errno, ENOTSUP);
	}
	/* fragmentation of UDP is no segmentation */
	pkts[0]->ol_flags = RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_IPV6;
	assert_int_equal(vstate_port_prepare(&s.txq, pkts, 1), 0);
	assert_int_equal(rte_errno, ENOTSUP);
	pkts[1] = large_frame_make(&s, false);
	pkts[1]->ol_flags = 0;
	/* it does not block the frame behind */
	assert_int_equal(vstate_port_tx(&s.txq, pkts, 2), 2);
	assert_int_equal(s.r.nq->counters.bad_offload, 1);
	assert_int_equal(s.r.nq->counters.packets, 1);
	assert_int_equal(ring_mbufs_out(&s.r), 0);
	ring_close(&s.r);
}

/* ---- frames whose first mbuf is not direct ---- */

static void
segments_read(struct sender *s)
{
	struct virtio_net_hdr hdr;
	struct frame whole, seg;
	uint32_t len;
	uint16_t id, i;

	frame_make(&whole, false, true);
	for (i = 0; i < SEGMENTS; i++) {
		assert_true(ring_get_used(&s->r, &id, &len));
		segment_read(s, i, len, &hdr, &seg);
		assert_segment(&whole, &seg, i, true);
	}
	assert_false(ring_get_used(&s->r, &id, &len));
}

/* Found by the fuzzer of offloads: the header mbufs of the segments were freed twice. */
static void
clone_is_segmented_and_freed_once(void **state)
{
	struct rte_mbuf *m, *clone;
	struct sender s;

	RTE_SET_USED(state);
	sender_open(&s, true);
	buffers_add(&s, SEGMENTS);
	m = large_frame_make(&s, false);
	clone = rte_pktmbuf_clone(m, s.r.pool);
	assert_non_null(clone);
	assert_int_equal(vstate_port_tx(&s.txq, &clone, 1), 1);
	segments_read(&s);
	/* one is still out: more than all in the pool would not show */
	assert_int_equal(ring_mbufs_out(&s.r), 1);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free(m);
	assert_int_equal(ring_mbufs_out(&s.r), 0);
	ring_close(&s.r);
}

static void
buffer_free(void *addr, void *opaque)
{
	RTE_SET_USED(addr);
	++*(unsigned int *)opaque;
}

/* Move the data of a frame of one mbuf to an external buffer. */
static struct rte_mbuf *
external_frame_make(struct sender *s, struct rte_mempool *pool,
		struct rte_mbuf_ext_shared_info *info, void *buf, uint16_t size)
{
	struct rte_mbuf *from = large_frame_make(s, false), *m = rte_pktmbuf_alloc(pool);

	assert_non_null(m);
	rte_mbuf_ext_refcnt_set(info, 1);
	rte_pktmbuf_attach_extbuf(m, buf, RTE_BAD_IOVA, size, info);
	memcpy(rte_pktmbuf_append(m, from->data_len), rte_pktmbuf_mtod(from, void *),
			from->data_len);
	m->ol_flags |= from->ol_flags;
	m->tx_offload = from->tx_offload;
	rte_pktmbuf_free(from);
	return m;
}

static void
frame_in_an_external_buffer_is_segmented_and_freed_once(void **state)
{
	unsigned int freed = 0;
	struct rte_mbuf_ext_shared_info info = { .free_cb = buffer_free, .fcb_opaque = &freed };
	static uint8_t buf[512];
	struct rte_mbuf *m;
	struct sender s;

	RTE_SET_USED(state);
	sender_open(&s, true);
	buffers_add(&s, SEGMENTS);
	m = external_frame_make(&s, s.r.pool, &info, buf, sizeof(buf));
	assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 1);
	segments_read(&s);
	assert_int_equal(freed, 1);
	assert_int_equal(ring_mbufs_out(&s.r), 0);
	ring_close(&s.r);
}

/* Mbufs of external buffers may have little room of their own. lib/gso would write behind it. */
static void
headers_that_do_not_fit_an_mbuf_are_refused(void **state)
{
	struct rte_mempool *small = rte_pktmbuf_pool_create("small", 15, 0, 0,
			RTE_PKTMBUF_HEADROOM + FRAME_L4_V4 + 19, SOCKET_ID_ANY);
	unsigned int freed = 0;
	struct rte_mbuf_ext_shared_info info = { .free_cb = buffer_free, .fcb_opaque = &freed };
	static uint8_t buf[512];
	struct rte_mbuf *m;
	struct sender s;

	RTE_SET_USED(state);
	assert_non_null(small);
	sender_open(&s, true);
	buffers_add(&s, SEGMENTS);
	m = external_frame_make(&s, small, &info, buf, sizeof(buf));
	assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 1);
	assert_int_equal(s.r.nq->counters.bad_offload, 1);
	assert_int_equal(s.r.nq->counters.packets, 0);
	assert_int_equal(freed, 1);
	assert_int_equal(rte_mempool_in_use_count(small), 0);
	ring_close(&s.r);
	rte_mempool_free(small);
}

/* The segments have TCP headers, whatever else the flags ask for. */
static void
header_of_udp_is_too_short_to_be_segmented_as_tcp(void **state)
{
	struct rte_mbuf *m;
	struct sender s;

	RTE_SET_USED(state);
	sender_open(&s, true);
	buffers_add(&s, SEGMENTS);
	m = large_frame_make(&s, false);
	m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	m->l4_len = 8;
	rte_errno = 0;
	assert_int_equal(vstate_port_prepare(&s.txq, &m, 1), 0);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(vstate_port_tx(&s.txq, &m, 1), 1);
	assert_int_equal(s.r.nq->counters.bad_offload, 1);
	assert_int_equal(s.r.nq->counters.packets, 0);
	assert_int_equal(ring_mbufs_out(&s.r), 0);
	ring_close(&s.r);
}

int
test_vstate_net_segment(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_is_segmented_for_a_driver_that_does_not_take_it),
		cmocka_unit_test(frame_of_one_segment_and_several_mbufs_is_freed_once),
		cmocka_unit_test(clone_is_segmented_and_freed_once),
		cmocka_unit_test(frame_in_an_external_buffer_is_segmented_and_freed_once),
		cmocka_unit_test(headers_that_do_not_fit_an_mbuf_are_refused),
		cmocka_unit_test(header_of_udp_is_too_short_to_be_segmented_as_tcp),
		cmocka_unit_test(segments_without_a_buffer_are_counted),
		cmocka_unit_test(driver_that_takes_segmentation_gets_the_whole_frame),
		cmocka_unit_test(frame_that_cannot_be_segmented_is_refused_and_counted),
	};

	return cmocka_run_group_tests_name("vstate_net_segment", tests, NULL, NULL);
}

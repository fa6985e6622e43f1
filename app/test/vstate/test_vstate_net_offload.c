/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The virtio-net header and mbuf flags, both ways. */

#include <errno.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "ut_frame.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "net/vstate_net_offload.h"

static void
partial_checksum_is_completed_or_left_to_the_port(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	int k, split;

	ring_open_offloads(&r);
	for (k = 0; k < 4; k++) {
		frame_make(&f, k & 1, k & 2);
		hdr = frame_partial_header(&f);
		/* in one mbuf, and with even and odd borders */
		for (split = 0; split < 3; split++) {
			m = frame_mbuf(&r, &f, split == 0 ? 0 : 90 + split);
			r.nq->complete_csum = true;
			assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
			assert_int_equal(frame_field(m, &f), frame_checksum(&f));
			assert_true((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
					RTE_MBUF_F_RX_L4_CKSUM_GOOD);
			rte_pktmbuf_free(m);
		}
		m = frame_mbuf(&r, &f, 0);
		r.nq->complete_csum = false;
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_int_equal(frame_field(m, &f), frame_pseudo_sum(&f, f.len - f.l4));
		assert_true((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
				RTE_MBUF_F_RX_L4_CKSUM_NONE);
		/* and turned around for another guest, which gets the same header */
		vstate_net_offload_turn(m);
		memset(&hdr, 0, sizeof(hdr));
		assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
		assert_int_equal(hdr.hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(hdr.hdr.csum_start, f.l4);
		assert_int_equal(hdr.hdr.csum_offset, f.field - f.l4);
		rte_pktmbuf_free(m);
	}
	assert_int_equal(ring_mbufs_out(&r), 0);
	ring_close(&r);
}

/* VIRTIO: without NEEDS_CSUM the device must not rely on the checksum, whatever the driver says. */
static void
checksum_is_not_good_because_the_driver_says_so(void **state)
{
	const struct virtio_net_hdr_mrg_rxbuf hdr = { .hdr = {
		.flags = VIRTIO_NET_HDR_F_DATA_VALID } };
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;

	ring_open_offloads(&r);
	frame_make(&f, false, true);
	m = frame_mbuf(&r, &f, 0);
	assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
	assert_true((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
			RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN);
	rte_pktmbuf_free(m);
	ring_close(&r);
}

static void
segmentation_request_passes_both_ways(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	int v6;

	ring_open_offloads(&r);
	for (v6 = 0; v6 < 2; v6++) {
		frame_make(&f, v6, true);
		hdr = frame_partial_header(&f);
		hdr.hdr.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		hdr.hdr.gso_size = 16;
		m = frame_mbuf(&r, &f, 0);
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_true(m->ol_flags & RTE_MBUF_F_RX_LRO);
		assert_int_equal(m->tso_segsz, 16);
		vstate_net_offload_turn(m);
		assert_true(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
		memset(&hdr, 0, sizeof(hdr));
		assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
		assert_int_equal(hdr.hdr.gso_type, v6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
				VIRTIO_NET_HDR_GSO_TCPV4);
		assert_int_equal(hdr.hdr.gso_size, 16);
		assert_int_equal(hdr.hdr.hdr_len, f.l4 + 20);
		assert_int_equal(hdr.hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		/* to a driver that cannot */
		r.nq->features &= ~(RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) |
				RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6));
		assert_false(vstate_net_offload_to_header(r.nq, m, &hdr));
		r.nq->features |= RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) |
			RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6);
		rte_pktmbuf_free(m);
	}
	ring_close(&r);
}

static void
udp_segmentation_request_passes_both_ways(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	int v6;

	ring_open_offloads(&r);
	r.nq->features |= RTE_BIT64(VIRTIO_NET_F_HOST_UFO) | RTE_BIT64(VIRTIO_NET_F_GUEST_UFO);
	for (v6 = 0; v6 < 2; v6++) {
		frame_make(&f, v6, false);
		hdr = frame_partial_header(&f);
		hdr.hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP;
		hdr.hdr.gso_size = 16;
		m = frame_mbuf(&r, &f, 0);
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_true((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
				RTE_MBUF_F_RX_L4_CKSUM_NONE);
		assert_true(m->ol_flags & RTE_MBUF_F_RX_LRO);
		assert_int_equal(m->tso_segsz, 16);
		assert_int_equal(m->l2_len + m->l3_len, f.l4);
		vstate_net_offload_turn(m);
		assert_true(m->ol_flags & RTE_MBUF_F_TX_UDP_SEG);
		assert_false(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
		assert_int_equal(vstate_net_offload_prepare(m), 0);
		memset(&hdr, 0, sizeof(hdr));
		assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
		assert_int_equal(hdr.hdr.gso_type, VIRTIO_NET_HDR_GSO_UDP);
		assert_int_equal(hdr.hdr.gso_size, 16);
		assert_int_equal(hdr.hdr.hdr_len, f.l4 + 8);
		assert_int_equal(hdr.hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		assert_int_equal(hdr.hdr.csum_start, f.l4);
		assert_int_equal(hdr.hdr.csum_offset, 6);
		/* to a driver that cannot */
		r.nq->features &= ~RTE_BIT64(VIRTIO_NET_F_GUEST_UFO);
		assert_false(vstate_net_offload_to_header(r.nq, m, &hdr));
		r.nq->features |= RTE_BIT64(VIRTIO_NET_F_GUEST_UFO);
		m->tso_segsz = 0;
		assert_false(vstate_net_offload_to_header(r.nq, m, &hdr));
		rte_pktmbuf_free(m);
	}
	ring_close(&r);
}

static void
udp_segmentation_that_was_not_agreed_upon_is_refused(void **state)
{
	static const struct {
		const char *what;
		uint8_t gso_type;
		uint16_t gso_size;
		bool ufo, tcp;
	} lies[] = {
		{ "UFO not negotiated", VIRTIO_NET_HDR_GSO_UDP, 16, false, false },
		{ "UFO of size 0", VIRTIO_NET_HDR_GSO_UDP, 0, true, false },
		{ "UFO of a TCP frame", VIRTIO_NET_HDR_GSO_UDP, 16, true, true },
		{ "TSO of a UDP frame", VIRTIO_NET_HDR_GSO_TCPV4, 16, true, false },
		/* VIRTIO_NET_HDR_GSO_UDP_L4: its features are not offered */
		{ "USO", 5, 16, true, false },
	};
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	size_t i;

	for (i = 0; i < RTE_DIM(lies); i++) {
		ring_open_offloads(&r);
		if (lies[i].ufo)
			r.nq->features |= RTE_BIT64(VIRTIO_NET_F_HOST_UFO);
		frame_make(&f, false, lies[i].tcp);
		hdr = frame_partial_header(&f);
		hdr.hdr.gso_type = lies[i].gso_type;
		hdr.hdr.gso_size = lies[i].gso_size;
		m = frame_mbuf(&r, &f, 0);
		if (vstate_net_offload_from_header(r.nq, &hdr, m))
			fail_msg("accepted: %s", lies[i].what);
		rte_pktmbuf_free(m);
		ring_close(&r);
	}
}

static void
headers_that_lie_are_refused(void **state)
{
	static const struct {
		const char *what;
		struct virtio_net_hdr hdr;
		uint64_t without;
	} lies[] = {
		{ "field behind the end", { .flags = 1, .csum_start = 34, .csum_offset = 52 } },
		{ "start behind the end", { .flags = 1, .csum_start = 65535, .csum_offset = 65535 } },
		{ "sum that wraps", { .flags = 1, .csum_start = 65535, .csum_offset = 40 } },
		{ "not negotiated", { .flags = 1, .csum_start = 34, .csum_offset = 16 },
			RTE_BIT64(VIRTIO_NET_F_CSUM) },
		{ "GSO without checksum", { .gso_type = 1, .gso_size = 1000 } },
		{ "GSO of size 0", { .flags = 1, .csum_start = 34, .csum_offset = 16,
			.gso_type = 1 } },
		{ "GSO of another version", { .flags = 1, .csum_start = 34, .csum_offset = 16,
			.gso_type = 4, .gso_size = 1000 } },
		{ "UDP fragmentation", { .flags = 1, .csum_start = 34, .csum_offset = 16,
			.gso_type = 3, .gso_size = 1000 } },
		{ "GSO of no known type", { .flags = 1, .csum_start = 34, .csum_offset = 16,
			.gso_type = 0x7f, .gso_size = 1000 } },
		{ "GSO not negotiated", { .flags = 1, .csum_start = 34, .csum_offset = 16,
			.gso_type = 1, .gso_size = 1000 }, RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) },
	};
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	size_t i;

	frame_make(&f, false, true);
	for (i = 0; i < RTE_DIM(lies); i++) {
		ring_open_offloads(&r);
		r.nq->complete_csum = true;
		r.nq->features &= ~lies[i].without;
		memset(&hdr, 0, sizeof(hdr));
		hdr.hdr = lies[i].hdr;
		m = frame_mbuf(&r, &f, 0);
		if (vstate_net_offload_from_header(r.nq, &hdr, m))
			fail_msg("accepted: %s", lies[i].what);
		assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.bytes, f.len);
		rte_pktmbuf_free(m);
		ring_close(&r);
	}
}

static void
every_start_and_offset_is_accepted_or_refused_without_harm(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { .hdr = { .flags = 1 } };
	uint32_t start, offset;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;

	ring_open_offloads(&r);
	r.nq->complete_csum = true;
	frame_make(&f, false, true);
	m = frame_mbuf(&r, &f, 0);
	for (start = 0; start < f.len + 4u; start++) {
		for (offset = 0; offset < f.len + 4u; offset++) {
			hdr.hdr.csum_start = start;
			hdr.hdr.csum_offset = offset;
			assert_int_equal(vstate_net_offload_from_header(r.nq, &hdr, m),
					start + offset + 2 <= f.len);
		}
	}
	rte_pktmbuf_free(m);
	ring_close(&r);
}

static void
checksum_is_computed_for_a_driver_that_wants_it_whole(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	int k, again;

	ring_open_offloads(&r);
	r.nq->guest_csum = false;
	for (k = 0; k < 4; k++) {
		frame_make(&f, k & 1, k & 2);
		m = frame_mbuf(&r, &f, 0);
		frame_be16_write(rte_pktmbuf_mtod_offset(m, uint8_t *, f.field), 0xbad);
		m->l2_len = FRAME_L3;
		m->l3_len = f.l4 - FRAME_L3;
		m->ol_flags = (f.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
			(f.tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
		if (!f.v6) {
			m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
			frame_be16_write(rte_pktmbuf_mtod_offset(m, uint8_t *,
					FRAME_L3 + 10), 0xbad);
		}
		assert_int_equal(vstate_net_offload_prepare(m), 0);
		/* the frame finds no buffer at first, and comes again */
		for (again = 0; again < 3; again++) {
			assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
			assert_int_equal(frame_field(m, &f), frame_checksum(&f));
			assert_int_equal(hdr.hdr.flags, 0);
		}
		frame_be16_write(f.bytes + f.field, frame_checksum(&f));
		assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.bytes, f.len);
		rte_pktmbuf_free(m);
	}
	ring_close(&r);
}

/* How others may come to see the bytes of a frame. */
enum sharing { SHARED_REFCNT, SHARED_CLONE, SHARED_CLONED, SHARED_EXTERNAL, SHARED_NOT };

static void
no_free(void *addr, void *opaque)
{
	RTE_SET_USED(addr);
	RTE_SET_USED(opaque);
}

/* @return the frame to be sent; *other holds the same bytes, or is NULL */
static struct rte_mbuf *
frame_share(struct ring *r, enum sharing how, const struct frame *f, struct rte_mbuf **other)
{
	static struct rte_mbuf_ext_shared_info shinfo;
	static uint8_t outside[512];
	struct rte_mbuf *m = frame_mbuf(r, f, 0), *ext;

	*other = NULL;
	switch (how) {
	case SHARED_REFCNT:
		rte_mbuf_refcnt_update(m, 1);
		*other = m;
		return m;
	case SHARED_CLONE:
	case SHARED_CLONED:
		*other = rte_pktmbuf_clone(m, r->pool);
		assert_non_null(*other);
		if (how == SHARED_CLONED)
			return m;
		ext = *other;
		*other = m;
		return ext;
	case SHARED_EXTERNAL:
		rte_pktmbuf_free(m);
		shinfo.free_cb = no_free;
		rte_mbuf_ext_refcnt_set(&shinfo, 2);
		ext = rte_pktmbuf_alloc(r->pool);
		assert_non_null(ext);
		rte_pktmbuf_attach_extbuf(ext, outside, RTE_BAD_IOVA, sizeof(outside), &shinfo);
		memcpy(rte_pktmbuf_append(ext, f->len), f->bytes, f->len);
		return ext;
	default:
		return m;
	}
}

static void
frame_that_others_hold_too_is_not_changed(void **state)
{
	const struct piece buffer = { RING_BUF_GPA, 600 };
	struct rte_mbuf *m, *other;
	uint8_t got[160];
	struct frame f, want;
	uint16_t id;
	uint32_t len;
	struct ring r;
	int how;

	for (how = SHARED_REFCNT; how <= SHARED_NOT; how++) {
		ring_open_offloads(&r);
		r.nq->guest_csum = false;
		frame_make(&f, false, true);
		frame_be16_write(f.bytes + FRAME_L3 + 10, 0xbad);
		want = f;
		frame_be16_write(want.bytes + FRAME_L3 + 10, 0);
		frame_be16_write(want.bytes + FRAME_L3 + 10, ~frame_sum_fold(frame_sum_add(0,
				want.bytes + FRAME_L3, 20)));
		frame_be16_write(want.bytes + want.field, frame_checksum(&want));
		m = frame_share(&r, how, &f, &other);
		m->l2_len = FRAME_L3;
		m->l3_len = f.l4 - FRAME_L3;
		m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM |
			RTE_MBUF_F_TX_IP_CKSUM;
		/* no buffer at first, so that it comes again */
		assert_int_equal(vq_put(r.nq, &m, 1), 0);
		ring_add(&r, &buffer, 1, true);
		assert_int_equal(vq_put(r.nq, &m, 1), 1);
		assert_true(ring_get_used(&r, &id, &len));
		assert_int_equal(len, RING_HDR + f.len);
		guest_read(&r.guest, RING_BUF_GPA + RING_HDR, got, f.len);
		assert_memory_equal(got, want.bytes, f.len);
		if (how != SHARED_NOT) {
			assert_memory_equal(rte_pktmbuf_mtod(m, void *), f.bytes, f.len);
			assert_true((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) ==
					RTE_MBUF_F_TX_TCP_CKSUM);
			assert_int_equal(vstate_net_offload_prepare(m), 0);
		}
		rte_pktmbuf_free(m);
		rte_pktmbuf_free(other);
		assert_int_equal(ring_mbufs_out(&r), 0);
		ring_close(&r);
	}
}

static void
transmit_lengths_that_lie_are_refused(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;

	ring_open_offloads(&r);
	frame_make(&f, false, true);
	m = frame_mbuf(&r, &f, 0);
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
	m->l2_len = FRAME_L3;
	m->l3_len = 0;
	assert_false(vstate_net_offload_to_header(r.nq, m, &hdr));
	assert_true(vstate_net_offload_prepare(m) != 0);
	m->l3_len = f.len;
	assert_false(vstate_net_offload_to_header(r.nq, m, &hdr));
	assert_true(vstate_net_offload_prepare(m) != 0);
	m->l3_len = 20;
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_SCTP_CKSUM;
	assert_false(vstate_net_offload_to_header(r.nq, m, &hdr));
	assert_true(vstate_net_offload_prepare(m) != 0);
	rte_pktmbuf_free(m);
	ring_close(&r);
}

int
test_vstate_net_offload(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(partial_checksum_is_completed_or_left_to_the_port),
		cmocka_unit_test(checksum_is_not_good_because_the_driver_says_so),
		cmocka_unit_test(segmentation_request_passes_both_ways),
		cmocka_unit_test(udp_segmentation_request_passes_both_ways),
		cmocka_unit_test(udp_segmentation_that_was_not_agreed_upon_is_refused),
		cmocka_unit_test(headers_that_lie_are_refused),
		cmocka_unit_test(every_start_and_offset_is_accepted_or_refused_without_harm),
		cmocka_unit_test(checksum_is_computed_for_a_driver_that_wants_it_whole),
		cmocka_unit_test(frame_that_others_hold_too_is_not_changed),
		cmocka_unit_test(transmit_lengths_that_lie_are_refused),
	};

	return cmocka_run_group_tests_name("vstate_net_offload", tests, NULL, NULL);
}

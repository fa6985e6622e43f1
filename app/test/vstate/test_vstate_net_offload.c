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

#include "ut_groups.h"
#include "ut_ring.h"
#include "net/vstate_net_offload.h"

#define L3 14
#define L4_V4 34
#define L4_V6 54
#define DATA 33		/* odd on purpose */

struct frame {
	bool v6, tcp;
	uint16_t l4, len, field;
	uint8_t bytes[160];
};

static void
be16_write(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

/* One's complement sum, as RFC 1071 says it, byte by byte. */
static uint32_t
sum_add(uint32_t sum, const uint8_t *p, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? p[i] << 8 : p[i];
	return sum;
}

static uint16_t
sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint16_t
pseudo_header_sum(const struct frame *f, uint16_t l4_len)
{
	uint32_t sum = f->v6 ? sum_add(0, f->bytes + L3 + 8, 32) :
		sum_add(0, f->bytes + L3 + 12, 8);

	return sum_fold(sum + (f->tcp ? 6 : 17) + l4_len);
}

/* A frame whose checksum field is what a driver leaves: the pseudo header's sum. */
static void
frame_make(struct frame *f, bool v6, bool tcp)
{
	uint16_t l4_len = (tcp ? 20 : 8) + DATA, i;
	uint8_t *p = f->bytes;

	memset(f, 0, sizeof(*f));
	f->v6 = v6;
	f->tcp = tcp;
	f->l4 = v6 ? L4_V6 : L4_V4;
	f->len = f->l4 + l4_len;
	f->field = f->l4 + (tcp ? 16 : 6);
	memset(p, 2, 12);
	be16_write(p + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		p[L3] = 0x60;
		be16_write(p + L3 + 4, l4_len);
		p[L3 + 6] = tcp ? 6 : 17;
		p[L3 + 7] = 64;
		for (i = 0; i < 32; i++)
			p[L3 + 8 + i] = 0x20 + i;
	} else {
		p[L3] = 0x45;
		be16_write(p + L3 + 2, 20 + l4_len);
		p[L3 + 8] = 64;
		p[L3 + 9] = tcp ? 6 : 17;
		for (i = 0; i < 8; i++)
			p[L3 + 12 + i] = 10 + i;
		be16_write(p + L3 + 10, ~sum_fold(sum_add(0, p + L3, 20)));
	}
	be16_write(p + f->l4, 1000);
	be16_write(p + f->l4 + 2, 2000);
	if (tcp)
		p[f->l4 + 12] = 5 << 4;
	else
		be16_write(p + f->l4 + 4, l4_len);
	for (i = 0; i < DATA; i++)
		p[f->len - DATA + i] = 7 * i + 1;
	be16_write(p + f->field, pseudo_header_sum(f, l4_len));
}

/* The checksum that a receiver accepts. */
static uint16_t
checksum_compute(const struct frame *f)
{
	struct frame plain = *f;
	uint16_t sum;

	be16_write(plain.bytes + f->field, 0);
	sum = ~sum_fold(pseudo_header_sum(f, f->len - f->l4) + sum_add(0, plain.bytes + f->l4,
			f->len - f->l4));
	return sum != 0 ? sum : 0xffff;
}

/* In two mbufs if @p split is not 0. */
static struct rte_mbuf *
mbuf_make(struct ring *r, const struct frame *f, uint16_t split)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool), *tail;
	uint16_t first = split != 0 ? split : f->len;

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, first), f->bytes, first);
	if (first < f->len) {
		tail = rte_pktmbuf_alloc(r->pool);
		assert_non_null(tail);
		memcpy(rte_pktmbuf_append(tail, f->len - first), f->bytes + first,
				f->len - first);
		assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
	}
	return m;
}

static uint16_t
field_of(const struct rte_mbuf *m, const struct frame *f)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, f->field);

	return p[0] << 8 | p[1];
}

static struct virtio_net_hdr_mrg_rxbuf
partial_header_make(const struct frame *f)
{
	return (struct virtio_net_hdr_mrg_rxbuf) { .hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = f->l4,
		.csum_offset = f->field - f->l4,
	} };
}

static void
open_all(struct ring *r)
{
	ring_open(r, false, 8);
	r->nq->features |= RTE_BIT64(VIRTIO_NET_F_CSUM) | RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) |
		RTE_BIT64(VIRTIO_NET_F_HOST_TSO6) | RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) |
		RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6);
	r->nq->host_offloads = true;
	r->nq->guest_csum = true;
}

static void
partial_checksum_is_completed_or_left_to_the_port(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	int k, split;

	open_all(&r);
	for (k = 0; k < 4; k++) {
		frame_make(&f, k & 1, k & 2);
		hdr = partial_header_make(&f);
		/* in one mbuf, and with even and odd borders */
		for (split = 0; split < 3; split++) {
			m = mbuf_make(&r, &f, split == 0 ? 0 : 90 + split);
			r.nq->complete_csum = true;
			assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
			assert_int_equal(field_of(m, &f), checksum_compute(&f));
			assert_true((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
					RTE_MBUF_F_RX_L4_CKSUM_GOOD);
			rte_pktmbuf_free(m);
		}
		m = mbuf_make(&r, &f, 0);
		r.nq->complete_csum = false;
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_int_equal(field_of(m, &f), pseudo_header_sum(&f, f.len - f.l4));
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

	open_all(&r);
	frame_make(&f, false, true);
	m = mbuf_make(&r, &f, 0);
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

	open_all(&r);
	for (v6 = 0; v6 < 2; v6++) {
		frame_make(&f, v6, true);
		hdr = partial_header_make(&f);
		hdr.hdr.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		hdr.hdr.gso_size = 1448;
		m = mbuf_make(&r, &f, 0);
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_true(m->ol_flags & RTE_MBUF_F_RX_LRO);
		assert_int_equal(m->tso_segsz, 1448);
		vstate_net_offload_turn(m);
		assert_true(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
		memset(&hdr, 0, sizeof(hdr));
		assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
		assert_int_equal(hdr.hdr.gso_type, v6 ? VIRTIO_NET_HDR_GSO_TCPV6 :
				VIRTIO_NET_HDR_GSO_TCPV4);
		assert_int_equal(hdr.hdr.gso_size, 1448);
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

	open_all(&r);
	r.nq->features |= RTE_BIT64(VIRTIO_NET_F_HOST_UFO) | RTE_BIT64(VIRTIO_NET_F_GUEST_UFO);
	for (v6 = 0; v6 < 2; v6++) {
		frame_make(&f, v6, false);
		hdr = partial_header_make(&f);
		hdr.hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP;
		hdr.hdr.gso_size = 1400;
		m = mbuf_make(&r, &f, 0);
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_true((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
				RTE_MBUF_F_RX_L4_CKSUM_NONE);
		assert_true(m->ol_flags & RTE_MBUF_F_RX_LRO);
		assert_int_equal(m->tso_segsz, 1400);
		assert_int_equal(m->l2_len + m->l3_len, f.l4);
		vstate_net_offload_turn(m);
		assert_true(m->ol_flags & RTE_MBUF_F_TX_UDP_SEG);
		assert_false(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
		assert_int_equal(vstate_net_offload_prepare(m), 0);
		memset(&hdr, 0, sizeof(hdr));
		assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
		assert_int_equal(hdr.hdr.gso_type, VIRTIO_NET_HDR_GSO_UDP);
		assert_int_equal(hdr.hdr.gso_size, 1400);
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
		{ "UFO not negotiated", VIRTIO_NET_HDR_GSO_UDP, 1400, false, false },
		{ "UFO of size 0", VIRTIO_NET_HDR_GSO_UDP, 0, true, false },
		{ "UFO of a TCP frame", VIRTIO_NET_HDR_GSO_UDP, 1400, true, true },
		{ "TSO of a UDP frame", VIRTIO_NET_HDR_GSO_TCPV4, 1400, true, false },
		/* VIRTIO_NET_HDR_GSO_UDP_L4: its features are not offered */
		{ "USO", 5, 1400, true, false },
	};
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	size_t i;

	for (i = 0; i < RTE_DIM(lies); i++) {
		open_all(&r);
		if (lies[i].ufo)
			r.nq->features |= RTE_BIT64(VIRTIO_NET_F_HOST_UFO);
		frame_make(&f, false, lies[i].tcp);
		hdr = partial_header_make(&f);
		hdr.hdr.gso_type = lies[i].gso_type;
		hdr.hdr.gso_size = lies[i].gso_size;
		m = mbuf_make(&r, &f, 0);
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
		open_all(&r);
		r.nq->complete_csum = true;
		r.nq->features &= ~lies[i].without;
		memset(&hdr, 0, sizeof(hdr));
		hdr.hdr = lies[i].hdr;
		m = mbuf_make(&r, &f, 0);
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

	open_all(&r);
	r.nq->complete_csum = true;
	frame_make(&f, false, true);
	m = mbuf_make(&r, &f, 0);
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

	open_all(&r);
	r.nq->guest_csum = false;
	for (k = 0; k < 4; k++) {
		frame_make(&f, k & 1, k & 2);
		m = mbuf_make(&r, &f, 0);
		be16_write(rte_pktmbuf_mtod_offset(m, uint8_t *, f.field), 0xbad);
		m->l2_len = L3;
		m->l3_len = f.l4 - L3;
		m->ol_flags = (f.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
			(f.tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
		if (!f.v6) {
			m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
			be16_write(rte_pktmbuf_mtod_offset(m, uint8_t *, L3 + 10), 0xbad);
		}
		assert_int_equal(vstate_net_offload_prepare(m), 0);
		/* the frame finds no buffer at first, and comes again */
		for (again = 0; again < 3; again++) {
			assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
			assert_int_equal(field_of(m, &f), checksum_compute(&f));
			assert_int_equal(hdr.hdr.flags, 0);
		}
		be16_write(f.bytes + f.field, checksum_compute(&f));
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
	struct rte_mbuf *m = mbuf_make(r, f, 0), *ext;

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
		open_all(&r);
		r.nq->guest_csum = false;
		frame_make(&f, false, true);
		be16_write(f.bytes + L3 + 10, 0xbad);
		want = f;
		be16_write(want.bytes + L3 + 10, 0);
		be16_write(want.bytes + L3 + 10, ~sum_fold(sum_add(0, want.bytes + L3, 20)));
		be16_write(want.bytes + want.field, checksum_compute(&want));
		m = frame_share(&r, how, &f, &other);
		m->l2_len = L3;
		m->l3_len = f.l4 - L3;
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
			assert_int_equal(vstate_net_offload_prepare(m), -EINVAL);
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

	open_all(&r);
	frame_make(&f, false, true);
	m = mbuf_make(&r, &f, 0);
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
	m->l2_len = L3;
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

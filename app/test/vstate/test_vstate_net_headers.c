/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Headers that a guest or an application makes up: nothing outside a frame is used. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_mbuf.h>

#include "ut_frame.h"
#include "ut_groups.h"
#include "net/vstate_net_offload.h"

#define TCP_OFFSET (FRAME_L4_V4 + 12)

/* A frame whose last byte is the last byte of memory that can be read. */
struct edge {
	uint8_t *map;
	long page;
	struct rte_mbuf mbuf;
};

static void
edge_open(struct edge *e)
{
	e->page = sysconf(_SC_PAGESIZE);
	e->map = mmap(NULL, 2 * e->page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(e->map != MAP_FAILED);
	assert_int_equal(mprotect(e->map + e->page, e->page, PROT_NONE), 0);
}

static void
edge_close(struct edge *e)
{
	munmap(e->map, 2 * e->page);
}

static struct rte_mbuf *
edge_frame(struct edge *e, const uint8_t *bytes, uint16_t len)
{
	struct rte_mbuf *m = &e->mbuf;

	memset(m, 0, sizeof(*m));
	m->buf_addr = e->map + e->page - len;
	m->buf_len = m->data_len = m->pkt_len = len;
	m->nb_segs = 1;
	rte_mbuf_refcnt_set(m, 1);
	memcpy(m->buf_addr, bytes, len);
	return m;
}

static uint32_t
header_lens(const struct rte_mbuf *m)
{
	return (uint32_t)m->l2_len + m->l3_len + m->l4_len;
}

/* ---- from the driver ---- */

/* What an application may rely on. */
static void
assert_metadata(const struct rte_mbuf *m, const struct virtio_net_hdr *hdr)
{
	const uint32_t l4 = m->packet_type & RTE_PTYPE_L4_MASK;
	const bool none = (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
		RTE_MBUF_F_RX_L4_CKSUM_NONE;

	assert_true(header_lens(m) <= m->data_len);
	if (m->ol_flags & RTE_MBUF_F_RX_LRO)
		assert_true(none && m->tso_segsz >= 8 && m->tso_segsz < m->pkt_len);
	if (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) {
		assert_true(l4 == RTE_PTYPE_L4_TCP || l4 == RTE_PTYPE_L4_UDP);
		assert_true(m->l4_len >= (l4 == RTE_PTYPE_L4_TCP ? 20 : 8));
		assert_int_equal(hdr->csum_start, m->l2_len + m->l3_len);
		assert_int_equal(hdr->csum_offset, l4 == RTE_PTYPE_L4_TCP ? 16 : 6);
	}
}

static void
header_make_up(struct virtio_net_hdr *hdr, const struct frame *f)
{
	static const uint8_t types[] = { 0, 0, 1, 3, 4, 5, 0x81, 0x84, 0x7f };

	hdr->flags = random() % 4 != 0;
	hdr->gso_type = types[random() % RTE_DIM(types)];
	hdr->gso_size = random() % 2 ? random() % 40 : random();
	hdr->csum_start = random() % 4 ? f->l4 : random() % 100;
	hdr->csum_offset = random() % 4 ? f->field - f->l4 : random() % 40;
}

static void
metadata_of_made_up_frames_is_inside_the_frame(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };
	unsigned int i, k, accepted = 0, segmented = 0;
	struct rte_mbuf *m;
	struct frame f;
	struct edge e;
	struct ring r;

	RTE_SET_USED(state);
	edge_open(&e);
	ring_open_offloads(&r);
	r.nq->features |= RTE_BIT64(VIRTIO_NET_F_HOST_UFO);
	srandom(20);
	for (i = 0; i < 300000; i++) {
		frame_make(&f, random() % 2, random() % 2);
		/* a few bytes of the headers are wrong, and the frame is cut */
		for (k = random() % 3; k > 0; k--)
			f.bytes[12 + random() % 56] = random();
		if (random() % 3 == 0)
			f.len = RTE_MAX(14, (int)(random() % (f.len + 1)));
		m = edge_frame(&e, f.bytes, f.len);
		header_make_up(&hdr.hdr, &f);
		r.nq->complete_csum = random() % 2;
		r.nq->lro_max = random() % 2 * VSTATE_MAX_FRAME;
		if (!vstate_net_offload_from_header(r.nq, &hdr, m))
			continue;
		accepted++;
		segmented += (m->ol_flags & RTE_MBUF_F_RX_LRO) != 0;
		assert_true(r.nq->lro_max != 0 || !(m->ol_flags & RTE_MBUF_F_RX_LRO));
		assert_metadata(m, &hdr.hdr);
	}
	/* the test saw both */
	assert_true(accepted > 10000 && segmented > 1000);
	ring_close(&r);
	edge_close(&e);
}

/* Found by the fuzzer of offloads. */
static void
tags_behind_the_first_mbuf_are_not_reported(void **state)
{
	static const uint8_t head[14] = { [12] = 0x81 };
	struct virtio_net_hdr_mrg_rxbuf hdr = { .hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.hdr.csum_start = 4, .hdr.csum_offset = 4 };
	struct rte_mbuf *m;
	struct ring r;

	RTE_SET_USED(state);
	ring_open_offloads(&r);
	m = rte_pktmbuf_alloc(r.pool);
	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, sizeof(head)), head, sizeof(head));
	m->next = rte_pktmbuf_alloc(r.pool);
	assert_non_null(m->next);
	m->nb_segs = 2;
	memset(rte_pktmbuf_append(m, 60), 0, 60);
	assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
	assert_true(header_lens(m) <= m->data_len);
	assert_int_equal(m->packet_type & RTE_PTYPE_L3_MASK, 0);
	rte_pktmbuf_free(m);
	ring_close(&r);
}

/* The data offset of TCP, in bytes, in a frame of 54 + 2 bytes. */
static void
data_offset_of_tcp_must_be_inside_the_frame(void **state)
{
	static const struct {
		uint8_t offset;
		bool good;
	} cases[] = { { 0, false }, { 16, false }, { 20, true }, { 24, false }, { 60, false } };
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct edge e;
	struct ring r;
	size_t i;

	RTE_SET_USED(state);
	edge_open(&e);
	ring_open_offloads(&r);
	for (i = 0; i < RTE_DIM(cases); i++) {
		frame_make(&f, false, true);
		f.bytes[TCP_OFFSET] = cases[i].offset << 2;
		m = edge_frame(&e, f.bytes, FRAME_L4_V4 + 20 + 2);
		hdr = frame_partial_header(&f);
		/* alone, the checksum can be completed without a TCP header */
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_int_equal(m->l4_len, cases[i].good ? 20 : 0);
		assert_true(((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
				RTE_MBUF_F_RX_L4_CKSUM_NONE) == cases[i].good);
		hdr.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		hdr.hdr.gso_size = 1448;
		m = edge_frame(&e, f.bytes, FRAME_L4_V4 + 20 + 2);
		assert_int_equal(vstate_net_offload_from_header(r.nq, &hdr, m), cases[i].good);
	}
	ring_close(&r);
	edge_close(&e);
}

static void
segmentation_needs_the_right_checksum_and_a_sane_size(void **state)
{
	static const struct {
		const char *what;
		uint16_t start, offset, size;
		uint8_t type;
		uint64_t with;
		bool good;
	} cases[] = {
		{ "right", 34, 16, 16, 1, 0, true },
		{ "start elsewhere", 3, 16, 16, 1, 0, false },
		{ "start behind", 38, 16, 16, 1, 0, false },
		{ "another offset", 34, 6, 16, 1, 0, false },
		{ "one byte a segment", 34, 16, 1, 1, 0, false },
		{ "seven bytes a segment", 34, 16, 7, 1, 0, false },
		{ "eight bytes a segment", 34, 16, 8, 1, 0, true },
		{ "ECN not negotiated", 34, 16, 16, 0x81, 0, false },
		{ "ECN", 34, 16, 16, 0x81, RTE_BIT64(VIRTIO_NET_F_HOST_ECN), true },
	};
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	size_t i;

	RTE_SET_USED(state);
	frame_make(&f, false, true);
	for (i = 0; i < RTE_DIM(cases); i++) {
		ring_open_offloads(&r);
		r.nq->features |= cases[i].with;
		hdr.hdr = (struct virtio_net_hdr){ .flags = 1, .gso_type = cases[i].type,
			.gso_size = cases[i].size, .csum_start = cases[i].start,
			.csum_offset = cases[i].offset };
		m = frame_mbuf(&r, &f, 0);
		if (vstate_net_offload_from_header(r.nq, &hdr, m) != cases[i].good)
			fail_msg("%s: %s", cases[i].what, cases[i].good ? "refused" : "accepted");
		rte_pktmbuf_free(m);
		ring_close(&r);
	}
}

/* With LRO off no frame stands for several, whatever was negotiated. */
static void
segmentation_is_refused_without_lro(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	int tcp;

	RTE_SET_USED(state);
	ring_open_offloads(&r);
	r.nq->features |= RTE_BIT64(VIRTIO_NET_F_HOST_UFO);
	r.nq->lro_max = 0;
	for (tcp = 0; tcp < 2; tcp++) {
		frame_make(&f, false, tcp);
		hdr = frame_partial_header(&f);
		hdr.hdr.gso_type = tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_UDP;
		hdr.hdr.gso_size = FRAME_DATA - 1;
		m = frame_mbuf(&r, &f, 0);
		assert_false(vstate_net_offload_from_header(r.nq, &hdr, m));
		rte_pktmbuf_free(m);
		/* one segment is an ordinary frame */
		hdr.hdr.gso_size = FRAME_DATA;
		m = frame_mbuf(&r, &f, 0);
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_true(m->ol_flags == RTE_MBUF_F_RX_L4_CKSUM_NONE);
		rte_pktmbuf_free(m);
		/* and completed if the port wants that */
		r.nq->complete_csum = true;
		m = frame_mbuf(&r, &f, 0);
		assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
		assert_true(m->ol_flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD);
		assert_int_equal(frame_field(m, &f), frame_checksum(&f));
		rte_pktmbuf_free(m);
		r.nq->complete_csum = false;
	}
	ring_close(&r);
}

/* A sum over something else must not pass for a TCP checksum that is right. */
static void
checksum_elsewhere_is_completed_but_not_called_good(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { .hdr = { .flags = 1, .csum_start = 40,
		.csum_offset = 20 } };
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;

	RTE_SET_USED(state);
	ring_open_offloads(&r);
	frame_make(&f, false, true);
	m = frame_mbuf(&r, &f, 0);
	assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
	assert_int_equal(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, 0);
	assert_int_not_equal(memcmp(rte_pktmbuf_mtod(m, void *), f.bytes, f.len), 0);
	rte_pktmbuf_free(m);
	ring_close(&r);
}

/* TCP over IPv6 with a hop-by-hop and a destination header of 8 bytes each. */
static void
frame_extend(struct frame *f)
{
	frame_make(f, true, true);
	memmove(f->bytes + FRAME_L4_V6 + 16, f->bytes + FRAME_L4_V6, f->len - FRAME_L4_V6);
	memset(f->bytes + FRAME_L4_V6, 0, 16);
	f->bytes[FRAME_L3 + 6] = 0;
	f->bytes[FRAME_L4_V6] = 60;
	f->bytes[FRAME_L4_V6 + 8] = 6;
	frame_be16_write(f->bytes + FRAME_L3 + 4, f->len - FRAME_L4_V6 + 16);
	f->l4 += 16;
	f->field += 16;
	f->len += 16;
}

static void
extension_headers_of_ipv6_are_counted(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;

	RTE_SET_USED(state);
	ring_open_offloads(&r);
	frame_extend(&f);
	hdr = frame_partial_header(&f);
	hdr.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	hdr.hdr.gso_size = 16;
	m = frame_mbuf(&r, &f, 0);
	assert_true(vstate_net_offload_from_header(r.nq, &hdr, m));
	assert_int_equal(m->l3_len, 56);
	assert_int_equal(m->l4_len, 20);
	assert_true(m->ol_flags & RTE_MBUF_F_RX_LRO);
	/* sent on, the pseudo header has TCP and the length without the extensions */
	vstate_net_offload_turn(m);
	frame_be16_write(rte_pktmbuf_mtod_offset(m, uint8_t *, f.field), 0);
	memset(&hdr, 0, sizeof(hdr));
	assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
	assert_int_equal(hdr.hdr.csum_start, f.l4);
	assert_int_equal(frame_field(m, &f), frame_pseudo_sum(&f, f.len - f.l4));
	rte_pktmbuf_free(m);
	ring_close(&r);
}

static void
frame_receive(struct ring *r, uint16_t nb_pieces, uint32_t len, uint16_t expected)
{
	struct piece p[2] = { { RING_BUF_GPA, RING_HDR + len }, { RING_BUF_GPA + 0x1000, 0 } };
	struct rte_mbuf *m;

	if (nb_pieces == 2) {
		p[0].len -= 20;
		p[1].len = 20;
	}
	ring_add(r, p, nb_pieces, false);
	assert_int_equal(r->nq->ops->take(r->nq, r->pool, &m, 1), expected);
	r->nq->ops->give(r->nq, expected);
	if (expected == 1)
		rte_pktmbuf_free(m);
}

static void
frame_above_the_mtu_is_dropped_and_counted(void **state)
{
	struct virtio_net_hdr *hdr;
	struct frame f;
	struct ring r;
	int packed;

	RTE_SET_USED(state);
	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, 8);
		r.nq->frame_max = 100;
		frame_receive(&r, 1, 100, 1);
		frame_receive(&r, 2, 100, 1);
		assert_int_equal(r.nq->counters.oversize, 0);
		frame_receive(&r, 1, 101, 0);
		frame_receive(&r, 2, 101, 0);
		assert_int_equal(r.nq->counters.oversize, 2);
		frame_receive(&r, 1, 100, 1);
		ring_close(&r);
	}
	/* segmentation: each segment counts, not the frame */
	ring_open_offloads(&r);
	frame_make(&f, false, true);
	hdr = (struct virtio_net_hdr *)guest_at(&r.guest, RING_BUF_GPA);
	*hdr = frame_partial_header(&f).hdr;
	hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	hdr->gso_size = 16;
	memcpy(guest_at(&r.guest, RING_BUF_GPA + RING_HDR), f.bytes, f.len);
	r.nq->frame_max = f.len - FRAME_DATA + 16;
	frame_receive(&r, 1, f.len, 1);
	r.nq->frame_max--;
	frame_receive(&r, 1, f.len, 0);
	assert_int_equal(r.nq->counters.oversize, 1);
	/* and the frame has a limit of its own */
	r.nq->frame_max++;
	r.nq->lro_max = f.len - 1;
	frame_receive(&r, 1, f.len, 0);
	assert_int_equal(r.nq->counters.oversize, 2);
	ring_close(&r);
}

static void
checksum_of_ipv4_headers_is_checked(void **state)
{
	const uint64_t good = RTE_MBUF_F_RX_IP_CKSUM_GOOD, bad = RTE_MBUF_F_RX_IP_CKSUM_BAD;
	struct rte_mbuf *m;
	unsigned int len, tags;
	struct frame f;
	struct edge e;

	RTE_SET_USED(state);
	edge_open(&e);
	frame_make(&f, false, true);
	for (tags = 0; tags <= 3; tags++) {
		m = edge_frame(&e, f.bytes, f.len);
		vstate_net_offload_check_ip(m);
		assert_true(m->ol_flags == (tags < 3 ? good : 0));
		if (tags < 3) {
			f.bytes[FRAME_L3 + 4 * tags + 8]++;
			m = edge_frame(&e, f.bytes, f.len);
			vstate_net_offload_check_ip(m);
			assert_true(m->ol_flags == bad);
			f.bytes[FRAME_L3 + 4 * tags + 8]--;
		}
		/* never behind the end, wherever that is */
		for (len = 14; len < f.len; len++)
			vstate_net_offload_check_ip(edge_frame(&e, f.bytes, len));
		memmove(f.bytes + 16, f.bytes + 12, f.len - 12);
		frame_be16_write(f.bytes + 12, tags == 1 ? 0x88a8 : 0x8100);
		f.len += 4;
	}
	frame_make(&f, false, true);
	f.bytes[FRAME_L3] = 0x4f;
	m = edge_frame(&e, f.bytes, 14 + 20);
	vstate_net_offload_check_ip(m);
	assert_true(m->ol_flags == bad);
	frame_make(&f, true, true);
	m = edge_frame(&e, f.bytes, f.len);
	vstate_net_offload_check_ip(m);
	assert_true(m->ol_flags == 0);
	edge_close(&e);
}

/* ---- to the driver ---- */

static void
checksum_is_right_without_prepare(void **state)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	int k, partial;

	RTE_SET_USED(state);
	ring_open_offloads(&r);
	for (k = 0; k < 8; k++) {
		partial = k >> 2;
		r.nq->guest_csum = partial;
		frame_make(&f, k & 1, k & 2);
		/* padding that does not belong to the packet */
		f.bytes[f.len] = 0xee;
		f.len++;
		m = frame_mbuf(&r, &f, 0);
		f.len--;
		frame_be16_write(rte_pktmbuf_mtod_offset(m, uint8_t *, f.field), 0xbad);
		m->l2_len = FRAME_L3;
		m->l3_len = f.l4 - FRAME_L3;
		m->ol_flags = (f.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
			(f.tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
		memset(&hdr, 0, sizeof(hdr));
		assert_true(vstate_net_offload_to_header(r.nq, m, &hdr));
		assert_int_equal(hdr.hdr.flags, partial ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
		assert_int_equal(frame_field(m, &f), partial ?
				frame_pseudo_sum(&f, f.len - f.l4) : frame_checksum(&f));
		rte_pktmbuf_free(m);
	}
	ring_close(&r);
}

/* Every header length, at the end of memory. What is refused is refused by prepare too. */
static void
transmit_never_reads_behind_the_segment(void **state)
{
	static const uint64_t flags[] = {
		RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM,
		RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM,
		RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM,
		RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_UDP_CKSUM,
		RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG,
		RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_SEG,
	};
	struct virtio_net_hdr_mrg_rxbuf hdr;
	unsigned int i, l3, l4, accepted = 0;
	struct rte_mbuf *m;
	struct frame f;
	struct edge e;
	struct ring r;
	bool prepared;

	RTE_SET_USED(state);
	edge_open(&e);
	ring_open_offloads(&r);
	for (i = 0; i < RTE_DIM(flags); i++) {
		frame_make(&f, flags[i] & RTE_MBUF_F_TX_IPV6, true);
		for (l3 = 0; l3 <= 120; l3++) {
			for (l4 = 0; l4 <= 64; l4 += 4) {
				/* without the data, as a longer header would hide in it */
				m = edge_frame(&e, f.bytes, f.len - FRAME_DATA);
				m->l2_len = FRAME_L3;
				m->l3_len = l3;
				m->l4_len = l4;
				m->tso_segsz = 16;
				m->ol_flags = flags[i];
				prepared = vstate_net_offload_prepare(m) == 0;
				memset(&hdr, 0, sizeof(hdr));
				assert_int_equal(vstate_net_offload_to_header(r.nq, m, &hdr),
						prepared);
				accepted += prepared;
			}
		}
	}
	assert_true(accepted > 0);
	/* the header's own length is longer than the frame */
	frame_make(&f, false, true);
	f.bytes[FRAME_L3] = 0x4f;
	m = edge_frame(&e, f.bytes, FRAME_L4_V4);
	m->l2_len = FRAME_L3;
	m->l3_len = 20;
	m->ol_flags = flags[0];
	assert_false(vstate_net_offload_to_header(r.nq, m, &hdr));
	assert_int_equal(vstate_net_offload_prepare(m), -EINVAL);
	ring_close(&r);
	edge_close(&e);
}

static void
prepare_refuses_offloads_that_the_port_does_not_have(void **state)
{
	static const uint64_t flags[] = { RTE_MBUF_F_TX_QINQ, RTE_MBUF_F_TX_OUTER_IP_CKSUM,
		RTE_MBUF_F_TX_OUTER_UDP_CKSUM, RTE_MBUF_F_TX_MACSEC, RTE_MBUF_F_TX_SEC_OFFLOAD,
		RTE_MBUF_F_TX_IEEE1588_TMST, RTE_MBUF_F_TX_TUNNEL_VXLAN,
		RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_SCTP_CKSUM };
	struct rte_mbuf *m;
	struct frame f;
	struct ring r;
	size_t i;

	RTE_SET_USED(state);
	ring_open_offloads(&r);
	frame_make(&f, false, true);
	m = frame_mbuf(&r, &f, 0);
	for (i = 0; i < RTE_DIM(flags); i++) {
		m->ol_flags = flags[i];
		assert_int_equal(vstate_net_offload_prepare(m), -ENOTSUP);
	}
	m->ol_flags = RTE_MBUF_F_TX_VLAN;
	assert_int_equal(vstate_net_offload_prepare(m), 0);
	rte_pktmbuf_free(m);
	ring_close(&r);
}

int
test_vstate_net_headers(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_of_made_up_frames_is_inside_the_frame),
		cmocka_unit_test(tags_behind_the_first_mbuf_are_not_reported),
		cmocka_unit_test(data_offset_of_tcp_must_be_inside_the_frame),
		cmocka_unit_test(segmentation_needs_the_right_checksum_and_a_sane_size),
		cmocka_unit_test(segmentation_is_refused_without_lro),
		cmocka_unit_test(checksum_elsewhere_is_completed_but_not_called_good),
		cmocka_unit_test(extension_headers_of_ipv6_are_counted),
		cmocka_unit_test(checksum_of_ipv4_headers_is_checked),
		cmocka_unit_test(frame_above_the_mtu_is_dropped_and_counted),
		cmocka_unit_test(checksum_is_right_without_prepare),
		cmocka_unit_test(transmit_never_reads_behind_the_segment),
		cmocka_unit_test(prepare_refuses_offloads_that_the_port_does_not_have),
	};

	return cmocka_run_group_tests_name("vstate_net_headers", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_bitops.h>
#include <rte_mbuf.h>

#include "ut_frame.h"
#include "ut_groups.h"

void
frame_be16_write(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

/* One's complement sum, as RFC 1071 says it, byte by byte. */
uint32_t
frame_sum_add(uint32_t sum, const uint8_t *p, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? p[i] << 8 : p[i];
	return sum;
}

uint16_t
frame_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint16_t
frame_pseudo_sum(const struct frame *f, uint16_t l4_len)
{
	uint32_t sum = f->v6 ? frame_sum_add(0, f->bytes + FRAME_L3 + 8, 32) :
		frame_sum_add(0, f->bytes + FRAME_L3 + 12, 8);

	return frame_sum_fold(sum + (f->tcp ? 6 : 17) + l4_len);
}

/* A frame whose checksum field is what a driver leaves: the pseudo header's sum. */
void
frame_make(struct frame *f, bool v6, bool tcp)
{
	uint16_t l4_len = (tcp ? 20 : 8) + FRAME_DATA, i;
	uint8_t *p = f->bytes;

	memset(f, 0, sizeof(*f));
	f->v6 = v6;
	f->tcp = tcp;
	f->l4 = v6 ? FRAME_L4_V6 : FRAME_L4_V4;
	f->len = f->l4 + l4_len;
	f->field = f->l4 + (tcp ? 16 : 6);
	memset(p, 2, 12);
	frame_be16_write(p + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		p[FRAME_L3] = 0x60;
		frame_be16_write(p + FRAME_L3 + 4, l4_len);
		p[FRAME_L3 + 6] = tcp ? 6 : 17;
		p[FRAME_L3 + 7] = 64;
		for (i = 0; i < 32; i++)
			p[FRAME_L3 + 8 + i] = 0x20 + i;
	} else {
		p[FRAME_L3] = 0x45;
		frame_be16_write(p + FRAME_L3 + 2, 20 + l4_len);
		p[FRAME_L3 + 8] = 64;
		p[FRAME_L3 + 9] = tcp ? 6 : 17;
		for (i = 0; i < 8; i++)
			p[FRAME_L3 + 12 + i] = 10 + i;
		frame_be16_write(p + FRAME_L3 + 10, ~frame_sum_fold(frame_sum_add(0,
				p + FRAME_L3, 20)));
	}
	frame_be16_write(p + f->l4, 1000);
	frame_be16_write(p + f->l4 + 2, 2000);
	if (tcp)
		p[f->l4 + 12] = 5 << 4;
	else
		frame_be16_write(p + f->l4 + 4, l4_len);
	for (i = 0; i < FRAME_DATA; i++)
		p[f->len - FRAME_DATA + i] = 7 * i + 1;
	frame_be16_write(p + f->field, frame_pseudo_sum(f, l4_len));
}

/* The checksum that a receiver accepts. */
uint16_t
frame_checksum(const struct frame *f)
{
	struct frame plain = *f;
	uint16_t sum;

	frame_be16_write(plain.bytes + f->field, 0);
	sum = ~frame_sum_fold(frame_pseudo_sum(f, f->len - f->l4) + frame_sum_add(0,
			plain.bytes + f->l4,
			f->len - f->l4));
	return sum != 0 ? sum : 0xffff;
}

/* In two mbufs if @p split is not 0. */
struct rte_mbuf *
frame_mbuf(struct ring *r, const struct frame *f, uint16_t split)
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

uint16_t
frame_field(const struct rte_mbuf *m, const struct frame *f)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, f->field);

	return p[0] << 8 | p[1];
}

struct virtio_net_hdr_mrg_rxbuf
frame_partial_header(const struct frame *f)
{
	return (struct virtio_net_hdr_mrg_rxbuf) { .hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = f->l4,
		.csum_offset = f->field - f->l4,
	} };
}

void
ring_open_offloads(struct ring *r)
{
	ring_open(r, false, 8);
	r->nq->features |= RTE_BIT64(VIRTIO_NET_F_CSUM) | RTE_BIT64(VIRTIO_NET_F_HOST_TSO4) |
		RTE_BIT64(VIRTIO_NET_F_HOST_TSO6) | RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM) |
		RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6);
	r->nq->host_offloads = true;
	r->nq->guest_csum = true;
	r->nq->lro_max = VSTATE_MAX_FRAME;
}

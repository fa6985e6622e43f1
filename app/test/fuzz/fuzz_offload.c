/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of offloads: a virtio header and a frame of the driver become mbuf flags, and a frame with
 * transmit flags becomes a header. Bytes around the frame's data are poisoned. What is accepted
 * must describe headers inside the first mbuf, segments must have the bytes of their frame, and the
 * way from the driver to a port and to another driver must not fail in the middle.
 */

#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "fuzz_in.h"
#include "fuzz_pool.h"
#include "net/vstate_net_offload.h"
#include "net/vstate_net_segment.h"

#define FRAME_MAX 3000

static struct rte_mempool *pool;

/* A frame with bytes of the input, and headers that are nearly right in most inputs. */
static uint32_t
frame_draw(struct fuzz_in *in, uint8_t *bytes)
{
	const uint8_t how = fuzz_u8(in);
	uint32_t len = RTE_ETHER_HDR_LEN +
		(how & 1 ? fuzz_u16(in) % (FRAME_MAX - 20) : fuzz_u8(in));
	uint32_t at = 12, l3;
	uint16_t total;

	memset(bytes, how, len);
	while (how & 2 && at < 20 && fuzz_u8(in) & 1) {
		memcpy(bytes + at, "\x81\x00\x00\x01", 4);
		at += 4;
	}
	l3 = at + 2;
	if (how & 4 && l3 + 60 < len) {
		memcpy(bytes + at, how & 8 ? "\x86\xdd" : "\x08\x00", 2);
		bytes[l3] = how & 8 ? 0x60 : 0x45 + (how >> 6);
		bytes[l3 + (how & 8 ? 6 : 9)] = how & 16 ? 17 : 6;
		total = rte_cpu_to_be_16(len - l3 - (how & 8 ? 40 : 0));
		memcpy(bytes + l3 + (how & 8 ? 4 : 2), &total, 2);
		if ((how & 16) == 0)
			bytes[l3 + (how & 8 ? 40 : 4 * (bytes[l3] & 15)) + 12] = 0x50;
		if ((how & 8) == 0)
			bytes[l3 + 6] = 0;
	}
	/* changes anywhere */
	while (fuzz_has_more(in) && fuzz_u8(in) & 1) {
		uint32_t off = how & 32 ? fuzz_u8(in) : fuzz_u16(in);

		bytes[off % len] = fuzz_u8(in);
	}
	return len;
}

static void
queue_draw(struct vstate_net_vq *nq, struct fuzz_in *in)
{
	static const unsigned int features[] = { VIRTIO_NET_F_CSUM, VIRTIO_NET_F_HOST_TSO4,
		VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_UFO,
		VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_UFO };
	const uint8_t not = fuzz_u8(in), how = fuzz_u8(in);
	unsigned int i;

	nq->features = 0;
	for (i = 0; i < RTE_DIM(features); i++)
		if (!(not >> i & 1))
			nq->features |= RTE_BIT64(features[i]);
	nq->guest_csum = how & 1;
	nq->complete_csum = how & 2;
	nq->lro_max = how & 4 ? 0 : VSTATE_MAX_FRAME;
}

static void
lengths_check(const struct rte_mbuf *m)
{
	fuzz_require((uint32_t)m->l2_len + m->l3_len + m->l4_len <= m->data_len,
			"headers are in the first mbuf");
	fuzz_require(!(m->ol_flags & RTE_MBUF_F_RX_LRO) || (m->l4_len > 0 && m->tso_segsz > 0),
			"a frame to be segmented has its headers and a size");
}

static void
segments_try(struct rte_mbuf *m)
{
	struct rte_mbuf *segs[VSTATE_NET_SEGMENTS];
	const uint32_t headers = (uint32_t)m->l2_len + m->l3_len + m->l4_len;
	uint32_t payload = 0;
	int n, i;

	n = vstate_net_segment(m, segs);
	for (i = 0; i < n; i++) {
		fuzz_require(segs[i] == m || segs[i]->pkt_len >= headers, "a segment has headers");
		fuzz_require(!(segs[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) || segs[i] == m,
				"a segment is not segmented again");
		payload += segs[i]->pkt_len - headers;
		rte_pktmbuf_free(segs[i]);
	}
	fuzz_require(n <= 1 || payload == m->pkt_len - headers,
			"the segments have the bytes of the frame");
}

static void
to_header(const struct vstate_net_vq *nq, struct rte_mbuf *m)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };
	struct rte_mbuf *own;
	bool prepared;

	prepared = vstate_net_offload_prepare(m) == 0;
	if (prepared && vstate_net_segment_can(m))
		segments_try(m);
	own = vstate_net_offload_own(nq, m);
	if (own != NULL && vstate_net_offload_to_header(nq, own, &hdr)) {
		const uint32_t start = rte_le_to_cpu_16(hdr.hdr.csum_start);

		fuzz_require(!(hdr.hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
				start + rte_le_to_cpu_16(hdr.hdr.csum_offset) + 2 <= own->pkt_len,
				"a checksum is in the frame");
		fuzz_require(hdr.hdr.gso_type == 0 || hdr.hdr.gso_size != 0,
				"segments have a size");
		/* a copy has its headers in one mbuf */
		fuzz_require(prepared || own != m || !(m->ol_flags & RTE_MBUF_F_TX_L4_MASK),
				"what is put was right for tx_prepare");
	}
	if (own != m)
		rte_pktmbuf_free(own);
}

static void
from_driver(const struct vstate_net_vq *nq, struct rte_mbuf *m, struct fuzz_in *in)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { .hdr.flags = fuzz_u8(in) & 3,
		.hdr.gso_type = fuzz_u8(in), .hdr.hdr_len = fuzz_u16(in),
		.hdr.gso_size = fuzz_u16(in), .hdr.csum_start = fuzz_u16(in),
		.hdr.csum_offset = fuzz_u16(in) };

	vstate_net_offload_check_ip(m);
	if (!vstate_net_offload_from_header(nq, &hdr, m))
		return;
	lengths_check(m);
	/* and on to another driver */
	vstate_net_offload_turn(m);
	to_header(nq, m);
}

static void
from_application(const struct vstate_net_vq *nq, struct rte_mbuf *m, struct fuzz_in *in)
{
	static const uint64_t flags[] = { RTE_MBUF_F_TX_IPV4, RTE_MBUF_F_TX_IPV6,
		RTE_MBUF_F_TX_TCP_CKSUM, RTE_MBUF_F_TX_UDP_CKSUM, RTE_MBUF_F_TX_IP_CKSUM,
		RTE_MBUF_F_TX_TCP_SEG, RTE_MBUF_F_TX_UDP_SEG, RTE_MBUF_F_TX_VLAN };
	const uint8_t which = fuzz_u8(in);
	struct rte_mbuf *clone = NULL;
	unsigned int i;

	for (i = 0; i < RTE_DIM(flags); i++)
		if (which >> i & 1)
			m->ol_flags |= flags[i];
	m->l2_len = fuzz_u8(in);
	m->l3_len = fuzz_u8(in);
	m->l4_len = fuzz_u8(in);
	m->tso_segsz = fuzz_u16(in);
	if (fuzz_u8(in) & 1)
		clone = rte_pktmbuf_clone(m, pool);
	to_header(nq, clone != NULL ? clone : m);
	rte_pktmbuf_free(clone);
}

/* ---- a frame whose first mbuf has an external buffer ---- */

static unsigned int buffers_freed;

static void
buffer_free(void *addr, void *opaque)
{
	RTE_SET_USED(addr);
	RTE_SET_USED(opaque);
	buffers_freed++;
}

static struct rte_mbuf *
external_make(struct rte_mbuf *from)
{
	static struct rte_mbuf_ext_shared_info info = { .free_cb = buffer_free };
	static uint8_t buf[FUZZ_POOL_ROOM];
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	fuzz_require(m != NULL, "there are mbufs");
	rte_mbuf_ext_refcnt_set(&info, 1);
	rte_pktmbuf_attach_extbuf(m, buf, RTE_BAD_IOVA, sizeof(buf), &info);
	memcpy(buf, rte_pktmbuf_mtod(from, void *), from->data_len);
	m->data_len = from->data_len;
	m->pkt_len = from->pkt_len;
	m->nb_segs = from->nb_segs;
	m->next = from->next;
	from->next = NULL;
	from->nb_segs = 1;
	rte_pktmbuf_free(from);
	buffers_freed = 0;
	return m;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_eal_start();
	pool = fuzz_pool_make();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[FRAME_MAX + 256];
	static struct vstate_net_vq nq;
	struct fuzz_in in = { data, data + size };
	const uint8_t how = fuzz_u8(&in);
	const bool external = (how & 0x22) == 0x20;
	struct rte_mbuf *m;
	uint32_t len;

	queue_draw(&nq, &in);
	len = frame_draw(&in, bytes);
	m = fuzz_frame_make(pool, bytes, len, how & 2 ? RTE_MAX(how >> 1, 14) : FUZZ_POOL_ROOM);
	fuzz_require(m != NULL, "there are mbufs");
	if (external)
		m = external_make(m);
	fuzz_frame_guard(m);
	if (how & 1)
		from_application(&nq, m, &in);
	else
		from_driver(&nq, m, &in);
	fuzz_frame_unguard(m);
	rte_pktmbuf_free(m);
	fuzz_require(!external || buffers_freed == 1, "an external buffer is freed once");
	fuzz_pool_require_full(pool);
	return 0;
}

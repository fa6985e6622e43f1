/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stddef.h>

#include <linux/virtio_net.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <vstate_compat.h>

#include "vstate_net_offload.h"

#define L4_MASK RTE_MBUF_F_TX_L4_MASK

/* Parse the frame's headers into packet_type, l2_len, l3_len and l4_len. */
static void
parse_headers(struct rte_mbuf *m)
{
	struct rte_net_hdr_lens lens = { 0 };

	m->packet_type = rte_net_get_ptype(m, &lens, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK |
			RTE_PTYPE_L4_MASK);
	m->l2_len = lens.l2_len;
	m->l3_len = lens.l3_len;
	m->l4_len = lens.l4_len;
}

static bool
is_ipv4(const struct rte_mbuf *m)
{
	return RTE_ETH_IS_IPV4_HDR(m->packet_type);
}

/*
 * One's complement sum of a frame from @p start on. rte_raw_cksum_mbuf() of DPDK 22.11 loses
 * a carry where a segment has an odd length.
 */
static uint16_t
frame_sum(const struct rte_mbuf *m, uint32_t start)
{
	uint32_t sum = 0, len;
	bool odd = false;
	uint16_t part;

	for (; m != NULL; m = m->next) {
		if (start >= m->data_len) {
			start -= m->data_len;
			continue;
		}
		len = m->data_len - start;
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, start), len);
		sum += odd ? rte_bswap16(part) : part;
		odd ^= len & 1;
		start = 0;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * Sum the frame from @p start to its end and store the complement at @p field. The sum
 * includes the field, which holds the sum of the pseudo header. So the checksum is complete.
 * @return false: the field is not in the first mbuf
 */
static bool
checksum_complete(struct rte_mbuf *m, uint32_t start, uint32_t field)
{
	uint16_t sum;

	/* The field must be contiguous. Drivers write headers in one piece. */
	if (field + sizeof(sum) > m->data_len)
		return false;
	sum = ~frame_sum(m, start);
	if (sum == 0) /* 0 means "no checksum" in UDP, and is equal to 0xffff elsewhere */
		sum = 0xffff;
	memcpy(rte_pktmbuf_mtod_offset(m, void *, field), &sum, sizeof(sum));
	return true;
}

static bool
gso_from_header(const struct vstate_net_vq *nq, uint8_t gso_type, uint16_t gso_size,
		struct rte_mbuf *m)
{
	uint32_t l4 = m->packet_type & RTE_PTYPE_L4_MASK;
	uint64_t feature;

	switch (gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		feature = RTE_BIT64(VIRTIO_NET_F_HOST_TSO4);
		if (!is_ipv4(m) || l4 != RTE_PTYPE_L4_TCP)
			return false;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		feature = RTE_BIT64(VIRTIO_NET_F_HOST_TSO6);
		if (!RTE_ETH_IS_IPV6_HDR(m->packet_type) || l4 != RTE_PTYPE_L4_TCP)
			return false;
		break;
	case VIRTIO_NET_HDR_GSO_UDP:
		feature = RTE_BIT64(VIRTIO_NET_F_HOST_UFO);
		if (l4 != RTE_PTYPE_L4_UDP)
			return false;
		break;
	default:
		return false;
	}
	if (!(nq->features & feature) || gso_size == 0)
		return false;
	m->ol_flags |= RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	m->tso_segsz = gso_size;
	return true;
}

bool
vstate_net_offload_from_header(const struct vstate_net_vq *nq,
		const struct virtio_net_hdr_mrg_rxbuf *mrg, struct rte_mbuf *m)
{
	const struct virtio_net_hdr *hdr = &mrg->hdr;
	uint32_t start = rte_le_to_cpu_16(hdr->csum_start);
	uint32_t field = start + rte_le_to_cpu_16(hdr->csum_offset);

	/* Only a device may set DATA_VALID. From a driver it does not prove a checksum. */
	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE;

	if (!(nq->features & RTE_BIT64(VIRTIO_NET_F_CSUM)) || field + 2 > m->pkt_len)
		return false;
	parse_headers(m);

	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return gso_from_header(nq, hdr->gso_type, rte_le_to_cpu_16(hdr->gso_size), m);
	/* An application completes TCP and UDP checksums only. Others are completed here. */
	if (!nq->complete_csum && start == (uint32_t)m->l2_len + m->l3_len && m->l4_len != 0) {
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
		return true;
	}
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return checksum_complete(m, start, field);
}

/* Offset of the checksum in the L4 header that the transmit flags name. */
static uint16_t
l4_checksum_offset(uint64_t l4_flags)
{
	return l4_flags == RTE_MBUF_F_TX_UDP_CKSUM ? offsetof(struct rte_udp_hdr, dgram_cksum) :
		offsetof(struct rte_tcp_hdr, cksum);
}

static bool
gso_to_header(const struct vstate_net_vq *nq, const struct rte_mbuf *m, struct virtio_net_hdr *hdr)
{
	unsigned int feature = VIRTIO_NET_F_GUEST_TSO6;
	uint8_t type = VIRTIO_NET_HDR_GSO_TCPV6;

	if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG) {
		feature = VIRTIO_NET_F_GUEST_UFO;
		type = VIRTIO_NET_HDR_GSO_UDP;
	} else if (m->ol_flags & RTE_MBUF_F_TX_IPV4) {
		feature = VIRTIO_NET_F_GUEST_TSO4;
		type = VIRTIO_NET_HDR_GSO_TCPV4;
	}
	if (!(nq->features & RTE_BIT64(feature)) || m->tso_segsz == 0)
		return false;
	hdr->gso_type = type;
	hdr->gso_size = rte_cpu_to_le_16(m->tso_segsz);
	hdr->hdr_len = rte_cpu_to_le_16(m->l2_len + m->l3_len + m->l4_len);
	return true;
}

/* Whether no other frame shares the first mbuf, which has the headers. */
static bool
headers_are_own(const struct rte_mbuf *m)
{
	return rte_mbuf_refcnt_read(m) == 1 && !RTE_MBUF_CLONED(m) &&
		(!RTE_MBUF_HAS_EXTBUF(m) || rte_mbuf_ext_refcnt_read(m->shinfo) == 1);
}

/* The pool with the data of an mbuf. The pool of a clone may have mbufs without data. */
static struct rte_mempool *
data_pool(const struct rte_mbuf *m)
{
	struct rte_mempool *pool = RTE_MBUF_CLONED(m) ?
		rte_mbuf_from_indirect(RTE_PTR_UNQUAL(m))->pool : m->pool;

	return rte_pktmbuf_data_room_size(pool) > RTE_PKTMBUF_HEADROOM ? pool : NULL;
}

struct rte_mbuf *
vstate_net_offload_own(const struct vstate_net_vq *nq, struct rte_mbuf *m)
{
	struct rte_mempool *pool;

	if (headers_are_own(m) || (nq->guest_csum && !(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM)))
		return m;
	pool = data_pool(m);
	return pool != NULL ? rte_pktmbuf_copy(m, pool, 0, UINT32_MAX) : NULL;
}

bool
vstate_net_offload_to_header(const struct vstate_net_vq *nq, struct rte_mbuf *m,
		struct virtio_net_hdr_mrg_rxbuf *mrg)
{
	struct virtio_net_hdr *hdr = &mrg->hdr;
	uint64_t l4 = m->ol_flags & L4_MASK;
	uint32_t start = m->l2_len + m->l3_len;
	struct rte_ipv4_hdr *ip;

	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) {
		/* The virtio header has no field for it. */
		if (m->l3_len < sizeof(*ip) || start > m->data_len)
			return false;
		ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, m->l2_len);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	}
	if (m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)) {
		if (!gso_to_header(nq, m, hdr))
			return false;
		l4 = m->ol_flags & RTE_MBUF_F_TX_UDP_SEG ? RTE_MBUF_F_TX_UDP_CKSUM :
			RTE_MBUF_F_TX_TCP_CKSUM;
	}
	if (l4 == 0)
		return true;
	if (l4 == RTE_MBUF_F_TX_SCTP_CKSUM || m->l3_len == 0 ||
			start + l4_checksum_offset(l4) + 2 > m->data_len)
		return false;
	if (!nq->guest_csum) {
		if (!checksum_complete(m, start, start + l4_checksum_offset(l4)))
			return false;
		/* Not again: if there is no buffer now, the caller sends the frame again. */
		m->ol_flags &= ~L4_MASK;
		return true;
	}
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = rte_cpu_to_le_16(start);
	hdr->csum_offset = rte_cpu_to_le_16(l4_checksum_offset(l4));
	return true;
}

void
vstate_net_offload_turn(struct rte_mbuf *m)
{
	uint64_t rx = m->ol_flags;
	bool tcp = (m->packet_type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP;

	m->ol_flags &= ~(RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_LRO);
	if ((rx & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_NONE)
		return;
	m->ol_flags |= is_ipv4(m) ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	m->ol_flags |= tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	if (rx & RTE_MBUF_F_RX_LRO)
		m->ol_flags |= tcp ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG;
}

int
vstate_net_offload_prepare(struct rte_mbuf *m)
{
	uint64_t l4 = m->ol_flags & L4_MASK;
	uint32_t start = m->l2_len + m->l3_len;
	uint16_t sum;
	const void *l3;

	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		l4 = RTE_MBUF_F_TX_TCP_CKSUM;
	else if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG)
		l4 = RTE_MBUF_F_TX_UDP_CKSUM;
	if (l4 == 0)
		return 0;
	if (l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
		return -ENOTSUP;
	if (m->l3_len == 0 || start + l4_checksum_offset(l4) + sizeof(sum) > m->data_len ||
			!headers_are_own(m))
		return -EINVAL;
	l3 = rte_pktmbuf_mtod_offset(m, const void *, m->l2_len);
	/* Includes the length, also for segmentation: virtio drivers expect it. */
	sum = m->ol_flags & RTE_MBUF_F_TX_IPV4 ? rte_ipv4_phdr_cksum(l3, 0) :
		rte_ipv6_phdr_cksum(l3, 0);
	memcpy(rte_pktmbuf_mtod_offset(m, void *, start + l4_checksum_offset(l4)), &sum,
			sizeof(sum));
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <netinet/in.h>

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
#define SEG_MASK (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)
/* Transmit flags that the port serves. */
#define SERVED_FLAGS \
	(L4_MASK | SEG_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_IPV4 | \
	 RTE_MBUF_F_TX_IPV6)

/* Smallest payload of a segment that is accepted: a smaller one only multiplies the work. */
#define GSO_SIZE_MIN 8

#ifndef IPVERSION
#define IPVERSION 4
#endif

/* Length of the shortest L3 header of a type; 0: not IP. */
static uint32_t
l3_min_len(uint32_t ptype)
{
	if (RTE_ETH_IS_IPV4_HDR(ptype))
		return sizeof(struct rte_ipv4_hdr);
	return RTE_ETH_IS_IPV6_HDR(ptype) ? sizeof(struct rte_ipv6_hdr) : 0;
}

/* Length of the shortest L4 header of a type; 0: neither TCP nor UDP. */
static uint32_t
l4_min_len(uint32_t ptype)
{
	switch (ptype & RTE_PTYPE_L4_MASK) {
	case RTE_PTYPE_L4_TCP:
		return sizeof(struct rte_tcp_hdr);
	case RTE_PTYPE_L4_UDP:
		return sizeof(struct rte_udp_hdr);
	default:
		return 0;
	}
}

/*
 * Parse the frame's headers into packet_type, l2_len, l3_len and l4_len. The guest wrote the
 * headers, so only headers that are complete, and contiguous in the first mbuf, are reported.
 */
static void
parse_headers(struct rte_mbuf *m)
{
	const uint32_t layers = RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK;
	struct rte_net_hdr_lens lens = { 0 };
	uint32_t ptype = rte_net_get_ptype(m, &lens, layers), min;

	/* the mbuf may have values of an earlier frame */
	m->tx_offload = 0;
	/* tags may be in the second mbuf */
	if (unlikely(lens.l2_len > m->data_len)) {
		m->packet_type = 0;
		return;
	}
	m->l2_len = lens.l2_len;
	min = l3_min_len(ptype);
	if (min == 0 || lens.l3_len < min || (uint32_t)lens.l2_len + lens.l3_len > m->data_len) {
		m->packet_type = ptype & RTE_PTYPE_L2_MASK;
		return;
	}
	m->l3_len = lens.l3_len;
	min = l4_min_len(ptype);
	if (min == 0 || lens.l4_len < min ||
			(uint32_t)lens.l2_len + lens.l3_len + lens.l4_len > m->data_len) {
		m->packet_type = ptype & (RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK);
		return;
	}
	m->l4_len = lens.l4_len;
	m->packet_type = ptype;
}

static bool
is_ipv4(const struct rte_mbuf *m)
{
	return RTE_ETH_IS_IPV4_HDR(m->packet_type);
}

/*
 * One's complement sum of @p len bytes of a frame from @p start on. rte_raw_cksum_mbuf() of DPDK
 * 22.11 loses a carry where a segment has an odd length.
 */
static uint16_t
frame_sum(const struct rte_mbuf *m, uint32_t start, uint32_t len)
{
	uint32_t sum = 0, n;
	bool odd = false;
	uint16_t part;

	for (; m != NULL && len > 0; m = m->next) {
		if (start >= m->data_len) {
			start -= m->data_len;
			continue;
		}
		n = RTE_MIN(len, m->data_len - start);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, start), n);
		sum += odd ? rte_bswap16(part) : part;
		odd ^= n & 1;
		len -= n;
		start = 0;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * Sum @p len bytes of the frame from @p start on and store the complement at @p field. The sum
 * includes the field, which holds the sum of the pseudo header. So the checksum is complete.
 * @return false: the field is not in the first mbuf
 */
static bool
checksum_complete(struct rte_mbuf *m, uint32_t start, uint32_t len, uint32_t field)
{
	uint16_t sum;

	/* The field must be contiguous. Drivers write headers in one piece. */
	if (field + sizeof(sum) > m->data_len)
		return false;
	sum = ~frame_sum(m, start, len);
	if (sum == 0) /* 0 means "no checksum" in UDP, and is equal to 0xffff elsewhere */
		sum = 0xffff;
	memcpy(rte_pktmbuf_mtod_offset(m, void *, field), &sum, sizeof(sum));
	return true;
}

/* Offset of the checksum in a TCP or UDP header. */
static uint32_t
l4_checksum_offset(bool udp)
{
	return udp ? offsetof(struct rte_udp_hdr, dgram_cksum) :
		offsetof(struct rte_tcp_hdr, cksum);
}

/* ---- from the driver ---- */

/* Whether a partial checksum is that of the TCP or UDP header which was parsed. */
static bool
checksum_is_of_l4(const struct rte_mbuf *m, uint32_t start, uint32_t field)
{
	bool udp = (m->packet_type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_UDP;

	return m->l4_len != 0 && start == (uint32_t)m->l2_len + m->l3_len &&
		field == start + l4_checksum_offset(udp);
}

/* The feature that allows segmentation of this frame. -1: the type is not that of the frame. */
static int
gso_feature(uint8_t gso_type, const struct rte_mbuf *m)
{
	bool tcp = (m->packet_type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP;

	switch (gso_type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return tcp && is_ipv4(m) ? VIRTIO_NET_F_HOST_TSO4 : -1;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return tcp && !is_ipv4(m) ? VIRTIO_NET_F_HOST_TSO6 : -1;
	case VIRTIO_NET_HDR_GSO_UDP:
		return tcp ? -1 : VIRTIO_NET_F_HOST_UFO;
	default:
		return -1;
	}
}

/* Apply a request for segmentation to a frame whose headers are known and complete. */
static bool
gso_from_header(const struct vstate_net_vq *nq, const struct virtio_net_hdr *hdr,
		struct rte_mbuf *m)
{
	const uint16_t size = rte_le_to_cpu_16(hdr->gso_size);
	int feature = gso_feature(hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN, m);

	if (feature < 0 || !(nq->features & RTE_BIT64(feature)) || size < GSO_SIZE_MIN)
		return false;
	if ((hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN) &&
			!(nq->features & RTE_BIT64(VIRTIO_NET_F_HOST_ECN)))
		return false;
	/* one segment: an ordinary frame */
	if (m->pkt_len - m->l2_len - m->l3_len - m->l4_len <= size)
		return true;
	m->ol_flags |= RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	m->tso_segsz = size;
	return nq->lro_max != 0;
}

bool
vstate_net_offload_from_header(const struct vstate_net_vq *nq,
		const struct virtio_net_hdr_mrg_rxbuf *mrg, struct rte_mbuf *m)
{
	const struct virtio_net_hdr *hdr = &mrg->hdr;
	uint32_t start = rte_le_to_cpu_16(hdr->csum_start);
	uint32_t field = start + rte_le_to_cpu_16(hdr->csum_offset);
	bool of_l4;

	/* Only a device may set DATA_VALID. From a driver it does not prove a checksum. */
	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE;

	if (!(nq->features & RTE_BIT64(VIRTIO_NET_F_CSUM)) || field + 2 > m->pkt_len)
		return false;
	parse_headers(m);
	of_l4 = checksum_is_of_l4(m, start, field);

	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		if (!of_l4 || !gso_from_header(nq, hdr, m))
			return false;
		/* The checksum is completed in each segment. */
		if (m->ol_flags & RTE_MBUF_F_RX_LRO)
			return true;
	}
	/* An application completes TCP and UDP checksums only. Others are completed here. */
	if (!nq->complete_csum && of_l4) {
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
		return true;
	}
	/* The checksum of something else proves nothing about the TCP or UDP header. */
	if (of_l4)
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return checksum_complete(m, start, m->pkt_len - start, field);
}

void
vstate_net_offload_check_ip(struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at = RTE_ETHER_HDR_LEN, len;
	uint16_t type, tags;

	for (tags = 0; ; tags++, at += RTE_VLAN_HLEN) {
		/* the shortest header is inside the mbuf, so the type before it is too */
		if (at + sizeof(struct rte_ipv4_hdr) > m->data_len)
			return;
		type = p[at - 2] << 8 | p[at - 1];
		if ((type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ) || tags == 2)
			break;
	}
	if (type != RTE_ETHER_TYPE_IPV4)
		return;
	len = (p[at] & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
	if (p[at] >> 4 == IPVERSION && len >= sizeof(struct rte_ipv4_hdr) &&
			at + len <= m->data_len && rte_raw_cksum(p + at, len) == 0xffff)
		m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	else
		m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_BAD;
}

/* ---- to the driver ---- */

/* The checksum of a frame that is to be sent. */
struct l4_checksum {
	/** Offsets in the frame: of the TCP or UDP header, and of its checksum. */
	uint32_t start, field;
	/** Bytes that the checksum covers. */
	uint32_t len;
	/** Sum of the pseudo header, as it is stored in the field. */
	uint16_t pseudo;
};

static bool
checksum_is_wanted(const struct rte_mbuf *m)
{
	return (m->ol_flags & (L4_MASK | SEG_MASK)) != 0;
}

static bool
is_udp(const struct rte_mbuf *m)
{
	return (m->ol_flags & L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM ||
		(m->ol_flags & RTE_MBUF_F_TX_UDP_SEG) != 0;
}

/*
 * Bytes behind the L3 header. Where the IP header says less than the frame has, the rest is padding
 * of Ethernet. With segmentation the length in the IP header means nothing yet.
 */
static uint32_t
l4_len_get(const struct rte_mbuf *m, const uint8_t *l3, uint32_t start)
{
	uint32_t len = m->pkt_len - start, said;
	uint16_t field;

	if (m->ol_flags & SEG_MASK)
		return len;
	if (m->ol_flags & RTE_MBUF_F_TX_IPV4) {
		memcpy(&field, l3 + offsetof(struct rte_ipv4_hdr, total_length), sizeof(field));
		said = rte_be_to_cpu_16(field);
	} else {
		memcpy(&field, l3 + offsetof(struct rte_ipv6_hdr, payload_len), sizeof(field));
		said = rte_be_to_cpu_16(field) + sizeof(struct rte_ipv6_hdr);
	}
	return said > m->l3_len ? RTE_MIN(len, said - m->l3_len) : len;
}

/* Sum the pseudo header. It has the address and the protocol of the packet, not of an extension. */
static uint16_t
pseudo_sum(const struct rte_mbuf *m, const uint8_t *l3, uint32_t len)
{
	const uint16_t proto = is_udp(m) ? IPPROTO_UDP : IPPROTO_TCP;
	uint32_t sum = rte_cpu_to_be_16(proto) + rte_cpu_to_be_16(len);

	if (m->ol_flags & RTE_MBUF_F_TX_IPV4)
		sum += rte_raw_cksum(l3 + offsetof(struct rte_ipv4_hdr, src_addr), 8);
	else
		sum += rte_raw_cksum(l3 + offsetof(struct rte_ipv6_hdr, src_addr), 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * Find the checksum that transmit flags ask for.
 * @return 0; -ENOTSUP: SCTP; -EINVAL: the headers are not in the first mbuf
 */
static int
checksum_find(const struct rte_mbuf *m, struct l4_checksum *c)
{
	const uint32_t l3_min = m->ol_flags & RTE_MBUF_F_TX_IPV4 ? sizeof(struct rte_ipv4_hdr) :
		sizeof(struct rte_ipv6_hdr);
	const uint8_t *l3;

	if (!(m->ol_flags & SEG_MASK) && (m->ol_flags & L4_MASK) == RTE_MBUF_F_TX_SCTP_CKSUM)
		return -ENOTSUP;
	c->start = (uint32_t)m->l2_len + m->l3_len;
	c->field = c->start + l4_checksum_offset(is_udp(m));
	if (m->l3_len < l3_min || c->field + sizeof(c->pseudo) > m->data_len)
		return -EINVAL;
	l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);
	c->len = l4_len_get(m, l3, c->start);
	if (c->start + c->len < c->field + sizeof(c->pseudo))
		return -EINVAL;
	c->pseudo = pseudo_sum(m, l3, c->len);
	return 0;
}

static bool
checksum_is_stored(const struct rte_mbuf *m, const struct l4_checksum *c)
{
	return memcmp(rte_pktmbuf_mtod_offset(m, const void *, c->field), &c->pseudo,
			sizeof(c->pseudo)) == 0;
}

/* Whether an IPv4 header with the length that the mbuf claims is in the first mbuf. */
static bool
ipv4_header_is_inside(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip;

	if (m->l3_len < sizeof(*ip) || (uint32_t)m->l2_len + m->l3_len > m->data_len)
		return false;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, m->l2_len);
	return rte_ipv4_hdr_len(ip) == m->l3_len;
}

/* Whether the headers of a frame that is to be segmented are complete. */
static bool
gso_headers_are_inside(const struct rte_mbuf *m)
{
	/* is_udp() is also true for TCP_SEG with a flag of UDP: the segments have TCP headers */
	const uint32_t min = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG ? sizeof(struct rte_tcp_hdr) :
		sizeof(struct rte_udp_hdr);

	return m->tso_segsz != 0 && m->l4_len >= min &&
		(uint32_t)m->l2_len + m->l3_len + m->l4_len <= m->data_len;
}

bool
vstate_net_offload_takes_gso(const struct vstate_net_vq *nq, const struct rte_mbuf *m)
{
	unsigned int feature = m->ol_flags & RTE_MBUF_F_TX_IPV4 ? VIRTIO_NET_F_GUEST_TSO4 :
		VIRTIO_NET_F_GUEST_TSO6;

	if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG)
		feature = VIRTIO_NET_F_GUEST_UFO;
	return nq->guest_csum && (nq->features & RTE_BIT64(feature)) != 0;
}

static bool
gso_to_header(const struct vstate_net_vq *nq, const struct rte_mbuf *m, struct virtio_net_hdr *hdr)
{
	if (!vstate_net_offload_takes_gso(nq, m) || !gso_headers_are_inside(m))
		return false;
	hdr->gso_type = m->ol_flags & RTE_MBUF_F_TX_IPV4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
		VIRTIO_NET_HDR_GSO_TCPV6;
	if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG)
		hdr->gso_type = VIRTIO_NET_HDR_GSO_UDP;
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

struct rte_mempool *
vstate_net_offload_pool(const struct rte_mbuf *m)
{
	struct rte_mempool *pool = RTE_MBUF_CLONED(m) ?
		rte_mbuf_from_indirect(RTE_PTR_UNQUAL(m))->pool : m->pool;

	return rte_pktmbuf_data_room_size(pool) > RTE_PKTMBUF_HEADROOM ? pool : NULL;
}

/* Whether vstate_net_offload_to_header() changes bytes of the frame. */
static bool
frame_is_to_change(const struct vstate_net_vq *nq, const struct rte_mbuf *m)
{
	struct l4_checksum c;

	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM)
		return true;
	return checksum_is_wanted(m) && checksum_find(m, &c) == 0 &&
		(!nq->guest_csum || !checksum_is_stored(m, &c));
}

struct rte_mbuf *
vstate_net_offload_own(const struct vstate_net_vq *nq, struct rte_mbuf *m)
{
	struct rte_mempool *pool;

	if (headers_are_own(m) || !frame_is_to_change(nq, m))
		return m;
	pool = vstate_net_offload_pool(m);
	return pool != NULL ? rte_pktmbuf_copy(m, pool, 0, UINT32_MAX) : NULL;
}

bool
vstate_net_offload_to_header(const struct vstate_net_vq *nq, struct rte_mbuf *m,
		struct virtio_net_hdr_mrg_rxbuf *mrg)
{
	struct virtio_net_hdr *hdr = &mrg->hdr;
	struct rte_ipv4_hdr *ip;
	struct l4_checksum c;

	if (m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) {
		/* The virtio header has no field for it. */
		if (!ipv4_header_is_inside(m))
			return false;
		ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, m->l2_len);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = ~rte_raw_cksum(ip, m->l3_len);
	}
	if (!checksum_is_wanted(m))
		return true;
	if (checksum_find(m, &c) != 0)
		return false;
	if ((m->ol_flags & SEG_MASK) && !gso_to_header(nq, m, hdr))
		return false;
	/* An application need not call rte_eth_tx_prepare(). */
	if (!checksum_is_stored(m, &c))
		memcpy(rte_pktmbuf_mtod_offset(m, void *, c.field), &c.pseudo, sizeof(c.pseudo));
	if (!nq->guest_csum) {
		if (!checksum_complete(m, c.start, c.len, c.field))
			return false;
		/* Not again: if there is no buffer now, the caller sends the frame again. */
		m->ol_flags &= ~L4_MASK;
		return true;
	}
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = rte_cpu_to_le_16(c.start);
	hdr->csum_offset = rte_cpu_to_le_16(c.field - c.start);
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
vstate_net_offload_prepare(const struct rte_mbuf *m)
{
	struct l4_checksum c;
	int ret;

	if (m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK & ~SERVED_FLAGS)
		return -ENOTSUP;
	if ((m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) && !ipv4_header_is_inside(m))
		return -EINVAL;
	if (!checksum_is_wanted(m))
		return 0;
	ret = checksum_find(m, &c);
	if (ret == 0 && (m->ol_flags & SEG_MASK) && !gso_headers_are_inside(m))
		ret = -EINVAL;
	return ret;
}

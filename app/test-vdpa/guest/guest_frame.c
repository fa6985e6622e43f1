/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "guest_frame.h"
#include "guest_ring.h"

#define ETH_LEN 14u
#define IP_LEN 20u
#define UDP_LEN 8u
#define TAG_LEN 12u
#define UDP_OFF (ETH_LEN + IP_LEN)
#define CSUM_OFF (UDP_OFF + 6u)
#define TAG_OFF (UDP_OFF + UDP_LEN)
#define PATTERN_OFF (TAG_OFF + TAG_LEN)

static void
be16_put(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

static uint16_t
be16_get(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Sum of 16-bit words in host order; sum_fold() makes a checksum of it. */
static uint64_t
be16_sum(const uint8_t *p, uint32_t len, uint64_t sum)
{
	for (; len >= 2; len -= 2, p += 2)
		sum += be16_get(p);
	if (len != 0)
		sum += (uint64_t)p[0] << 8;
	return sum;
}

static uint16_t
sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t
magic_of(const struct guest_frame_conf *c)
{
	return (uint16_t)((c->seed * 0x9e3779b97f4a7c15ull) >> 48) ^ 0x5653;
}

static uint64_t
frame_key(const struct guest_frame_conf *c, uint16_t pair, uint64_t seq)
{
	uint64_t x = c->seed ^ ((uint64_t)pair << 48) ^ (seq * 0xd6e8feb86659fd93ull);

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ull;
	return x ^ (x >> 32);
}

/* Word k of the pattern. */
static inline uint64_t
pattern_word(uint64_t key, uint64_t k)
{
	uint64_t x = (key + k) * 0x9e3779b97f4a7c15ull;

	return x ^ (x >> 29);
}

uint32_t
guest_frame_len(const struct guest_frame_conf *c, uint16_t pair, uint64_t seq)
{
	uint64_t state = frame_key(c, pair, seq);

	return c->min + guest_rnd(&state, c->max - c->min + 1);
}

static void
build_pattern(uint64_t key, uint8_t *p, uint32_t len)
{
	uint64_t w, k = 0;

	for (; len >= 8; len -= 8, p += 8, k++) {
		w = pattern_word(key, k);
		memcpy(p, &w, 8);
	}
	w = pattern_word(key, k);
	memcpy(p, &w, len);
}

static bool
check_pattern(uint64_t key, const uint8_t *p, uint32_t len)
{
	uint64_t w, v, diff = 0, k = 0;

	for (; len >= 8; len -= 8, p += 8, k++) {
		w = pattern_word(key, k);
		memcpy(&v, p, 8);
		diff |= w ^ v;
	}
	w = pattern_word(key, k);
	return diff == 0 && memcmp(p, &w, len) == 0;
}

static uint16_t
len_clip(uint32_t len)
{
	/* Larger frames exist as virtio buffers only: the IPv4 length has 16 bits. */
	return len > 0xffff ? 0xffff : (uint16_t)len;
}

static const uint8_t macs[12] = { 2, 0x56, 0x53, 0, 0, 1, 2, 0x56, 0x53, 0, 0, 2 };

void
guest_frame_to(uint16_t pair, uint8_t mac[6])
{
	memcpy(mac, macs, 6);
	mac[4] = (uint8_t)pair;
}

static void
build_headers(uint16_t pair, uint8_t *f, uint32_t len)
{
	uint8_t *ip = f + ETH_LEN, *udp = f + UDP_OFF;
	uint16_t ip_len = len_clip(len - ETH_LEN);

	memcpy(f, macs, sizeof(macs));
	f[4] = f[10] = (uint8_t)pair;
	be16_put(f + 12, 0x0800);
	memset(ip, 0, IP_LEN);
	ip[0] = 0x45;
	be16_put(ip + 2, ip_len);
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, (const uint8_t[]){ 198, 18, 0, 1, 198, 18, 0, 2 }, 8);
	be16_put(ip + 10, ~sum_fold(be16_sum(ip, IP_LEN, 0)));
	be16_put(udp, 49152 + pair);
	be16_put(udp + 2, 49152 + pair);
	be16_put(udp + 4, ip_len - IP_LEN);
	be16_put(udp + 6, 0);
}

static uint64_t
pseudo_sum(const uint8_t *f)
{
	return be16_sum(f + ETH_LEN + 12, 8, 17u + be16_get(f + UDP_OFF + 4));
}

uint32_t
guest_frame_build(const struct guest_frame_conf *c, uint16_t pair, uint64_t seq, uint8_t *buf)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	uint32_t len = guest_frame_len(c, pair, seq);
	uint8_t *f = buf + GUEST_HDR_LEN;
	uint16_t m = magic_of(c);

	build_headers(pair, f, len);
	memcpy(f + TAG_OFF, &m, 2);
	memcpy(f + TAG_OFF + 2, &pair, 2);
	memcpy(f + TAG_OFF + 4, &seq, 8);
	build_pattern(frame_key(c, pair, seq), f + PATTERN_OFF, len - PATTERN_OFF);
	if (c->tx_csum) {
		hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr.csum_start = UDP_OFF;
		hdr.csum_offset = CSUM_OFF - UDP_OFF;
		be16_put(f + CSUM_OFF, sum_fold(pseudo_sum(f)));
	}
	memcpy(buf, &hdr, sizeof(hdr));
	return len;
}

static const char *
check_csum(const struct guest_frame_conf *c, const struct virtio_net_hdr_v1 *hdr, const uint8_t *f,
		uint32_t len)
{
	uint32_t udp_len = be16_get(f + UDP_OFF + 4);

	if ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
		if (!c->rx_csum)
			return "checksum left to the driver, which did not negotiate GUEST_CSUM";
		if (hdr->csum_start != UDP_OFF || hdr->csum_offset != CSUM_OFF - UDP_OFF)
			return "wrong csum_start or csum_offset";
		return be16_get(f + CSUM_OFF) == sum_fold(pseudo_sum(f)) ? NULL :
			"wrong pseudo checksum";
	}
	if (be16_get(f + CSUM_OFF) == 0)
		return c->tx_csum ? "checksum not computed" : NULL;
	if (udp_len < UDP_LEN || udp_len > len - UDP_OFF)
		return "wrong UDP length";
	return sum_fold(be16_sum(f + UDP_OFF, udp_len, pseudo_sum(f))) == 0xffff ? NULL :
		"wrong UDP checksum";
}

static const char *
check_content(const struct guest_frame_conf *c, uint16_t pair, uint64_t seq, const uint8_t *f,
		uint32_t len)
{
	const uint8_t *ip = f + ETH_LEN;

	if (len != guest_frame_len(c, pair, seq))
		return "length differs from the sent frame";
	if (ip[0] != 0x45 || ip[9] != 17 || be16_get(ip + 2) != len_clip(len - ETH_LEN) ||
			be16_get(f + UDP_OFF + 4) != len_clip(len - ETH_LEN) - IP_LEN)
		return "IPv4 or UDP header changed";
	if (sum_fold(be16_sum(ip, IP_LEN, 0)) != 0xffff)
		return "wrong IPv4 checksum";
	if (!check_pattern(frame_key(c, pair, seq), f + PATTERN_OFF, len - PATTERN_OFF))
		return "payload differs from the sent frame";
	return NULL;
}

enum guest_frame_result
guest_frame_check(const struct guest_frame_conf *c, uint16_t *pair, const uint8_t *buf,
		uint32_t len, uint64_t *seq, const char **why)
{
	const uint8_t *f = buf + GUEST_HDR_LEN;
	struct virtio_net_hdr_v1 hdr;
	uint16_t m, from;

	if (len < GUEST_HDR_LEN + ETH_LEN) {
		*why = "shorter than an Ethernet header";
		return GUEST_FRAME_UNKNOWN;
	}
	len -= GUEST_HDR_LEN;
	memcpy(&hdr, buf, sizeof(hdr));
	if (be16_get(f + 12) == GUEST_ETHERTYPE_RARP) {
		*why = "RARP";
		return GUEST_FRAME_FOREIGN;
	}
	if (len < PATTERN_OFF) {
		*why = "shorter than any sent frame";
		return GUEST_FRAME_UNKNOWN;
	}
	memcpy(&m, f + TAG_OFF, 2);
	memcpy(&from, f + TAG_OFF + 2, 2);
	memcpy(seq, f + TAG_OFF + 4, 8);
	if (m != magic_of(c) || be16_get(f + 12) != 0x0800) {
		*why = "not a frame of this guest";
		return GUEST_FRAME_UNKNOWN;
	}
	if (from != *pair && (!c->any_pair || from >= c->pairs)) {
		*why = "frame of another queue pair";
		return GUEST_FRAME_UNKNOWN;
	}
	*pair = from;
	*why = check_content(c, from, *seq, f, len);
	if (*why == NULL && hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		*why = "segmentation requested for a frame without it";
	if (*why == NULL)
		*why = check_csum(c, &hdr, f, len);
	return *why == NULL ? GUEST_FRAME_OK : GUEST_FRAME_CORRUPT;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "hostile_fuzz_draw.h"
#include "hostile_send.h"
#include "hostile_wire.h"

/* Largest number of descriptors that the protocol allows. */
#define FDS_ALLOWED 8
/* Highest request that the specification names. */
#define REQUEST_NAMED 44

/* Values at which checks are off by one, or wrap around. */
static const uint64_t edges[] = {
	0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 128, 254, 255, 256, 257, 4095, 4096, 4097, 32767,
	32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	0x8000000000000000, UINT64_MAX - 4095, UINT64_MAX - 1, UINT64_MAX,
};
#define EDGES (sizeof(edges) / sizeof(edges[0]))

/* What a front end of a network device sends: no back end closes the connection because of it. */
static const uint8_t usual[] = {
	VU_GET_FEATURES, VU_SET_FEATURES, VU_SET_OWNER, VU_SET_MEM_TABLE, VU_SET_LOG_BASE,
	VU_SET_VRING_NUM, VU_SET_VRING_ADDR, VU_SET_VRING_BASE, VU_GET_VRING_BASE,
	VU_SET_VRING_KICK, VU_SET_VRING_CALL, VU_SET_VRING_ERR, VU_GET_PROTOCOL_FEATURES,
	VU_SET_PROTOCOL_FEATURES, VU_GET_QUEUE_NUM, VU_SET_VRING_ENABLE, VU_SEND_RARP,
	VU_NET_SET_MTU, VU_GET_INFLIGHT_FD, VU_SET_INFLIGHT_FD, VU_SET_STATUS, VU_GET_STATUS,
	VU_SET_DEVICE_STATE_FD, VU_CHECK_DEVICE_STATE,
};

/* A generator of 64 bits whose state is a counter (splitmix64). */
static uint64_t
bits_draw(uint64_t *rnd)
{
	uint64_t z = *rnd += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t
below_draw(uint64_t *rnd, uint32_t limit)
{
	return bits_draw(rnd) % limit;
}

static bool
chance_draw(uint64_t *rnd, uint32_t percent)
{
	return below_draw(rnd, 100) < percent;
}

/* Percentages of messages that may be invalid. */
static const uint32_t wild[] = { 2, 20, 100 };

void
hostile_fuzz_connection_draw(uint64_t seed, uint64_t number, uint64_t *rnd,
		struct hostile_fuzz_connection *c)
{
	*rnd = seed;
	*rnd = bits_draw(rnd) ^ number * 0xd1342543de82ef95;
	c->ready = chance_draw(rnd, 50);
	c->reads = chance_draw(rnd, 90);
	c->wild = wild[below_draw(rnd, sizeof(wild) / sizeof(wild[0]))];
	c->messages = 1 + below_draw(rnd, HOSTILE_FUZZ_MESSAGES);
}

static uint32_t
request_draw(uint64_t *rnd)
{
	uint32_t way = below_draw(rnd, 100);

	if (way < 85)
		return 1 + below_draw(rnd, REQUEST_NAMED);
	if (way < 98)
		return below_draw(rnd, HOSTILE_REQUEST_LAST + 1);
	return bits_draw(rnd);
}

static uint32_t
flags_draw(uint64_t *rnd)
{
	if (chance_draw(rnd, 95))
		return VU_VERSION | (chance_draw(rnd, 30) ? VU_NEED_REPLY : 0);
	return bits_draw(rnd) & (chance_draw(rnd, 50) ? 0xf : 0xffffffff);
}

/* Change some bits, or some words to values of edges[]. */
static void
payload_spoil(uint64_t *rnd, uint8_t *payload, uint32_t len)
{
	uint32_t changes = 1 + below_draw(rnd, 3), at, width;
	uint64_t value;

	while (changes-- > 0) {
		if (chance_draw(rnd, 30)) {
			payload[below_draw(rnd, len)] ^= 1u << below_draw(rnd, 8);
			continue;
		}
		width = chance_draw(rnd, 50) && len >= 8 ? 8 : 4;
		if (len < width)
			continue;
		at = below_draw(rnd, len / width) * width;
		value = chance_draw(rnd, 80) ? edges[below_draw(rnd, EDGES)] :
			bits_draw(rnd);
		memcpy(payload + at, &value, width);
	}
}

static void
size_draw(uint64_t *rnd, struct hostile_fuzz_message *m, uint32_t right)
{
	uint32_t way = below_draw(rnd, 100);

	m->len = right;
	if (way >= 90)
		m->len = way < 94 ? 0 : way < 97 ? right + 4 :
			below_draw(rnd, HOSTILE_FUZZ_PAYLOAD);
	m->hdr.size = m->len;
	/* What follows is then read as payload, or payload as a header. */
	if (chance_draw(rnd, 2))
		m->hdr.size = chance_draw(rnd, 50) ? below_draw(rnd, 600) :
			edges[below_draw(rnd, EDGES)];
}

static enum hostile_fd
kind_draw(uint64_t *rnd)
{
	return FD_EVENT + below_draw(rnd, FD_SOCKET - FD_EVENT + 1);
}

static enum hostile_fd
kind_right(uint32_t request)
{
	switch (request) {
	case VU_SET_MEM_TABLE:
	case VU_ADD_MEM_REG:
	case VU_SET_LOG_BASE:
	case VU_SET_INFLIGHT_FD: return FD_MEMORY;
	case VU_SET_DEVICE_STATE_FD: return FD_PIPE;
	case VU_SET_BACKEND_REQ_FD: return FD_SOCKET;
	default: return FD_EVENT;
	}
}

static void
fds_draw(uint64_t *rnd, struct hostile_fuzz_message *m)
{
	uint32_t i, way = below_draw(rnd, 100);

	m->nb_fds = hostile_wire_fds(m->hdr.request);
	if (way >= 60)
		m->nb_fds = below_draw(rnd, way < 97 ? FDS_ALLOWED + 1 : HOSTILE_FUZZ_FDS + 1);
	for (i = 0; i < m->nb_fds; i++)
		m->fds[i] = chance_draw(rnd, 50) ? kind_right(m->hdr.request) : kind_draw(rnd);
}

/* Any message. */
static void
wild_draw(uint64_t *rnd, struct hostile_fuzz_message *m)
{
	uint32_t right;

	m->hdr.request = request_draw(rnd);
	m->hdr.flags = flags_draw(rnd);
	right = hostile_wire_payload(m->hdr.request, below_draw(rnd, 2), m->payload);
	size_draw(rnd, m, right);
	if (m->len > 0 && chance_draw(rnd, 50))
		payload_spoil(rnd, m->payload, m->len);
	fds_draw(rnd, m);
}

/* A valid message, but maybe not at this time. */
static void
valid_draw(uint64_t *rnd, struct hostile_fuzz_message *m)
{
	uint32_t i;

	m->hdr.request = chance_draw(rnd, 98) ? usual[below_draw(rnd, sizeof(usual))] :
		1 + below_draw(rnd, REQUEST_NAMED);
	m->hdr.flags = VU_VERSION | (chance_draw(rnd, 30) ? VU_NEED_REPLY : 0);
	m->len = hostile_wire_payload(m->hdr.request, below_draw(rnd, 2), m->payload);
	m->hdr.size = m->len;
	m->nb_fds = hostile_wire_fds(m->hdr.request);
	for (i = 0; i < m->nb_fds; i++)
		m->fds[i] = kind_right(m->hdr.request);
}

void
hostile_fuzz_message_draw(uint64_t *rnd, const struct hostile_fuzz_connection *c,
		struct hostile_fuzz_message *m)
{
	uint32_t total;

	memset(m, 0, sizeof(*m));
	if (chance_draw(rnd, c->wild))
		wild_draw(rnd, m);
	else
		valid_draw(rnd, m);
	total = sizeof(m->hdr) + m->len;
	m->first = total;
	if (chance_draw(rnd, 3)) {
		m->first = 1 + below_draw(rnd, total - 1);
		m->hold = chance_draw(rnd, 30);
		m->hang_up = chance_draw(rnd, 30);
	}
	m->frame = chance_draw(rnd, 10);
}

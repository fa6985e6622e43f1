/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "hostile_setup.h"
#include "hostile_wire.h"
#include "vhost_user_fe.h"

/** Kinds of payload. */
enum payload {
	P_NONE, P_FEATURES, P_U64, P_MEM_TABLE, P_LOG, P_NUM, P_ADDR, P_BASE, P_FD, P_ENABLE,
	P_IOTLB, P_CONFIG, P_INFLIGHT, P_MEM_REG, P_STATUS, P_BYTES,
};

static const struct {
	const char *name;
	uint8_t payload, fds;
} requests[] = {
	[VU_GET_FEATURES] = { "GET_FEATURES", P_NONE, 0 },
	[VU_SET_FEATURES] = { "SET_FEATURES", P_FEATURES, 0 },
	[VU_SET_OWNER] = { "SET_OWNER", P_NONE, 0 },
	[VU_RESET_OWNER] = { "RESET_OWNER", P_NONE, 0 },
	[VU_SET_MEM_TABLE] = { "SET_MEM_TABLE", P_MEM_TABLE, 1 },
	[VU_SET_LOG_BASE] = { "SET_LOG_BASE", P_LOG, 1 },
	[VU_SET_LOG_FD] = { "SET_LOG_FD", P_NONE, 1 },
	[VU_SET_VRING_NUM] = { "SET_VRING_NUM", P_NUM, 0 },
	[VU_SET_VRING_ADDR] = { "SET_VRING_ADDR", P_ADDR, 0 },
	[VU_SET_VRING_BASE] = { "SET_VRING_BASE", P_BASE, 0 },
	[VU_GET_VRING_BASE] = { "GET_VRING_BASE", P_BASE, 0 },
	[VU_SET_VRING_KICK] = { "SET_VRING_KICK", P_FD, 1 },
	[VU_SET_VRING_CALL] = { "SET_VRING_CALL", P_FD, 1 },
	[VU_SET_VRING_ERR] = { "SET_VRING_ERR", P_FD, 1 },
	[VU_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", P_NONE, 0 },
	[VU_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", P_U64, 0 },
	[VU_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", P_NONE, 0 },
	[VU_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", P_ENABLE, 0 },
	[VU_SEND_RARP] = { "SEND_RARP", P_U64, 0 },
	[VU_NET_SET_MTU] = { "NET_SET_MTU", P_U64, 0 },
	[VU_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", P_NONE, 1 },
	[VU_IOTLB_MSG] = { "IOTLB_MSG", P_IOTLB, 0 },
	[23] = { "SET_VRING_ENDIAN", P_ENABLE, 0 },
	[VU_GET_CONFIG] = { "GET_CONFIG", P_CONFIG, 0 },
	[VU_SET_CONFIG] = { "SET_CONFIG", P_CONFIG, 0 },
	[26] = { "CREATE_CRYPTO_SESSION", P_BYTES, 0 },
	[27] = { "CLOSE_CRYPTO_SESSION", P_U64, 0 },
	[VU_POSTCOPY_ADVISE] = { "POSTCOPY_ADVISE", P_NONE, 0 },
	[VU_POSTCOPY_LISTEN] = { "POSTCOPY_LISTEN", P_NONE, 0 },
	[VU_POSTCOPY_END] = { "POSTCOPY_END", P_NONE, 0 },
	[VU_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", P_INFLIGHT, 0 },
	[VU_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", P_INFLIGHT, 1 },
	[33] = { "GPU_SET_SOCKET", P_NONE, 1 },
	[VU_RESET_DEVICE] = { "RESET_DEVICE", P_NONE, 0 },
	[35] = { "VRING_KICK", P_ENABLE, 0 },
	[VU_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", P_NONE, 0 },
	[VU_ADD_MEM_REG] = { "ADD_MEM_REG", P_MEM_REG, 1 },
	[VU_REM_MEM_REG] = { "REM_MEM_REG", P_MEM_REG, 1 },
	[VU_SET_STATUS] = { "SET_STATUS", P_STATUS, 0 },
	[VU_GET_STATUS] = { "GET_STATUS", P_NONE, 0 },
	[41] = { "GET_SHARED_OBJECT", P_BYTES, 0 },
	[VU_SET_DEVICE_STATE_FD] = { "SET_DEVICE_STATE_FD", P_U64, 1 },
	[VU_CHECK_DEVICE_STATE] = { "CHECK_DEVICE_STATE", P_NONE, 0 },
	[44] = { "GET_SHMEM_CONFIG", P_NONE, 0 },
};

#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

const char *
hostile_wire_name(uint32_t request)
{
	return request < REQUESTS && requests[request].name != NULL ? requests[request].name :
		"request";
}

unsigned int
hostile_wire_fds(uint32_t request)
{
	return request < REQUESTS ? requests[request].fds : 0;
}

static uint32_t
words_put(uint8_t *buf, const uint64_t *words, uint32_t bytes)
{
	memcpy(buf, words, bytes);
	return bytes;
}

/* {u32 index; u32 num} as one word. */
static uint64_t
state_of(uint32_t index, uint32_t num)
{
	return (uint64_t)num << 32 | index;
}

static uint32_t
addr_put(uint8_t *buf, uint32_t vq)
{
	struct vu_vring_addr addr;

	hostile_setup_addr(vq, &addr);
	memcpy(buf, &addr, sizeof(addr));
	return sizeof(addr);
}

uint32_t
hostile_wire_payload(uint32_t request, uint32_t vq, uint8_t *buf)
{
	const uint64_t gpa = HOSTILE_SETUP_GPA, size = HOSTILE_SETUP_BYTES,
		user = HOSTILE_SETUP_USER;
	uint64_t word = request == VU_NET_SET_MTU ? 1500 : request == VU_SEND_RARP ?
		0x563412005452ull : 0;

	memset(buf, 0, HOSTILE_WIRE_MAX);
	switch (request < REQUESTS ? requests[request].payload : P_NONE) {
	case P_FEATURES:
		word = 1ull << 32 | 1ull << VU_F_PROTOCOL_FEATURES;
		return words_put(buf, &word, 8);
	case P_U64: return words_put(buf, &word, 8);
	case P_MEM_TABLE: return words_put(buf, (uint64_t[]){ 1, gpa, size, user, 0 }, 40);
	case P_MEM_REG: return words_put(buf, (uint64_t[]){ 0, gpa, size, user, 0 }, 40);
	case P_LOG: return words_put(buf, (uint64_t[]){ 4096, 0 }, 16);
	case P_NUM:
		word = state_of(vq, HOSTILE_SETUP_RING);
		return words_put(buf, &word, 8);
	case P_BASE:
		word = state_of(vq, 0);
		return words_put(buf, &word, 8);
	case P_ENABLE:
		word = state_of(vq, 1);
		return words_put(buf, &word, 8);
	case P_FD:
		word = vq;
		return words_put(buf, &word, 8);
	case P_ADDR: return addr_put(buf, vq);
	case P_IOTLB: return words_put(buf, (uint64_t[]){ gpa, 4096, user, 0x0203 }, 32);
	case P_CONFIG: return words_put(buf, (uint64_t[]){ state_of(0, 8), 0, 0 }, 20);
	case P_INFLIGHT:
		return words_put(buf, (uint64_t[]){ request == VU_SET_INFLIGHT_FD ? 8192 : 0, 0,
			4 | HOSTILE_SETUP_RING << 16 }, 24);
	case P_STATUS:
		word = 0xf;
		return words_put(buf, &word, 8);
	case P_BYTES: return 16;
	default: return 0;
	}
}

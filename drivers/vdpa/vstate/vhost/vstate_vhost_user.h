/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VHOST_USER_H
#define VSTATE_VHOST_USER_H

/**
 * @file
 * vhost-user messages as they are on the socket, in host order (vhost-user "Message
 * Specification"). vstate_msg.h has what each request means to the device.
 */

#include <stdint.h>

#include <rte_bitops.h>

#include "vstate_compat.h"

/** Protocol features that the device serves itself, or offers on a condition. */
#define VSTATE_PROTOCOL_F_BACKEND_REQ RTE_BIT64(5)
#define VSTATE_PROTOCOL_F_PAGEFAULT RTE_BIT64(8)
#define VSTATE_PROTOCOL_F_CONFIG RTE_BIT64(9)
#define VSTATE_PROTOCOL_F_BACKEND_SEND_FD RTE_BIT64(10)
#define VSTATE_PROTOCOL_F_INFLIGHT RTE_BIT64(12)
#define VSTATE_PROTOCOL_F_RESET_DEVICE RTE_BIT64(13)
#define VSTATE_PROTOCOL_F_STATUS RTE_BIT64(16)
#define VSTATE_PROTOCOL_F_DEVICE_STATE RTE_BIT64(19)
/* GET_VRING_BASE_INFLIGHT: requests stay in the in-flight region when rings are taken back */
#define VSTATE_PROTOCOL_F_BASE_INFLIGHT RTE_BIT64(20)

/** Requests of a front end. */
enum {
	MSG_GET_FEATURES = 1,
	MSG_SET_FEATURES = 2,
	MSG_SET_OWNER = 3,
	MSG_RESET_OWNER = 4,
	MSG_SET_MEM_TABLE = 5,
	MSG_SET_LOG_BASE = 6,
	MSG_SET_LOG_FD = 7,
	MSG_SET_VRING_NUM = 8,
	MSG_SET_VRING_ADDR = 9,
	MSG_SET_VRING_BASE = 10,
	MSG_GET_VRING_BASE = 11,
	MSG_SET_VRING_KICK = 12,
	MSG_SET_VRING_CALL = 13,
	MSG_SET_VRING_ERR = 14,
	MSG_GET_PROTOCOL_FEATURES = 15,
	MSG_SET_PROTOCOL_FEATURES = 16,
	MSG_GET_QUEUE_NUM = 17,
	MSG_SET_VRING_ENABLE = 18,
	MSG_SEND_RARP = 19,
	MSG_NET_SET_MTU = 20,
	MSG_SET_BACKEND_REQ_FD = 21,
	MSG_IOTLB_MSG = 22,
	MSG_SET_VRING_ENDIAN = 23,
	MSG_GET_CONFIG = 24,
	MSG_SET_CONFIG = 25,
	MSG_CREATE_CRYPTO_SESSION = 26,
	MSG_CLOSE_CRYPTO_SESSION = 27,
	MSG_POSTCOPY_ADVISE = 28,
	MSG_POSTCOPY_LISTEN = 29,
	MSG_POSTCOPY_END = 30,
	MSG_GET_INFLIGHT_FD = 31,
	MSG_SET_INFLIGHT_FD = 32,
	MSG_GPU_SET_SOCKET = 33,
	MSG_RESET_DEVICE = 34,
	MSG_VRING_KICK = 35,
	MSG_GET_MAX_MEM_SLOTS = 36,
	MSG_ADD_MEM_REG = 37,
	MSG_REM_MEM_REG = 38,
	MSG_SET_STATUS = 39,
	MSG_GET_STATUS = 40,
	MSG_GET_SHARED_OBJECT = 41,
	MSG_SET_DEVICE_STATE_FD = 42,
	MSG_CHECK_DEVICE_STATE = 43,
	MSG_GET_SHMEM_CONFIG = 44,
	MSG_REQUEST_MAX
};

/** Requests of a back end, on the channel of SET_BACKEND_REQ_FD. */
enum {
	MSG_BACKEND_CONFIG_CHANGE = 2,
};

/** Bytes before the payload. */
#define MSG_HEADER_SIZE 12
/** In the flags: the version of the protocol, of which there is one. */
#define MSG_VERSION_MASK 3
#define MSG_VERSION 1
/** In the flags: this is the answer to a request. */
#define MSG_REPLY (1 << 2)
/** In the flags: the front end waits for an answer, or for an acknowledgement if there is none. */
#define MSG_NEED_REPLY (1 << 3)

/** No message of a front end or of rte_vhost has a longer payload. */
#define MSG_PAYLOAD_MAX 512

/** One message brings no more descriptors than these. */
#define MSG_MAX_FDS 8

/** In the payload of SET_VRING_KICK, SET_VRING_CALL and SET_VRING_ERR: the queue. */
#define MSG_VRING_FD_INDEX 0xff
/** In the same payload: the message brings no descriptor. */
#define MSG_VRING_FD_NONE (UINT64_C(1) << 8)

/** Payload of GET_INFLIGHT_FD and SET_INFLIGHT_FD without a compiler's padding at its end. */
#define MSG_INFLIGHT_SIZE 20

/** Bytes of GET_CONFIG and SET_CONFIG before the config space, and the longest config space. */
#define MSG_CONFIG_HEADER_SIZE 12
#define MSG_CONFIG_MAX 256

/** rte_vhost accepts no more regions in one memory table. */
#define MSG_MAX_REGIONS 8

struct __rte_packed_begin msg_region {
	/** Guest physical address, length, address in the front end, offset in the file. */
	uint64_t gpa, size, uva, offset;
} __rte_packed_end;

struct __rte_packed_begin msg {
	uint32_t request;
	uint32_t flags;
	/** Bytes of the payload. */
	uint32_t size;
	union {
		uint64_t u64;
		struct {
			uint32_t index;
			uint32_t num;
		} state;
		struct {
			uint32_t index;
			uint32_t flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t nb_regions;
			uint32_t padding;
			struct msg_region regions[MSG_MAX_REGIONS];
		} memory;
		struct {
			uint64_t size;
			uint64_t offset;
		} log;
		struct {
			uint64_t mmap_size, mmap_offset;
			uint16_t num_queues, queue_size;
		} inflight;
		struct {
			uint32_t direction;
			uint32_t phase;
		} move;
		struct {
			uint32_t offset, size, flags;
			uint8_t region[MSG_CONFIG_MAX];
		} config;
		uint8_t payload[MSG_PAYLOAD_MAX];
	};
} __rte_packed_end;

#endif /* VSTATE_VHOST_USER_H */

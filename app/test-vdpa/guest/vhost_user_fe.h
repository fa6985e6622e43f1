/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_USER_FE_H
#define VHOST_USER_FE_H

/**
 * @file
 * The front end's side of the vhost-user protocol. Every wait has a time-out.
 * All functions return 0 or -errno: -EPROTO for an answer that does not match, -EREMOTEIO for a
 * request that the back end refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_mem.h"
#include "vstate_compat.h"

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_LOG_BASE = 6,
	VU_SET_LOG_FD = 7,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_SEND_RARP = 19,
	VU_NET_SET_MTU = 20,
	VU_SET_BACKEND_REQ_FD = 21,
	VU_IOTLB_MSG = 22,
	VU_GET_CONFIG = 24,
	VU_SET_CONFIG = 25,
	VU_POSTCOPY_ADVISE = 28,
	VU_POSTCOPY_LISTEN = 29,
	VU_POSTCOPY_END = 30,
	VU_GET_INFLIGHT_FD = 31,
	VU_SET_INFLIGHT_FD = 32,
	VU_RESET_DEVICE = 34,
	VU_GET_MAX_MEM_SLOTS = 36,
	VU_ADD_MEM_REG = 37,
	VU_REM_MEM_REG = 38,
	VU_SET_STATUS = 39,
	VU_GET_STATUS = 40,
	VU_SET_DEVICE_STATE_FD = 42,
	VU_CHECK_DEVICE_STATE = 43,
};

/* Protocol feature bits. */
#define VU_PF_MQ 0
#define VU_PF_LOG_SHMFD 1
#define VU_PF_RARP 2
#define VU_PF_REPLY_ACK 3
#define VU_PF_NET_MTU 4
#define VU_PF_CONFIG 9
#define VU_PF_INFLIGHT_SHMFD 12
#define VU_PF_STATUS 16
#define VU_PF_DEVICE_STATE 19

/** Virtio feature bit: the back end has protocol features. */
#define VU_F_PROTOCOL_FEATURES 30

/* Flags of the header. */
#define VU_VERSION 0x1u
#define VU_VERSION_MASK 0x3u
#define VU_REPLY 0x4u
#define VU_NEED_REPLY 0x8u

/** In the u64 of KICK, CALL and ERR: the message has no file descriptor. */
#define VU_VRING_NOFD 0x100u

#define VU_MAX_FDS 8
#define VU_MAX_PAYLOAD 4096

/* Payloads, in the layout of vhost-user messages. */
struct __rte_packed_begin vu_header {
	uint32_t request, flags, size;
} __rte_packed_end;

struct vu_vring_state {
	uint32_t index, num;
};

struct vu_vring_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct vu_mem_region {
	uint64_t gpa, size, user_addr, mmap_offset;
};

struct vu_mem_table {
	uint32_t nb_regions, padding;
	struct vu_mem_region regions[GUEST_MEM_MAX_REGIONS];
};

struct vu_log {
	uint64_t size, offset;
};

struct vu_device_state {
	uint32_t direction, phase;
};

struct vu_inflight {
	uint64_t mmap_size, mmap_offset;
	uint16_t num_queues, queue_size;
};

/**
 * Most requests without an answer. Answers to all of them fit a socket buffer, so no side ever
 * waits until the other side reads.
 */
#define VU_PIPELINE_MAX 64

/** One connection. */
struct msghdr;

struct vu_fe {
	int fd;
	/** Longest wait for an answer. */
	int timeout_ms;
	/** Protocol features in force. */
	uint64_t protocol;
	/** An answer is missing or did not match: later answers can belong to any request. */
	bool broken;
	/** Do not ask for acknowledgements, although REPLY_ACK is in force. */
	bool unasked;
	/** Between vu_fe_pipeline_begin() and _end(): requests whose answers are not read yet. */
	bool pipeline;
	uint32_t owed[VU_PIPELINE_MAX];
	unsigned int nb_owed;
};

/** Connect to @p path. While nobody listens, try again for up to @p timeout_ms. */
int vu_fe_connect(struct vu_fe *fe, const char *path, int timeout_ms);
/** Listen at @p path, accept one back end within @p timeout_ms, stop listening. */
int vu_fe_accept(struct vu_fe *fe, const char *path, int timeout_ms);
/** Listen at @p path until the descriptor is closed. @return a descriptor or -errno */
int vu_fe_listen(const char *path);
/** Accept one back end on @p listener, from vu_fe_listen(). */
int vu_fe_accept_from(struct vu_fe *fe, int listener, int timeout_ms);
/** True if the other side closes the connection within @p timeout_ms. */
bool vu_fe_hung_up(const struct vu_fe *fe, int timeout_ms);
void vu_fe_close(struct vu_fe *fe);

/**
 * Attach descriptors to what sendmsg() is going to send.
 * @param control room for CMSG_SPACE() of @p nb_fds descriptors, all zero
 */
void vu_fds_attach(struct msghdr *mh, char *control, const int *fds, unsigned int nb_fds);

/** Send any message, also an invalid one: @p hdr, then @p len bytes, with @p nb_fds fds. */
int vu_fe_send_raw(struct vu_fe *fe, const struct vu_header *hdr, const void *payload, size_t len,
		const int *fds, unsigned int nb_fds);
/** Send a request that has no answer of its own. With REPLY_ACK, wait for the acknowledgement. */
int vu_fe_request(struct vu_fe *fe, uint32_t request, const void *payload, size_t len,
		const int *fds, unsigned int nb_fds);
/**
 * Let vu_fe_request() return without waiting for its acknowledgement, until vu_fe_pipeline_end().
 * A request with an answer of its own still waits: for earlier acknowledgements, then its answer.
 */
void vu_fe_pipeline_begin(struct vu_fe *fe);
/** Read all answers that are still owed. @return 0, or the first refusal or error */
int vu_fe_pipeline_end(struct vu_fe *fe);
/**
 * Choose whether vu_fe_request() asks for acknowledgements. The default is on. Without an
 * acknowledgement, a back end that refuses a request closes the connection.
 */
void vu_fe_acks_set(struct vu_fe *fe, bool on);
/**
 * Send a request and read its answer of exactly @p reply_len bytes.
 * @param reply_fd written if not NULL: the fd of the answer, or -1
 */
int vu_fe_query(struct vu_fe *fe, uint32_t request, const void *payload, size_t len,
		const int *fds, unsigned int nb_fds, void *reply, size_t reply_len, int *reply_fd);
/**
 * Read one answer of any size.
 * @return -ECONNRESET if the peer has closed, -ETIMEDOUT if nothing came
 */
int vu_fe_recv(struct vu_fe *fe, struct vu_header *hdr, void *payload, size_t size, int *fd);

int vu_fe_get_u64(struct vu_fe *fe, uint32_t request, uint64_t *value);
int vu_fe_set_u64(struct vu_fe *fe, uint32_t request, uint64_t value);
int vu_fe_set_vring(struct vu_fe *fe, uint32_t request, uint32_t index, uint32_t num);
/** KICK, CALL or ERR; @p fd -1: none. */
int vu_fe_set_vring_fd(struct vu_fe *fe, uint32_t request, uint32_t index, int fd);
int vu_fe_get_vring_base(struct vu_fe *fe, uint32_t index, uint32_t *num);
/** All regions of @p m, whose user addresses are those of this process. */
int vu_fe_set_mem_table(struct vu_fe *fe, const struct guest_mem *m);
/** Fill a memory table message from @p m. */
void vu_fe_mem_table(const struct guest_mem *m, struct vu_mem_table *table);
/** Send the dirty log in @p log_fd. */
int vu_fe_set_log_base(struct vu_fe *fe, int log_fd, uint64_t size);
/** Announce @p mac after a move. */
int vu_fe_send_rarp(struct vu_fe *fe, const uint8_t mac[6]);
/**
 * Start a transfer of the device's state through @p fd.
 * @param load false: the back end writes its state; true: it reads a state
 * @param reply_fd written: the fd to use instead, or -1
 */
int vu_fe_set_device_state_fd(struct vu_fe *fe, bool load, int fd, int *reply_fd);
int vu_fe_check_device_state(struct vu_fe *fe);

#endif /* VHOST_USER_FE_H */

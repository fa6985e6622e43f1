/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_MSG_H
#define BACKEND_MSG_H

/**
 * @file
 * Messages between the tool and a back end in a child process: a head, then bytes. Both ends run
 * the same executable, so the head is sent in the layout of memory.
 */

#include <stddef.h>
#include <stdint.h>

#include <rte_vhost_state.h>

enum backend_msg_op {
	/** Bytes: struct backend_device. */
	BACKEND_MSG_CREATE = 1,
	/** Answer's bytes: struct rte_vhost_state_info. */
	BACKEND_MSG_INFO,
	/** arg: timeout in us. */
	BACKEND_MSG_SUSPEND,
	/** Answer's bytes: the encoded state. */
	BACKEND_MSG_CAPTURE,
	/** Bytes: the encoded state. */
	BACKEND_MSG_RESTORE,
	BACKEND_MSG_RESUME,
	/** Remove the device and exit. */
	BACKEND_MSG_DESTROY,
};

struct backend_msg_head {
	uint32_t magic;
	uint32_t op;
	uint32_t arg;
	/** Answer: 0 or -errno. */
	int32_t result;
	/** Bytes that follow. */
	uint64_t len;
	/** Answer: why the request was refused. */
	struct rte_vhost_state_error err;
};

/** Most bytes after a head. The largest state is smaller. */
#define BACKEND_MSG_MAX_LEN (UINT64_C(512) << 20)

/**
 * Send a message.
 * @return 0, -EPIPE (the other end closed the connection), -ETIMEDOUT, another -errno
 */
int backend_msg_send(int fd, struct backend_msg_head *head, const void *bytes, int timeout_ms);

/**
 * Receive a message.
 * @param bytes written: to be freed by the caller; NULL if there are none
 * @param timeout_ms for the whole message; -1: no limit
 * @return 0, -EPIPE (the other end closed the connection), -ETIMEDOUT, -EBADMSG, -ENOMEM
 */
int backend_msg_recv(int fd, struct backend_msg_head *head, void **bytes, int timeout_ms);

#endif /* BACKEND_MSG_H */

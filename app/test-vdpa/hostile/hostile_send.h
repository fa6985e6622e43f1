/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_SEND_H
#define HOSTILE_SEND_H

/**
 * @file
 * Raw vhost-user messages with any file descriptors.
 */

#include <stdbool.h>
#include <stdint.h>

struct hostile_env;
struct vu_fe;

/** The file descriptors of a message. */
enum hostile_fd {
	FD_NONE, FD_EVENT, FD_MEMORY, FD_PIPE, FD_NULL, FD_SMALL, FD_DIR, FD_READ_ONLY, FD_SOCKET,
};

/** Name of a kind for reports. */
const char *hostile_fd_name(enum hostile_fd kind);
/**
 * Open a descriptor.
 * @param memory descriptor of the memory file, for FD_MEMORY
 * @param other to be closed as well, unless -1
 * @return -1 with errno
 */
int hostile_fd_open(enum hostile_fd kind, int memory, int *other);
/** The same with the guest's memory. */
int hostile_open_fd(struct hostile_env *e, enum hostile_fd kind, int *other);
/** Send a message as it is. Errors are ignored: the back end may have closed the connection. */
void hostile_send(struct hostile_env *e, uint32_t request, uint32_t flags, uint32_t size,
		const void *payload, uint32_t len, const int *fds, unsigned int nb_fds);
/**
 * Ask for the features and read until they come: everything that was sent before is processed.
 * @return 0; -ECONNRESET: the back end closed the connection; -ETIMEDOUT; another -errno
 */
int hostile_answered(struct vu_fe *fe);
/** The same with another request that has an answer and no payload. */
int hostile_answered_to(struct vu_fe *fe, uint32_t request);
/** Read and drop what has arrived, without waiting. @return false if the connection is closed */
bool hostile_drain(struct vu_fe *fe);
/**
 * Write bytes, with descriptors on the first one, and wait at most @p ms for room.
 * @return bytes that were written, -EAGAIN if none fitted, -errno
 */
int hostile_write(struct vu_fe *fe, const void *bytes, uint32_t len, const int *fds,
		unsigned int nb_fds, int ms);

#endif /* HOSTILE_SEND_H */

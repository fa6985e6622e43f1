/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_SEND_H
#define HOSTILE_SEND_H

/**
 * @file
 * Raw vhost-user messages with any file descriptors.
 */

#include <stdint.h>

struct hostile_env;

/** The file descriptors of a message. */
enum hostile_fd { FD_NONE, FD_EVENT, FD_MEMORY, FD_PIPE, FD_NULL, FD_SMALL, FD_DIR };

/** Open a descriptor. @return -1 on error. @param other to be closed as well, unless -1 */
int hostile_open_fd(struct hostile_env *e, enum hostile_fd kind, int *other);
/** Send a message as it is. Errors are ignored: the back end may have closed the connection. */
void hostile_send(struct hostile_env *e, uint32_t request, uint32_t flags, uint32_t size,
		const void *payload, uint32_t len, const int *fds, unsigned int nb_fds);

#endif /* HOSTILE_SEND_H */

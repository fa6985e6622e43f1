/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STREAM_H
#define VSTATE_STREAM_H

/**
 * @file
 * Bytes through a file descriptor of a front end's: a pipe, a socket or a file. No call waits for
 * the peer, whatever it does with its own end of the descriptor meanwhile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * Make a stream of @p fd, which is closed or part of the stream afterwards.
 * @return a file descriptor, to be closed by the caller, or a negative errno: -EINVAL if it is
 *   none of the three, or what the system says of a pipe
 */
int vstate_stream_open(int fd, bool read);

/** @return bytes read; 0 at the end; -EAGAIN: not now; another negative errno */
ssize_t vstate_stream_read(int fd, void *buf, size_t len);

/** @return bytes written; -EAGAIN: not now; another negative errno. No SIGPIPE is left behind. */
ssize_t vstate_stream_write(int fd, const void *buf, size_t len);

#endif /* VSTATE_STREAM_H */

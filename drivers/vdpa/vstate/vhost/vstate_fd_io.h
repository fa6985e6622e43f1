/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FD_IO_H
#define VSTATE_FD_IO_H

/**
 * @file
 * Bytes through a file descriptor of a front end's: a pipe, a socket or a file. No call waits for
 * the peer, whatever it does with its own end of the descriptor meanwhile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** There is somebody at the other end. */
#define VSTATE_FD_IO_PEER 0
#define VSTATE_FD_IO_FILE 1

/**
 * Whether @p fd can be used: a socket, a file, or the end of a pipe that is open for this alone.
 * @return VSTATE_FD_IO_PEER or VSTATE_FD_IO_FILE, -EINVAL if it is none of these, or another
 *   negative errno
 */
int vstate_fd_io_check(int fd, bool read);

/** @return bytes read; 0 at the end; -EAGAIN: not now; another negative errno */
ssize_t vstate_fd_io_read(int fd, void *buf, size_t len);

/** @return bytes written; -EAGAIN: not now; another negative errno. No SIGPIPE is left behind. */
ssize_t vstate_fd_io_write(int fd, const void *buf, size_t len);

#endif /* VSTATE_FD_IO_H */

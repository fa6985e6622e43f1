/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FD_IO_H
#define VSTATE_FD_IO_H

/**
 * @file
 * Reads and writes of a file descriptor that a front end passed: a pipe, a socket or a file. No
 * call waits for the front end, whatever it does with its own end of the descriptor.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** A socket or pipe: a peer reads or writes its other end. */
#define VSTATE_FD_IO_PEER 0
/** A file: all of its bytes are there. */
#define VSTATE_FD_IO_FILE 1

/**
 * Check that @p fd is a socket, a file, or an end of a pipe.
 * @param read the pipe must be open for reading only; false: for writing only
 * @return VSTATE_FD_IO_PEER or VSTATE_FD_IO_FILE; -EINVAL: another kind of file; or another -errno
 */
int vstate_fd_io_check(int fd, bool read);

/** Read without waiting. @return bytes read; 0 at the end; -EAGAIN: none now; another -errno */
ssize_t vstate_fd_io_read(int fd, void *buf, size_t len);

/**
 * Write without waiting. No SIGPIPE is pending afterwards.
 * @return bytes written; -EAGAIN: no room now; another -errno
 */
ssize_t vstate_fd_io_write(int fd, const void *buf, size_t len);

#endif /* VSTATE_FD_IO_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCM_H
#define VSTATE_SCM_H

/**
 * @file
 * Bytes with file descriptors over a UNIX socket (SCM_RIGHTS). No call waits.
 */

#include <sys/types.h>

/** Most descriptors of one call; the kernel's limit is 253. */
#define VSTATE_SCM_MAX_FDS 128

/**
 * Send bytes, and the descriptors with the first of them.
 * @return bytes sent; -EAGAIN: no room now; or another -errno
 */
ssize_t vstate_scm_send(int fd, const void *buf, size_t len, const int *fds, unsigned int nb_fds);

/**
 * Receive bytes and descriptors.
 * @param fds room for @p max descriptors; those received belong to the caller, also on failure
 * @param nb_fds number of descriptors in @p fds, before and after the call
 * @return bytes received; 0 at the end; -EAGAIN: none now; -EMSGSIZE: more descriptors than there
 *   is room for; or another -errno
 */
ssize_t vstate_scm_recv(int fd, void *buf, size_t len, int *fds, unsigned int max,
		unsigned int *nb_fds);

#endif /* VSTATE_SCM_H */

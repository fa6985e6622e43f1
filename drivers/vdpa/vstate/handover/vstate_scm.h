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

/** As many descriptors as go with one call; the kernel takes 253. */
#define VSTATE_SCM_MAX_FDS 128

/** @return bytes sent, the descriptors with the first of them; -EAGAIN: not now; or -errno */
ssize_t vstate_scm_send(int fd, const void *buf, size_t len, const int *fds, unsigned int nb_fds);

/**
 * @param fds room for @p max descriptors, which are then the caller's, whatever is returned
 * @param nb_fds how many are there, before and after
 * @return bytes received; 0 at the end; -EAGAIN: not now; -EMSGSIZE: with more descriptors than
 *   there is room for; or another negative errno
 */
ssize_t vstate_scm_recv(int fd, void *buf, size_t len, int *fds, unsigned int max,
		unsigned int *nb_fds);

#endif /* VSTATE_SCM_H */

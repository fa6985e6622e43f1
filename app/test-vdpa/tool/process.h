/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef PROCESS_H
#define PROCESS_H

/**
 * @file
 * This executable, run again as a child that dies with its parent.
 */

#include <stddef.h>
#include <sys/types.h>

/**
 * Start /proc/self/exe with @p argv; the child inherits nothing but the standard
 * streams and @p fd, which it finds at number @p child_fd.
 * @return pid, or -errno
 */
pid_t process_spawn(char **argv, int fd, int child_fd);

/** True while the child runs; once it has ended, how goes to @p how. */
int process_running(pid_t pid, char *how, size_t size);

/** Wait up to @p grace_ms for the child to end by itself, then kill it. */
void process_end(pid_t pid, int grace_ms);

#endif /* PROCESS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef PROCESS_H
#define PROCESS_H

/**
 * @file
 * Runs this executable again as a child process. The child dies with its parent.
 */

#include <stddef.h>
#include <sys/types.h>

/**
 * Start /proc/self/exe with @p argv. The child inherits only the standard streams and @p fd, which
 * gets the number @p child_fd.
 * @return pid, or -errno
 */
pid_t process_spawn(char **argv, int fd, int child_fd);

/** True while the child runs. After its end, @p how is written: how it ended, as text. */
int process_running(pid_t pid, char *how, size_t size);

/** Wait up to @p grace_ms until the child ends by itself, then kill it. */
void process_end(pid_t pid, int grace_ms);

#endif /* PROCESS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_PROC_H
#define HOSTILE_PROC_H

/**
 * @file
 * What the back end's process uses, read from /proc: whatever a front end did, it must use no more
 * afterwards than before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Open descriptors, threads, resident memory in KiB. */
struct hostile_usage {
	int fds, threads;
	int64_t rss_kb;
};

/** The process at the other end of a UNIX socket; 0: not known. */
pid_t hostile_proc_peer(int fd);
/** True while process @p pid exists and is no zombie. */
bool hostile_proc_alive(pid_t pid);
/** Read what @p pid uses. @return 0, -ESRCH, -EACCES or another -errno */
int hostile_usage_read(pid_t pid, struct hostile_usage *u);
/**
 * Wait up to @p ms until @p pid has at most the descriptors and threads of @p before: it may close
 * them some time after a connection ended.
 * @param now the last reading
 * @return 0: at most those of @p before; -EBUSY: more; -errno of the reading
 */
int hostile_usage_settle(pid_t pid, const struct hostile_usage *before, int ms,
		struct hostile_usage *now);
/**
 * Wait until the use of @p pid has not changed for 200 ms, at most two seconds.
 * @return 0 or -errno of the reading
 */
int hostile_usage_steady(pid_t pid, struct hostile_usage *u);
/**
 * Check that @p pid uses at most the descriptors and threads of @p before after two seconds, and
 * at most @p rss_mb MiB more of memory.
 * @param why  of @p size bytes: written if the check fails
 * @return 0; -EBUSY: it uses more; -errno of the reading
 */
int hostile_usage_check(pid_t pid, const struct hostile_usage *before, uint32_t rss_mb, char *why,
		size_t size);

#endif /* HOSTILE_PROC_H */

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

#include <stdint.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Open descriptors, threads, resident memory in KiB. */
struct hostile_usage {
	int fds, threads;
	int64_t rss_kb;
};

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

#endif /* HOSTILE_PROC_H */

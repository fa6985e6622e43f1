/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_TALLY_H
#define HOSTILE_TALLY_H

/**
 * @file
 * Hostile cases of any class: which ones run, one line for each, what the back end's process uses,
 * and the sum at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hostile_proc.h"

struct hostile_conf;

/** Verdict of a case that this device cannot run. */
#define HOSTILE_SKIPPED 1

struct hostile_tally {
	const struct hostile_conf *conf;
	/** The back end's process, and what it uses without an attack; 0: not known. */
	pid_t pid;
	struct hostile_usage base;
	uint32_t passed, failed, skipped;
	/** Cases in a row after which no driver was served. */
	uint32_t deaf;
};

/** Name the process at the other end of @p fd, unless the user named one. */
void hostile_tally_find(struct hostile_tally *t, int fd);
/**
 * The first connections have succeeded (@p ret 0): read what the process uses. If that is not
 * possible, it is not looked at. They have failed (-errno): report @p why.
 * @return @p ret
 */
int hostile_tally_begin(struct hostile_tally *t, int ret, const char *why);
/** After a failure: read it again, so that what a case left behind does not fail the next one. */
void hostile_tally_renew(struct hostile_tally *t);
/** False: the process has ended. */
bool hostile_tally_is_alive(const struct hostile_tally *t);
/** The process uses no more than before. @return 0; -errno with @p why, of @p size bytes */
int hostile_tally_usage(const struct hostile_tally *t, char *why, size_t size);

/** Whether the user wants a case of @p flags (HOSTILE_SPLIT, HOSTILE_PACKED) with this ring. */
bool hostile_tally_wants(const struct hostile_tally *t, const char *name, uint32_t flags,
		bool packed);
/**
 * Count a case and print its line.
 * @param ring  " split", " packed" or ""
 * @param ret   0, HOSTILE_SKIPPED or -errno
 * @param text  what the back end did, why the case failed, or why it is skipped
 */
void hostile_tally_add(struct hostile_tally *t, const char *name, const char *ring, int ret,
		const char *text);
/** @return 0; -EIO: the back end serves nobody, which is reported. The other cases do not run. */
int hostile_tally_go_on(struct hostile_tally *t, const char *name);
/** Print the sum. @return 0 if no case failed and at least one passed; -EPROTO */
int hostile_tally_end(const struct hostile_tally *t);

#endif /* HOSTILE_TALLY_H */

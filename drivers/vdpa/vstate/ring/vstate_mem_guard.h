/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MEM_GUARD_H
#define VSTATE_MEM_GUARD_H

/**
 * @file
 * Shared memory that another process can take away.
 *
 * Guest memory, dirty log and in-flight region are files of the front end. A front end that truncates
 * one makes every access behind the new end a SIGBUS, which would end the process and all other
 * guests with it. A range that is guarded here is replaced by zeros of our own when that happens, its
 * owner is marked, and the access is repeated. A SIGBUS elsewhere goes to the handler that was
 * there before.
 *
 * Any thread; the handler takes no lock.
 */

#include <stddef.h>
#include <stdint.h>

/** Install the handler, if it is not the process's handler now. @return 0 or -errno */
int vstate_mem_guard_init(void);

/**
 * Guard a mapping.
 * @param addr beginning of the mapping, which nothing else shares a page with
 * @param lost set to 1 if the mapping was replaced; names the owner
 * @return 0; -ENOSPC: too many ranges are guarded, and this one is not
 */
int vstate_mem_guard_add(const void *addr, size_t len, uint32_t *lost);

/** Guard no mapping of this owner any more: before it is unmapped. */
void vstate_mem_guard_drop(const uint32_t *lost);

#endif /* VSTATE_MEM_GUARD_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MEM_GUARD_H
#define VSTATE_MEM_GUARD_H

/**
 * @file
 * Shared memory that another process can take away.
 *
 * Guest memory, dirty log and in-flight region are files of the front end. If a front end truncates
 * a file, an access behind its new end is a SIGBUS. That would end the process and the network of
 * all other guests. The handler here replaces a guarded range by zeros, marks its owner, and the
 * access is repeated. A SIGBUS elsewhere goes to the handler that was installed before.
 *
 * Any thread; the handler takes no lock.
 */

#include <stddef.h>
#include <stdint.h>

/** Install the handler, if it is not the process's handler now. @return 0 or -errno */
int vstate_mem_guard_init(void);

/**
 * Guard a mapping.
 * @param addr beginning of the memory; nothing else is in its first and its last page
 * @param lost set to 1 if the mapping was replaced; names the owner
 * @return 0; -ENOSPC: too many ranges are guarded, and this one is not
 */
int vstate_mem_guard_add(const void *addr, size_t len, uint32_t *lost);

/** Guard no mapping of this owner any more: before it is unmapped. */
void vstate_mem_guard_drop(const uint32_t *lost);

#endif /* VSTATE_MEM_GUARD_H */

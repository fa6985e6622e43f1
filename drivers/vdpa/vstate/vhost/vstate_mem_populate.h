/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MEM_POPULATE_H
#define VSTATE_MEM_POPULATE_H

/**
 * @file
 * Page tables of guest memory, filled ahead.
 *
 * A process that has just mapped a guest's memory takes a page fault at the first access to each
 * page. After a takeover that would be in the first bursts, while the guest waits.
 */

#include <stdint.h>

#include "ring/vstate_mem.h"

/**
 * Enter the pages that the guest's memory has into the page table of this process. Pages that the
 * guest never used stay unused, and pages that are swapped out stay there. Pages of hugetlbfs are
 * left out: mincore() does not see them, and they are few. Before Linux 5.14 nothing happens.
 *
 * Any thread. The caller sees to it that the memory stays mapped.
 *
 * @param ms time in milliseconds after which the rest is left out
 * @return bytes entered
 */
uint64_t vstate_mem_populate(const struct vstate_mem *mem, uint32_t ms);

#endif /* VSTATE_MEM_POPULATE_H */

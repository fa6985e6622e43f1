/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_BLK_RING_H
#define HOSTILE_BLK_RING_H

/** @file Request rings of a disk with loops, heads out of range, and values that change. */

#include <stdint.h>

struct hostile_blk_case;

/** Write up to @p room cases. @return their number */
uint32_t hostile_blk_ring_cases(struct hostile_blk_case *c, uint32_t room);

#endif /* HOSTILE_BLK_RING_H */

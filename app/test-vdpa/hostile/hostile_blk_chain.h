/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_BLK_CHAIN_H
#define HOSTILE_BLK_CHAIN_H

/** @file Requests of a disk whose header, data, status or numbers are wrong. */

#include <stdint.h>

struct hostile_blk_case;

/** Write up to @p room cases. @return their number */
uint32_t hostile_blk_chain_cases(struct hostile_blk_case *c, uint32_t room);

#endif /* HOSTILE_BLK_CHAIN_H */

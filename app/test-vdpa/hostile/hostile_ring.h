/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_RING_H
#define HOSTILE_RING_H

#include <stdint.h>

struct hostile_case;

/**
 * Write up to @p room cases to @p c: attacks by descriptors and virtio headers.
 * @return number of cases
 */
uint32_t hostile_ring_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_RING_H */

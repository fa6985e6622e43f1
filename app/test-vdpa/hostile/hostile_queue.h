/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_QUEUE_H
#define HOSTILE_QUEUE_H

#include <stdint.h>

struct hostile_case;

/**
 * Write up to @p room cases to @p c: attacks on the ring itself: indices, wrap counters,
 * notifications.
 * @return number of cases
 */
uint32_t hostile_queue_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_QUEUE_H */

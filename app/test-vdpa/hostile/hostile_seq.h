/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_SEQ_H
#define HOSTILE_SEQ_H

#include <stdint.h>

struct hostile_case;

/**
 * Write up to @p room cases to @p c: attacks by memory tables and sequences of messages.
 * @return number of cases
 */
uint32_t hostile_seq_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_SEQ_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_MSG_H
#define HOSTILE_MSG_H

#include <stdint.h>

struct hostile_case;

/** Write up to @p room cases to @p c: attacks by single messages. @return their number */
uint32_t hostile_msg_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_MSG_H */

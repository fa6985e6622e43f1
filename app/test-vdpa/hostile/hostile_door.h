/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_DOOR_H
#define HOSTILE_DOOR_H

/**
 * @file
 * Front ends that stop in the middle of a message, read no answers, flood, or come in numbers.
 * Meanwhile a second device of the process must be served.
 */

#include <stdint.h>

struct hostile_case;

/** Write at most @p room cases. @return how many */
uint32_t hostile_door_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_DOOR_H */

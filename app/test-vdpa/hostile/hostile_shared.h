/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_SHARED_H
#define HOSTILE_SHARED_H

/**
 * @file
 * Files that the front end shares with the back end and changes under it: eventfds that block, and
 * memory, logs and in-flight regions that shrink.
 */

#include <stdint.h>

struct hostile_case;

/** Write at most @p room cases. @return how many */
uint32_t hostile_shared_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_SHARED_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_CTRL_H
#define HOSTILE_CTRL_H

/**
 * @file
 * Hostile chains in the control queue of a device with cvq=1. They may break that queue and no
 * other: frames flow on all pairs. A back end without a control queue passes.
 */

#include <stdint.h>

struct hostile_case;

/** Write at most @p room cases. @return how many */
uint32_t hostile_ctrl_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_CTRL_H */

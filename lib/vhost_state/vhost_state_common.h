/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_COMMON_H
#define VHOST_STATE_COMMON_H

/**
 * @file
 * The parts that a state of every class has.
 */

#include "vhost_state_part.h"

#define VHOST_STATE_NB_COMMON_PARTS 8

/** Parts of every class, in ascending order of type. */
extern const struct vhost_state_part vhost_state_common_parts[VHOST_STATE_NB_COMMON_PARTS];

#endif /* VHOST_STATE_COMMON_H */

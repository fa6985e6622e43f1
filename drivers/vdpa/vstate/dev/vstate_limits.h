/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LIMITS_H
#define VSTATE_LIMITS_H

/** @file Limits of a device. */

#include "vstate_conf.h"

/** Largest number of virtqueues of a device: two for each queue of conf.queues, and one more. */
#define VSTATE_MAX_VQS (2 * VSTATE_MAX_QUEUES + 1)

#endif /* VSTATE_LIMITS_H */

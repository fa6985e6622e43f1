/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LIMITS_H
#define VSTATE_LIMITS_H

/** @file The largest device. */

#include "vstate_conf.h"

/** Most virtqueues of a device: two for each queue of conf.queues. */
#define VSTATE_MAX_VQS (2 * VSTATE_MAX_QUEUES)

#endif /* VSTATE_LIMITS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_LOG_H
#define VHOST_STATE_LOG_H

/** @file The log of the library, lib.vhost_state. */

#include <rte_log.h>

#include <vstate_compat.h>

#include "vhost_state_reason.h"

#define RTE_LOGTYPE_VHOST_STATE vhost_state_logtype
/** Log a line without its newline. */
#define VHOST_STATE_LOG(level, ...) RTE_LOG_LINE(level, VHOST_STATE, __VA_ARGS__)

#endif /* VHOST_STATE_LOG_H */

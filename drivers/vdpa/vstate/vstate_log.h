/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LOG_H
#define VSTATE_LOG_H

/** @file The driver's log type, pmd.vdpa.vstate. */

#include <rte_log.h>

#include "vstate_compat.h"

extern int vstate_logtype;
#define RTE_LOGTYPE_vstate vstate_logtype

#define VSTATE_LOG(level, ...) RTE_LOG_LINE(level, vstate, __VA_ARGS__)

#endif /* VSTATE_LOG_H */

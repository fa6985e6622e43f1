/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LOG_H
#define VSTATE_LOG_H

/** @file The driver's log type, pmd.vdpa.vstate. */

#include <rte_log.h>

extern int vstate_logtype;

#define VSTATE_LOG(level, fmt, ...) \
	rte_log(RTE_LOG_ ## level, vstate_logtype, "vstate: " fmt "\n", ##__VA_ARGS__)

#endif /* VSTATE_LOG_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef REASON_H
#define REASON_H

/** @file Why a run failed. Only the first reason is kept: the others usually follow from it. */

#include <stddef.h>

#include <rte_common.h>

/**
 * Write the reason to @p why, of @p size bytes, unless it has one.
 * @return @p ret, for the caller to return
 */
__rte_format_printf(4, 5)
int reason_keep(int ret, char *why, size_t size, const char *fmt, ...);

#endif /* REASON_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_FAIL_H
#define UT_FAIL_H

/**
 * @file
 * Calls to the system that fail on request. The linker sends the calls of the driver, of its
 * library of states and of the tests here (--wrap, see meson.build). Calls of DPDK do not come
 * here.
 */

#include <stdbool.h>

/** The @p n-th call of this thread from now on fails, counted from 1. Other threads' never do. */
void fail_call_arm(unsigned int n);
/** No call fails any more. @return the name of the function that failed; NULL: none */
const char *fail_call_disarm(void);
/** Number of allocations that are not freed. */
unsigned int fail_call_allocated(void);

#endif /* UT_FAIL_H */

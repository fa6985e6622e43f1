/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_STEP_H
#define UT_STEP_H

/** @file Run a function in a child, one instruction at a time, to see what a kill would leave. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Call @p stopped before the first, between any two, and after the last instruction of @p run. */
void step_through(void (*run)(void *arg), void (*stopped)(void *arg, pid_t child), void *arg);
/** Copy @p len bytes at address @p from of the child to @p to. @return false on failure */
bool step_read(pid_t child, void *to, const void *from, size_t len);

#endif /* UT_STEP_H */

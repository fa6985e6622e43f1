/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_OWNER_H
#define BACKEND_OWNER_H

/**
 * @file
 * Whether a new process has taken a device over from the old process.
 */

#include <stdbool.h>

struct backend;

/**
 * Whether the device of @p be has a front end whose driver is ready. A process that takes a device
 * over gets the connection before it serves: see backend_has_passed().
 */
bool backend_is_connected(struct backend *be);

/** Whether @p to serves the device with the connection that @p from had. */
bool backend_has_passed(struct backend *from, struct backend *to);

#endif /* BACKEND_OWNER_H */

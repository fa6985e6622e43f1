/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_PROCESS_H
#define BACKEND_PROCESS_H

#include <stdbool.h>

#include "backend.h"
#include "strvec.h"

/** Name of the child's subcommand, which the help does not list. */
#define BACKEND_CHILD_COMMAND "backend-child"
/** File descriptor of the child's connection to the tool. */
#define BACKEND_CHILD_FD 3

/**
 * Create a device in a child process. The child runs this executable.
 * @param eal  EAL options for the child; must exist as long as the back end
 * @param verbose  the child does not change log levels
 * @return NULL with rte_errno, reported on stderr
 */
struct backend *backend_process_create(const struct backend_device *dev, const struct strvec *eal,
		bool verbose);

#endif /* BACKEND_PROCESS_H */

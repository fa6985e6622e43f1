/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_PROCESS_H
#define BACKEND_PROCESS_H

#include <stdbool.h>

#include "backend.h"
#include "strvec.h"

/** Hidden subcommand of the child. */
#define BACKEND_CHILD_COMMAND "backend-child"
/** File descriptor by which the child talks to the tool. */
#define BACKEND_CHILD_FD 3

/**
 * Create a device in a child process, which is this executable run again.
 * @param eal  EAL options for the child; to live as long as the back end
 * @param verbose  the child leaves log levels alone
 * @return NULL with rte_errno, told on stderr
 */
struct backend *backend_process_create(const struct backend_device *dev, const struct strvec *eal,
		bool verbose);

#endif /* BACKEND_PROCESS_H */

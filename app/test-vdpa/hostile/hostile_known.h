/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_KNOWN_H
#define HOSTILE_KNOWN_H

/**
 * @file
 * Cases that rte_vhost does not survive. A device behind rte_vdpa cannot do anything about them,
 * because rte_vhost reads the messages before a driver sees them.
 */

#include <stdbool.h>
#include <stdint.h>

/** Why the case @p name is not run, with the releases that have the fault; NULL: it is run. */
const char *hostile_known_fault(const char *name);
/** True if surplus descriptors of @p request are lost: the fds cases leave it out. */
bool hostile_known_request(uint32_t request);

#endif /* HOSTILE_KNOWN_H */

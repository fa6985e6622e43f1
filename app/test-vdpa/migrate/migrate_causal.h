/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_CAUSAL_H
#define MIGRATE_CAUSAL_H

#include <stdbool.h>
#include <stddef.h>

struct rte_vhost_state;

/**
 * True if a captured state of causal traffic shows one instant: it has no frame, sent or received,
 * whose cause is missing.
 * @param why written if the result is false
 */
bool migrate_causal_holds(const struct rte_vhost_state *st, char *why, size_t size);

#endif /* MIGRATE_CAUSAL_H */

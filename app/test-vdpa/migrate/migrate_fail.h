/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_FAIL_H
#define MIGRATE_FAIL_H

#include <stdbool.h>
#include <stdint.h>

struct migrate;
struct migrate_options;
struct rte_vhost_state;

/** True if move number @p move must fail. */
bool migrate_fail_due(const struct migrate_options *opt, uint64_t move);
/** Change the state or kill back end @p to, so that the move cannot succeed. */
int migrate_fail_arrange(struct migrate *m, unsigned int to, struct rte_vhost_state *st);

#endif /* MIGRATE_FAIL_H */

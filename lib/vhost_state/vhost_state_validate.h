/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_VALIDATE_H
#define VHOST_STATE_VALIDATE_H

/**
 * @file
 * Checks that a state is consistent in itself.
 */

#include "rte_vhost_state.h"

/**
 * Do what rte_vhost_state_validate() does, without the report.
 *
 * @param e
 *   Filled only if the state is refused.
 * @return
 *   0, or the -errno of the reason in @p e.
 */
int vhost_state_check(const struct rte_vhost_state *st, struct rte_vhost_state_error *e);

#endif /* VHOST_STATE_VALIDATE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_IO_H
#define VHOST_STATE_IO_H

/** @file Carriers, inside the library. */

#include "rte_vhost_state.h"

/**
 * Load a state from descriptor @p fd, as rte_vhost_state_load() does from a path: the state begins
 * at the offset of the descriptor and ends with the file. Thread-safe.
 */
struct rte_vhost_state *vhost_state_load_fd(int fd, struct rte_vhost_state_error *err);

#endif /* VHOST_STATE_IO_H */

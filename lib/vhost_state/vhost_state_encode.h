/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_ENCODE_H
#define VHOST_STATE_ENCODE_H

/**
 * @file
 * Writes a state as bytes, see vhost_state_format.h.
 */

#include "rte_vhost_state.h"
#include "vhost_state_sink.h"

/**
 * Encode a valid state into @p sink and flush the sink.
 *
 * @return
 *   0, or the error of the sink, -errno.
 */
int vhost_state_emit(const struct rte_vhost_state *st, struct vhost_state_sink *sink);

#endif /* VHOST_STATE_ENCODE_H */

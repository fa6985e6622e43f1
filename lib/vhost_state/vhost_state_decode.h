/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_DECODE_H
#define VHOST_STATE_DECODE_H

/**
 * @file
 * Reads a state from bytes that are not trusted, see vhost_state_format.h.
 */

#include "rte_vhost_state.h"

/**
 * Do what rte_vhost_state_decode() does, without the report.
 *
 * @param e
 *   Filled only if the bytes are refused.
 * @return
 *   The state, to be freed; NULL with the reason in @p e.
 */
struct rte_vhost_state *vhost_state_parse(const uint8_t *buf, size_t len,
		struct rte_vhost_state_error *e);

/**
 * Check the header at the start of @p buf.
 *
 * @param total
 *   Written if the header is accepted: length of header and parts in bytes, at most
 *   VHOST_STATE_MAX_SIZE.
 * @return
 *   0, or the -errno of the reason in @p e.
 */
int vhost_state_parse_header(const uint8_t *buf, size_t len, uint32_t *total,
		struct rte_vhost_state_error *e);

#endif /* VHOST_STATE_DECODE_H */

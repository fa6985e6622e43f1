/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_CONTROL_JSON_H
#define VHOST_STATE_CONTROL_JSON_H

/**
 * @file
 * The JSON values of control sockets. A function that returns a value returns NULL if there is no
 * memory; jansson accepts NULL as a value and reports it later. All functions are thread-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <rte_common.h>

#include "rte_vhost_state.h"

/** A string; bytes that are not UTF-8 are shown as '?'. */
json_t *vhost_state_control_text(const char *text);
/** A number as a string "0x1f": readers that keep numbers as doubles would lose bits. */
json_t *vhost_state_control_hex(uint64_t value);
/** The names of the bits of a device status, as an array of strings. */
json_t *vhost_state_control_status(uint8_t status);

/** A reply to a request that was done: {"ok": true}. */
json_t *vhost_state_control_ok(void);
/** A refusal by the control socket itself: {"ok": false, "reason": ..., "text": ...}. */
__rte_format_printf(2, 3)
json_t *vhost_state_control_bad(const char *reason, const char *fmt, ...);
/** A refusal by the library or by a device, with its place and values. */
json_t *vhost_state_control_refused(const struct rte_vhost_state_error *err);

/**
 * Write a value as one line with its newline.
 * @param value freed, also after an error; may be NULL
 * @param len written: length of the line
 * @return the line, to be freed; NULL: no memory, or @p value is NULL
 */
char *vhost_state_control_line(json_t *value, size_t *len);

#endif /* VHOST_STATE_CONTROL_JSON_H */

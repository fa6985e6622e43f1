/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_REASON_H
#define VHOST_STATE_REASON_H

/**
 * @file
 * How the library refuses.
 *
 * A refusal has two steps. An inner function *faults*: it fills an error and returns its -errno.
 * The public function *reports* once, at its end: it counts the error, logs it and hands it to
 * the caller. An inner function can therefore add what it knows, such as an offset, before the
 * error is read, and one refusal counts once.
 *
 * All functions of this header are thread-safe and need no lock.
 */

#include "rte_vhost_state.h"

/** Log type of the library. */
extern int vhost_state_logtype;

/**
 * Fill @p e with a refusal. Nothing is counted or logged.
 *
 * @param e
 *   Error to fill, not NULL.
 * @param vq
 *   Virtqueue index, or -1.
 * @param offset
 *   Byte offset in the encoded state, or -1.
 * @return
 *   The -errno of @p reason.
 */
int vhost_state_fault(struct rte_vhost_state_error *e, enum rte_vhost_state_reason reason, int vq,
		int64_t offset, uint64_t expected, uint64_t found);

/** Set @p e to "no error". */
void vhost_state_no_error(struct rte_vhost_state_error *e);

/**
 * Count and log @p e if it is a refusal, and copy it to @p err.
 *
 * @param err
 *   Error of the caller; may be NULL.
 * @return
 *   0 for "no error", otherwise the -errno of the reason.
 */
int vhost_state_report(struct rte_vhost_state_error *err, const struct rte_vhost_state_error *e);

#endif /* VHOST_STATE_REASON_H */

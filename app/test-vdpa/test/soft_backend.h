/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef SOFT_BACKEND_H
#define SOFT_BACKEND_H

/**
 * @file
 * A small vhost-user back end in a thread. It sends frames back and makes errors on request,
 * to test the checks of the guest. It supports only buffers of one descriptor.
 */

#include <stdbool.h>
#include <stdint.h>

enum soft_fault {
	SOFT_HONEST,
	/** Every 499th frame is dropped, duplicated, sent after the next one, or changed. */
	SOFT_DROP,
	SOFT_DUPLICATE,
	SOFT_REORDER,
	SOFT_FLIP_BIT,
	SOFT_CUT_SHORT,
	/** Every 499th frame of pair 0 comes back on pair 1. */
	SOFT_CROSS,
	/** For transmit rings, GET_VRING_BASE answers an index that is one too high or too low. */
	SOFT_BASE_AHEAD,
	SOFT_BASE_BEHIND,
	/** For transmit rings, GET_VRING_BASE answers with flipped wrap counters. */
	SOFT_BASE_WRAP,
	/** One frame that was dequeued at the stop is dropped. */
	SOFT_DROP_AT_STOP,
	/** Calls are never sent. */
	SOFT_NO_CALLS,
};

struct soft_backend;

/** Start a back end that listens at @p path. @return NULL on error */
struct soft_backend *soft_backend_start(const char *path, enum soft_fault fault);
/** While @p on, the back end processes no frames. */
void soft_backend_freeze(struct soft_backend *b, bool on);
void soft_backend_stop(struct soft_backend *b);

#endif /* SOFT_BACKEND_H */

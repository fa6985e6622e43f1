/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef SOFT_BACKEND_H
#define SOFT_BACKEND_H

/**
 * @file
 * A small vhost-user back end in a thread, that loops frames back and can be told
 * to make mistakes: it tests the tests. Buffers of one descriptor only.
 */

#include <stdbool.h>
#include <stdint.h>

enum soft_fault {
	SOFT_HONEST,
	/** Every 499th frame is dropped, sent twice, sent after the next one, or changed. */
	SOFT_DROP,
	SOFT_DUPLICATE,
	SOFT_REORDER,
	SOFT_FLIP_BIT,
	SOFT_CUT_SHORT,
	/** Every 499th frame of pair 0 comes back on pair 1. */
	SOFT_CROSS,
	/** GET_VRING_BASE answers an index that is one too high or too low for transmit rings. */
	SOFT_BASE_AHEAD,
	SOFT_BASE_BEHIND,
	/** GET_VRING_BASE answers with wrap counters flipped for transmit rings. */
	SOFT_BASE_WRAP,
	/** A frame that was taken when the device stops is dropped. */
	SOFT_DROP_AT_STOP,
	/** Calls are never sent. */
	SOFT_NO_CALLS,
};

struct soft_backend;

/** Listen at @p path. NULL if that fails. */
struct soft_backend *soft_backend_start(const char *path, enum soft_fault fault);
/** Frames are not looped while @p on. */
void soft_backend_freeze(struct soft_backend *b, bool on);
void soft_backend_stop(struct soft_backend *b);

#endif /* SOFT_BACKEND_H */

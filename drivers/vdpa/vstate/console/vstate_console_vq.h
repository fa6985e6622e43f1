/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_VQ_H
#define VSTATE_CONSOLE_VQ_H

/** @file A virtqueue of a console. The fields belong to the holder of the lease. */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_request.h"
#include "ring/vstate_vq.h"

/** Pieces of a buffer: 1,024 of the part that is used, and some of the other part. */
#define VSTATE_CONSOLE_PIECES (1024 + 16)

struct vstate_console_counters {
	/** Buffers and bytes that are transferred. */
	uint64_t buffers, bytes;
	/** Bytes of the driver for which there was nobody at the host's side. */
	uint64_t dropped_bytes;
	/** Buffers without a part of the right direction. */
	uint64_t malformed;
	/** Buffers that another process, or this one before a stop, had transferred in part. */
	uint64_t resumed;
};

/** How much of a buffer was transferred when the queue stopped. */
struct vstate_console_transfer {
	bool valid;
	/** The buffer, and the used position of its ring. A state does not have the latter. */
	uint16_t id;
	bool any_pos;
	struct vstate_pos used;
	uint64_t done;
};

struct vstate_console_vq {
	/** First member, as struct vstate_class::vq_size says. */
	struct vstate_vq vq;
	struct vstate_console_counters counters;
	/** The buffer that is being transferred, if @p busy, and the bytes that are. */
	struct vstate_request req;
	struct iovec *pieces;
	bool busy;
	uint64_t done;
	/** To the host: first piece that is not transferred. */
	uint16_t piece;
	struct vstate_console_transfer stopped;
	/** The record of the killed process may be of the first buffer. */
	bool from_kept;
};

static inline struct vstate_console_vq *
vstate_console_vq_of(struct vstate_vq *vq)
{
	return (struct vstate_console_vq *)vq;
}

#endif /* VSTATE_CONSOLE_VQ_H */

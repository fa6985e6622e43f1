/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INTERRUPTED_H
#define VSTATE_INTERRUPTED_H

/**
 * @file
 * Where a ring stands after the process that served it was killed, at any instruction; and the end
 * of a publication that was under way. No poll thread is inside.
 */

#include <stdbool.h>

#include "vstate_inflight_layout.h"
#include "vstate_pos.h"

struct vstate_vq;

/** Packed: whether the descriptor at a position is available there. */
bool vstate_packed_avail(const struct vstate_vq *vq, struct vstate_pos pos);

/**
 * Set a configured queue to where a position that was kept says that it stands, and finish a
 * publication that was under way: its buffers are returned empty. Buffers in flight are attached to
 * the queue, if there are any.
 * @param fresh  the front end says that nobody has used the ring
 * @return NULL, or why the position does not hold; the queue is then as it was
 */
const char *vstate_recover_packed(struct vstate_vq *vq, const union vstate_inflight_head *rec,
		bool fresh);
/** The same of a split ring, which has its used index in the guest's memory. Always NULL. */
const char *vstate_recover_split(struct vstate_vq *vq);

#endif /* VSTATE_INTERRUPTED_H */

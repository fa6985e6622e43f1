/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INTERRUPTED_H
#define VSTATE_INTERRUPTED_H

/**
 * @file
 * Where a ring stands after the process that served it was killed, at any instruction.
 *
 * The used index of a split ring is in guest memory. A packed ring does not say where its device
 * stands, so a record does (vstate_inflight_layout.h): old, where the device stood, and now,
 * where it would stand after a publication.
 *
 *	record              first descriptor at old    the ring stands at
 *	old == now          any                        now
 *	old != now          used                       now: the driver saw the publication
 *	old != now          available                  old: the driver saw nothing
 *
 * In the last case used descriptors may have been written behind the first one already. What
 * they said before is lost with the process, so the whole publication is made with empty
 * buffers, and the ring stands at now.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_inflight_layout.h"

struct vstate_vq;

/**
 * Set the positions of a configured queue to where it stands, and finish a publication that was
 * interrupted. Buffers in flight are attached to the queue before, if there are any. No poll
 * thread is inside.
 * @param rec  the record that the killed process left; not read for a split ring
 * @param fresh  the front end says that no device has used the ring
 * @param nb_empty  written: buffers that were returned empty
 * @return NULL, or why the record does not hold; the queue is then as it was
 */
const char *vstate_interrupted_settle(struct vstate_vq *vq, const union vstate_inflight_head *rec,
		bool fresh, uint16_t *nb_empty);

#endif /* VSTATE_INTERRUPTED_H */

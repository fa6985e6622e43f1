/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_INTERRUPTED_H
#define VSTATE_INTERRUPTED_H

/**
 * @file
 * The used position of a ring after the process that served it was killed, at any instruction.
 *
 * The used index of a split ring is in guest memory. A packed ring does not have the used position,
 * so a record has it (vstate_inflight_layout.h): old, the used position before a publication, and
 * now, the used position behind it.
 *
 *	record              first descriptor at old    used position
 *	old == now          any                        now
 *	old != now          used                       now: the driver saw the publication
 *	old != now          available                  old: the driver saw nothing
 *
 * In the last case descriptors behind the first one may be overwritten already, and their old
 * content is lost with the process. Then the whole publication is made with empty buffers, and
 * the used position is now. Of buffers in flight (vstate_inflight.h), and of all buffers of a queue
 * with marks (vstate_marks.h), there are copies of the descriptors: if no others were overwritten,
 * the publication is undone, and these buffers are served again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_inflight_layout.h"

struct vstate_vq;

/**
 * Set the positions of a configured queue, and finish a publication that was interrupted. Buffers
 * in flight, if any, are already attached to the queue. No poll thread is inside.
 * @param rec  the record of the killed process; not read for a split ring
 * @param fresh  the front end says that no device has used the ring
 * @param nb_empty  set to the number of buffers that were returned empty
 * @return NULL, or the reason why the record is not valid; the queue is then unchanged
 */
const char *vstate_interrupted_settle(struct vstate_vq *vq, const union vstate_inflight_head *rec,
		bool fresh, uint16_t *nb_empty);

#endif /* VSTATE_INTERRUPTED_H */

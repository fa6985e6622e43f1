/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RING_H
#define VSTATE_RING_H

/**
 * @file
 * What a device needs of a virtqueue whatever its class and its layout. Compiled once, for no
 * path of a burst.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_vq.h"

/**
 * Buffers (split) or descriptors (packed) that are available. Any thread: without the lease the
 * number is an estimate, as a poll thread may be inside.
 */
uint16_t vstate_ring_waiting(const struct vstate_vq *vq);

/**
 * Before a grant, no poll thread is inside: set what vstate_vq_is_empty() compares, and ask the
 * driver for as few kicks as it can be asked for.
 */
void vstate_ring_prime(struct vstate_vq *vq);

/**
 * Ask the driver for a kick, because the device is about to sleep. The caller holds the lease.
 * @return true: the queue is not empty, so the driver may not kick: do not sleep
 */
bool vstate_ring_kicks_request(struct vstate_vq *vq);
/** Ask the driver for as few kicks as it can be asked for. The caller holds the lease. */
void vstate_ring_kicks_suppress(struct vstate_vq *vq);

/**
 * Publish what is in the shadow, and call the driver unless it wants no call. All that was
 * dequeued must be in the shadow. The caller holds the lease, or no poll thread is inside.
 */
void vstate_ring_publish(struct vstate_vq *vq);

#endif /* VSTATE_RING_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_USED_ASTRAY_H
#define VSTATE_USED_ASTRAY_H

/**
 * @file
 * Used descriptors that another party wrote to a wrong place of a packed ring.
 *
 * QEMU that knows the available position only uses up frames at index 0 with wrap counter 0. In the
 * first turn of the ring, whose counter is 1, the driver has consumed these descriptors. It ignores
 * them until the ring wraps. Then it takes them for used buffers of the new turn, and gives up
 * ("id is not a head"). So they get back the flags of consumed descriptors.
 */

#include <stdint.h>

struct vstate_vq;

/**
 * Repair the descriptors 0 to @p n - 1 of a packed ring in a turn with wrap counter 1. The
 * positions of the queue are set, and no poll thread is inside.
 * @return number of descriptors repaired; 0 also if the driver may have made them available again
 */
uint16_t vstate_used_astray_repair(struct vstate_vq *vq, uint16_t n);

#endif /* VSTATE_USED_ASTRAY_H */

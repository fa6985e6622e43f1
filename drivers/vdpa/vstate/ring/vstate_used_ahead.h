/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_USED_AHEAD_H
#define VSTATE_USED_AHEAD_H

/**
 * @file
 * Buffers of a packed ring that another party used ahead of the device.
 *
 * While QEMU has no back end and the link is down, it uses the buffers that a guest still makes
 * available. It does so at the position that it believes to be the used position: the position at
 * which the ring started. This position may lie amid the buffers that wait for this device. At a
 * descriptor that is used already the device would wait without end.
 *
 * The driver reads used descriptors in order. It does not reach a used descriptor while a buffer
 * before it is not used. So the buffer is made available again, and the device uses it in its
 * turn. Its length and flags were overwritten, so its content is lost. It becomes a buffer that is
 * too short for a frame, and the class drops and counts it.
 */

#include <stdint.h>

struct vstate_vq;

/**
 * Return the buffers that were used ahead, in order. The queue is packed and from the driver to
 * the device. Its positions are set, and no poll thread is inside.
 * @param len  length in bytes of a buffer that the class drops, at most
 *   sizeof(struct vring_packed_desc)
 * @return number of these buffers
 */
uint16_t vstate_used_ahead_return(struct vstate_vq *vq, uint32_t len);

#endif /* VSTATE_USED_AHEAD_H */

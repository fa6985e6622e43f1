/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_USED_AHEAD_H
#define VSTATE_USED_AHEAD_H

/**
 * @file
 * Buffers of a packed ring that the front end used itself, ahead of the device.
 *
 * While QEMU has no back end and the link is down, it uses up what a guest that still sends makes
 * available, at the place where QEMU believes the ring to stand: where it began. That may be in the
 * midst of what waits for the device, which would wait without end at a descriptor that is used
 * already.
 *
 * The driver looks at used descriptors one after another, and has not come there as long as a
 * buffer before it is not used. So such a buffer is made available once more, and the device uses it
 * in its turn. Its length and flags were written over, so it becomes a buffer without content.
 */

#include <stdint.h>

struct vstate_vq;

/**
 * Return in order the buffers that the front end has used, of a packed queue whose positions are
 * known. No poll thread is inside.
 * @param empty_len  bytes of a buffer without content, 1 to 16, of the memory of one descriptor
 * @return how many there are
 */
uint16_t vstate_used_ahead_return(struct vstate_vq *vq, uint32_t empty_len);

#endif /* VSTATE_USED_AHEAD_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_USED_AHEAD_H
#define VSTATE_USED_AHEAD_H

/**
 * @file
 * Buffers of a packed ring that another party used ahead of the device.
 *
 * While QEMU has no back end and the link is down, it uses up what a guest that still sends makes
 * available, at the place where it believes the ring to stand: the place where it began. That
 * place may lie amid the buffers that wait for this device. At a descriptor that is used already
 * the device would wait without end.
 *
 * The driver looks at used descriptors in order, and does not come to one as long as a buffer
 * before it is not used. So such a buffer is made available once more, and the device uses it in
 * its turn. Its length and flags were overwritten, so its content is lost. It becomes a buffer
 * that is too short to hold anything, which the class drops and counts.
 */

#include <stdint.h>

struct vstate_vq;

/**
 * Return the buffers of a packed queue from the driver that were used ahead, in order. The
 * positions of the queue are known and no poll thread is inside.
 * @param len  bytes of a buffer that the class drops; at most sizeof(struct vring_packed_desc)
 * @return how many there are
 */
uint16_t vstate_used_ahead_return(struct vstate_vq *vq, uint32_t len);

#endif /* VSTATE_USED_AHEAD_H */

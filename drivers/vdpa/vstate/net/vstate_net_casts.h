/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_CASTS_H
#define VSTATE_NET_CASTS_H

/**
 * @file
 * Counters of multicast and broadcast frames (count-multicast=1). To read the address of each frame
 * takes time, so that these are bursts of their own, around the usual ones. A device without the
 * argument does not have them.
 */

struct vstate_net_vq;

/** Count the frames of a queue, whose usual bursts are set, from now on. No poll thread inside. */
void vstate_net_casts_begin(struct vstate_net_vq *nq);

#endif /* VSTATE_NET_CASTS_H */

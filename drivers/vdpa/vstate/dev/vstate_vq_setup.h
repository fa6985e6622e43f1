/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VQ_SETUP_H
#define VSTATE_VQ_SETUP_H

/** @file Check a ring of the front end and map it into its queue. Control lock held. */

struct vstate_dev;
struct vstate_ring_setup;
struct vstate_vq;

/**
 * Apply the front end's set-up to a queue. No poll thread is inside. The queue stays not ready if
 * its ring is not ready. A ring that is outside the guest's memory, misaligned, or has a bad size
 * is logged, and its queue is not ready. vstate_resume_point.h decides where the ring resumes.
 */
void vstate_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq,
		const struct vstate_ring_setup *ring);

/**
 * Watch the kicks of eventfd @p fd from now on, if the class of the device wants them. Negative:
 * none. Kicks that are not seen are logged.
 */
void vstate_vq_setup_kick(struct vstate_dev *dev, struct vstate_vq *vq, int fd);

#endif /* VSTATE_VQ_SETUP_H */

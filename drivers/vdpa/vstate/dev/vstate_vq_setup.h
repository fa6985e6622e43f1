/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_VQ_SETUP_H
#define VSTATE_VQ_SETUP_H

/** @file One ring of the front end, checked and mapped into its queue. Control lock held. */

struct vstate_dev;
struct vstate_ring_setup;
struct vstate_vq;

/**
 * Set a queue up as the front end says now. No poll thread is inside. A ring that is not ready, or
 * that is outside the guest's memory or has a bad size (logged), leaves the queue not ready.
 * Where the ring resumes is for vstate_resume_point.h.
 */
void vstate_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq,
		const struct vstate_ring_setup *ring);

#endif /* VSTATE_VQ_SETUP_H */

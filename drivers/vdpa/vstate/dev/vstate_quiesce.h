/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_QUIESCE_H
#define VSTATE_QUIESCE_H

/**
 * @file
 * The control side of the leases (ring/vstate_lease.h). To quiesce is to revoke leases and to wait
 * for the poll threads that are inside. A stop waits here, and nowhere else.
 *
 * All functions are called with the control lock of the device held.
 */

#include <stdint.h>

struct vstate_dev;
struct vstate_vq;

/**
 * Quiesce all queues at one instant, and wait for at most @p timeout_ns nanoseconds. Requests that
 * take time may be left: they wait to be submitted again.
 * @param late_qid written on -ETIMEDOUT: a queue whose poll thread stayed inside
 * @return 0; -ETIMEDOUT: the leases are granted as before
 */
int vstate_quiesce(struct vstate_dev *dev, uint64_t timeout_ns, uint16_t *late_qid);
/**
 * Quiesce all queues without a bound, for messages that unmap memory which a poll thread uses. A
 * poll thread that stays inside is logged once a second.
 */
void vstate_quiesce_always(struct vstate_dev *dev);
/**
 * As vstate_quiesce_always(), because the front end takes the rings back or the driver resets the
 * device: requests are completed, unless the front end or a state carries them.
 */
void vstate_quiesce_finish(struct vstate_dev *dev);
/**
 * The same for one queue, while the others are polled.
 * @param resumes  the queue continues where it stops: its requests may wait
 */
void vstate_quiesce_vq(struct vstate_dev *dev, struct vstate_vq *vq, bool resumes);
/**
 * Wait for the poll thread of one queue, without a bound. Its requests may touch guest memory.
 */
void vstate_quiesce_poll_of(struct vstate_dev *dev, struct vstate_vq *vq);
/** Quiesce the EAL service without a bound: it polls no queue until it is the poller again. */
void vstate_quiesce_poller(struct vstate_dev *dev);

/** Grant the leases of all queues that may run. */
void vstate_grant(struct vstate_dev *dev);
/** Grant the lease of one queue if it may run, while the others are polled. */
void vstate_grant_vq(struct vstate_dev *dev, struct vstate_vq *vq);

/** Interrupt the driver for a queue. If the device is suspended, defer it until resume. */
void vstate_call_vq(struct vstate_dev *dev, struct vstate_vq *vq);

#endif /* VSTATE_QUIESCE_H */

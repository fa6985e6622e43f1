/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_QUIESCE_H
#define VSTATE_QUIESCE_H

/**
 * @file
 * The control side of the leases (ring/vstate_lease.h): revoke them and wait for the poll threads
 * that are inside, and grant them to the queues that may run. A stop waits here, and nowhere else.
 *
 * All functions are called with the control lock of the device held.
 */

#include <stdint.h>

struct vstate_dev;
struct vstate_vq;

/**
 * Quiesce all queues at one instant, for at most @p timeout_ns.
 * @param late_qid written on -ETIMEDOUT: a queue whose poll thread stayed inside
 * @return 0; -ETIMEDOUT: the leases are granted as before
 */
int vstate_quiesce(struct vstate_dev *dev, uint64_t timeout_ns, uint16_t *late_qid);
/**
 * The same without a bound, because memory is about to go that a poll thread uses. A poll thread
 * that stays inside is logged once a second.
 */
void vstate_quiesce_always(struct vstate_dev *dev);
/** Quiesce one queue without a bound, while the others are polled. */
void vstate_quiesce_vq(struct vstate_dev *dev, struct vstate_vq *vq);
/** No EAL service goes over the queues any more. */
void vstate_quiesce_poller(struct vstate_dev *dev);

/** Grant the leases of all queues that may run. */
void vstate_grant(struct vstate_dev *dev);
/** The same for one queue, while the others are polled. */
void vstate_grant_vq(struct vstate_dev *dev, struct vstate_vq *vq);

/** Call the driver of a queue, or remember the call until a suspended device resumes. */
void vstate_call_vq(struct vstate_dev *dev, struct vstate_vq *vq);

#endif /* VSTATE_QUIESCE_H */

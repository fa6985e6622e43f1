/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CVQ_H
#define VSTATE_CVQ_H

/**
 * @file
 * The control virtqueue of a network device with cvq=1 (VIRTIO 1.4 "Control Virtqueue").
 *
 * No poll thread serves it. The driver's kick makes event_fd() readable, and the thread of the
 * front end calls event() with the control lock held. A command that changes a setting quiesces the
 * queues, changes it, stores it where a crash cannot lose it, and only then is answered.
 *
 * Its index is 2 without VIRTIO_NET_F_MQ, even if the device has several pairs; else it comes after
 * the queues of all pairs. A front end that serves the control queue itself, as QEMU's vhost-user
 * network card does, never sets the ring up: no setting is in force then, and the front end alone
 * enables pairs.
 *
 * What the settings are when the ring was set up:
 *
 *	the ring is new (no device used it)         the defaults
 *	a state was restored, or a process left one   those of the state
 *	this device served the ring before          as they were
 *	none of these                               not known: all frames pass, all pairs run
 *
 * Unless noted, the functions are called with the control lock held, and do nothing without cvq=1.
 * Those of struct vstate_class are documented there.
 */

#include <stdbool.h>
#include <stdint.h>

struct rte_tel_data;
struct rte_vhost_state;
struct vstate_dev;
struct vstate_net_vq;
struct vstate_vq;

/** Allocate the control queue of a new device. Without the lock. @return 0 or -errno */
int vstate_cvq_create(struct vstate_dev *dev);
/** Free it, also after vstate_cvq_create() failed. Without the lock. */
void vstate_cvq_destroy(struct vstate_dev *dev);

/** Index of the control virtqueue if its driver has MQ; 0: the device serves none. Any thread. */
uint16_t vstate_cvq_index(const struct vstate_dev *dev);
/** Return whether the driver has to announce itself. Any thread. */
bool vstate_cvq_announce_is_due(const struct vstate_dev *dev);

/** The front end is about to set all rings up, with these features. */
void vstate_cvq_setup(struct vstate_dev *dev);
/** A ring was mapped: apply the settings to its queue. */
void vstate_cvq_vq_setup(struct vstate_dev *dev, struct vstate_net_vq *nq);
/** All rings have their positions: decide which settings are in force, once for each set-up. */
void vstate_cvq_settle(struct vstate_dev *dev);
/** The guest is gone: forget its settings. */
void vstate_cvq_forget(struct vstate_dev *dev);

/** Write the settings into a state, after all other network data. */
void vstate_cvq_capture(const struct vstate_dev *dev, struct rte_vhost_state *st);
/**
 * Take the settings of a state over. They come into force when the ring is set up.
 * @param moved  the guest comes from another host, and has to announce itself
 * @return 0; -EINVAL: a command is refused, nothing changed
 */
int vstate_cvq_restore(struct vstate_dev *dev, const struct rte_vhost_state *st, bool moved);

int vstate_cvq_event_fd(const struct vstate_dev *dev);
void vstate_cvq_event(struct vstate_dev *dev);
/** Call event() soon: the queue may have been granted. Poll threads may be inside. */
void vstate_cvq_wake(const struct vstate_dev *dev);
void vstate_cvq_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_CVQ_H */

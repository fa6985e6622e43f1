/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_START_H
#define VSTATE_START_H

/**
 * @file
 * The operations of a front end on a device: connect, negotiate, set up rings, start, change the
 * set-up, take the rings back, disconnect. The thread that talks to the front end calls them. Each
 * function takes the control lock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_class.h"

struct vstate_dev;
struct vstate_ring_setup;
struct vstate_setup;

/** A front end connected. */
void vstate_start_connect(struct vstate_dev *dev);
/** The front end disconnected. @param leave as vstate_start_end() */
void vstate_start_disconnect(struct vstate_dev *dev, bool leave);

/** The front end negotiated features. @param status as vstate_setup::status_negotiated */
void vstate_start_negotiate(struct vstate_dev *dev, uint64_t features, bool status);
/** The front end set the size of a ring (SET_VRING_NUM). A restore checks it. */
void vstate_start_announce_size(struct vstate_dev *dev, uint16_t qid, uint16_t size);
/** The front end set the guest physical addresses of a ring (SET_VRING_ADDR), as above. */
void vstate_start_announce_addr(struct vstate_dev *dev, uint16_t qid, uint64_t desc_addr,
		uint64_t driver_addr, uint64_t device_addr);

/**
 * Return whether the front end announced the addresses of a ring and has not taken it back. Front
 * ends announce all rings before they enable the first one. Any thread.
 */
bool vstate_start_ring_is_awaited(const struct vstate_dev *dev, uint16_t qid);
/** No ring is awaited any more: the driver reset the device. Control lock held. */
void vstate_start_await_none(struct vstate_dev *dev);

/** rte_vhost processed a message of the class; see struct vstate_class::message. */
void vstate_start_message(struct vstate_dev *dev, enum vstate_class_msg msg, uint64_t value);

/**
 * The front end finished set-up: apply it and start to serve the rings.
 * @return 0; -errno: a restored state does not fit, and the device sets NEEDS_RESET
 */
int vstate_start(struct vstate_dev *dev, const struct vstate_setup *setup);
/**
 * The front end took the rings back. The device keeps their positions.
 * @param leave  this side ends the connection: leave the positions for another process
 */
void vstate_start_end(struct vstate_dev *dev, bool leave);

/** Quiesce all queues until the next vstate_start_sync(). The wait has no bound. */
void vstate_start_pause(struct vstate_dev *dev);
/** Apply the new set-up of the front end to all rings, and serve them again. */
void vstate_start_sync(struct vstate_dev *dev, const struct vstate_setup *setup);

/**
 * This process owns the device from now on: apply the set-up to all rings, move them to where the
 * owner before it stopped, and serve them.
 * @param setup NULL: no ring changed, or no front end is connected
 */
void vstate_start_own(struct vstate_dev *dev, const struct vstate_setup *setup);

/** The front end stopped one ring. The other rings run. */
void vstate_start_ring_end(struct vstate_dev *dev, uint16_t qid);
/**
 * The front end set up one ring of a device that runs. The other rings run.
 * @return 0; -EAGAIN: all rings are needed at one instant, call vstate_start_sync()
 */
int vstate_start_ring(struct vstate_dev *dev, uint16_t qid, const struct vstate_ring_setup *ring);
/** The front end set the eventfd @p fd for calls; -1: no calls. */
void vstate_start_ring_call(struct vstate_dev *dev, uint16_t qid, int fd);
/** The front end set the eventfd @p fd for the driver's kicks; negative: the device polls. */
void vstate_start_ring_kick(struct vstate_dev *dev, uint16_t qid, int fd);

#endif /* VSTATE_START_H */

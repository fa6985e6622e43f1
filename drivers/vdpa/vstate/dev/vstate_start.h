/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_START_H
#define VSTATE_START_H

/**
 * @file
 * What a front end does to a device: it connects, sets up rings, starts, changes its mind, takes the
 * rings back and goes. Called by the thread that talks to the front end; each function takes the
 * control lock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_class.h"

struct vstate_dev;
struct vstate_ring_setup;
struct vstate_setup;

void vstate_start_connect(struct vstate_dev *dev);
/** @param leave as vstate_start_end() */
void vstate_start_disconnect(struct vstate_dev *dev, bool leave);

/** Features are negotiated (SET_FEATURES). @param status as vstate_setup::status_negotiated */
void vstate_start_negotiate(struct vstate_dev *dev, uint64_t features, bool status);
/** The front end said the size of a ring (SET_VRING_NUM), for the checks of a restore. */
void vstate_start_announce_size(struct vstate_dev *dev, uint16_t qid, uint16_t size);
/** The same of the guest physical addresses of its areas (SET_VRING_ADDR). */
void vstate_start_announce_addr(struct vstate_dev *dev, uint16_t qid, uint64_t desc_addr,
		uint64_t driver_addr, uint64_t device_addr);

/** A message that the class serves was processed; see struct vstate_class::message. */
void vstate_start_message(struct vstate_dev *dev, enum vstate_class_msg msg, uint64_t value);

/**
 * The front end finished set-up: process its rings.
 * @return 0; -errno: a restored state does not fit, and the device shows NEEDS_RESET
 */
int vstate_start(struct vstate_dev *dev, const struct vstate_setup *setup);
/**
 * The front end took the rings back; positions stay.
 * @param leave  this side ends the connection: the rings stay as they are for another process
 */
void vstate_start_end(struct vstate_dev *dev, bool leave);

/** Quiesce all queues until the next vstate_start_sync(); without a bound. */
void vstate_start_pause(struct vstate_dev *dev);
/** Take over what the front end says now, and process the rings again. */
void vstate_start_sync(struct vstate_dev *dev, const struct vstate_setup *setup);

/** A ring was taken away; the others run. */
void vstate_start_ring_end(struct vstate_dev *dev, uint16_t qid);
/**
 * A ring came while the device runs; the others run.
 * @return 0; -EAGAIN: more than this ring depends on it, call vstate_start_sync()
 */
int vstate_start_ring(struct vstate_dev *dev, uint16_t qid, const struct vstate_ring_setup *ring);
/** The front end wants to be called by @p fd from now on, or not at all (-1). */
void vstate_start_ring_call(struct vstate_dev *dev, uint16_t qid, int fd);

#endif /* VSTATE_START_H */

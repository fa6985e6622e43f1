/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FUZZ_QUEUE_H
#define FUZZ_QUEUE_H

/**
 * @file
 * One queue of a whole device, with the fuzzed driver of fuzz_driver.h: it is set up as a front end
 * does, and what the device writes during a turn is checked.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dev/vstate_setup.h"
#include "fuzz_driver.h"

struct rte_vhost_state;
struct vstate_dev;
struct vstate_vq;

struct fuzz_queue {
	struct vstate_dev *dev;
	struct vstate_vq *vq;
	uint16_t qid;
	struct vstate_setup setup;
	struct fuzz_driver d;
	struct fuzz_view view;
	/** The driver writes while the device works. */
	bool race;
};

/** What the class needs of a queue. */
struct fuzz_queue_conf {
	uint16_t qid;
	/** Features of the class. */
	uint64_t features;
	/** Of struct fuzz_driver. */
	uint16_t direction;
	uint8_t hdr_len;
};

/**
 * Draw layout, size, position and common features of a ring, make the guest's memory, and write
 * the set-up of the queue. Connects the front end and negotiates; the caller starts the device.
 * @param how  bits that say which layout, size and features
 * @return the base of the ring
 */
struct vstate_pos fuzz_queue_begin(struct fuzz_queue *q, struct fuzz_in *in, uint8_t how,
		const struct fuzz_queue_conf *conf);
/** Disconnect. No queue of the device is granted, and the device has stopped. */
void fuzz_queue_end(struct fuzz_queue *q);

/**
 * A turn of the device begins: note what the driver offers, and let it write from now on.
 * @param held  the device has a buffer that it dequeued before, and may write to it
 */
void fuzz_queue_turn_begin(struct fuzz_queue *q, struct fuzz_in *in, bool held);
/** The turn ended: the device has written, and logged, only what the driver offered. */
void fuzz_queue_turn_end(struct fuzz_queue *q);

/** Suspend the device by the API. @return false: refused */
bool fuzz_queue_suspend(struct fuzz_queue *q);
/** Capture the state of a suspended device, which must be valid. @return NULL: refused */
struct rte_vhost_state *fuzz_queue_capture(struct fuzz_queue *q);
void fuzz_queue_resume(struct fuzz_queue *q);

#endif /* FUZZ_QUEUE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RUN_H
#define VSTATE_RUN_H

/**
 * @file
 * Why a queue is not polled. The device and each queue have a word of block reasons. A queue runs
 * if both words are zero. Each bit is a reason with a name, which telemetry prints.
 *
 * The words are written with the control lock held. Any thread may read a word, but its bits may
 * change a moment later. Only the lease allows a poll thread to enter a queue.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vstate_dev;
struct vstate_vq;

/** Reasons that hold for all queues of a device: name and text. */
#define VSTATE_BLOCKS_OF_DEV(X) \
	X(NOT_CONNECTED, "no front end is connected") \
	X(NOT_STARTED, "the front end has not finished set-up, or took the rings back") \
	X(MESSAGE, "a message that remaps memory or rings is under way") \
	X(NO_DRIVER_OK, "the driver has not set DRIVER_OK") \
	X(SUSPENDED, "suspended on request") \
	X(RINGS_TAKEN, "suspended, as the front end took the rings back") \
	X(NO_POLLER, "no port is started, and no service polls") \
	X(NOT_OWNER, "another process owns the device")
/** Reasons of one queue. */
#define VSTATE_BLOCKS_OF_VQ(X) \
	X(NOT_READY, "the ring is not set up, or not enabled") \
	X(BROKEN, "the driver broke the queue") \
	X(INACTIVE, "the driver uses fewer queue pairs")
#define VSTATE_BLOCKS(X) VSTATE_BLOCKS_OF_DEV(X) VSTATE_BLOCKS_OF_VQ(X)

enum vstate_block_bit {
#define VSTATE_BLOCK_BIT_ENUM(name, text) VSTATE_BLOCK_BIT_##name,
	VSTATE_BLOCKS(VSTATE_BLOCK_BIT_ENUM)
#undef VSTATE_BLOCK_BIT_ENUM
	VSTATE_BLOCK_BIT_MAX
};

enum vstate_block {
#define VSTATE_BLOCK_ENUM(name, text) VSTATE_BLOCK_##name = 1 << VSTATE_BLOCK_BIT_##name,
	VSTATE_BLOCKS(VSTATE_BLOCK_ENUM)
#undef VSTATE_BLOCK_ENUM
};

/** The poller of the virtqueues. */
enum vstate_poller_kind {
	VSTATE_POLLER_NONE,
	VSTATE_POLLER_PORT,
	VSTATE_POLLER_SERVICE,
	/** A thread of the class, which sleeps until there is work. */
	VSTATE_POLLER_THREAD,
};

/** The run state of a device. */
struct vstate_run {
	/** Reasons of enum vstate_block that hold for all queues. */
	uint32_t blocks;
	/** The device status byte. DRIVER_OK and SUSPEND agree with @p blocks. */
	uint8_t status;
	/** One of enum vstate_poller_kind. */
	uint8_t poller;
};

/** Set the reasons of a new device, before another thread can use it. */
void vstate_run_init(struct vstate_dev *dev);

/** Add reasons for all queues. The caller revokes the leases. Control lock held. */
void vstate_run_block(struct vstate_dev *dev, uint32_t blocks);
/** Remove reasons for all queues. The caller calls vstate_grant() after it. Control lock held. */
void vstate_run_unblock(struct vstate_dev *dev, uint32_t blocks);
/** Add reasons for one queue. The caller revokes its lease. Control lock held. */
void vstate_run_vq_block(struct vstate_vq *vq, uint32_t blocks);
/** Remove reasons for one queue. The caller calls vstate_grant() after it. Control lock held. */
void vstate_run_vq_unblock(struct vstate_vq *vq, uint32_t blocks);

/** Return whether any of @p blocks holds for all queues. Any thread. */
bool vstate_run_is_blocked(const struct vstate_dev *dev, uint32_t blocks);
/** Return all reasons why a queue is not polled; 0 if the queue runs. Any thread. */
uint32_t vstate_run_vq_blocks(const struct vstate_dev *dev, const struct vstate_vq *vq);
/** Return whether the front end enabled the queue and its ring is mapped. Any thread. */
bool vstate_run_vq_is_ready(const struct vstate_vq *vq);

/** Return whether the front end finished set-up and has not taken the rings back. Any thread. */
bool vstate_run_is_started(const struct vstate_dev *dev);
/** Return the device status byte. Any thread. */
uint8_t vstate_run_status(const struct vstate_dev *dev);
/**
 * Set the device status byte, and the reasons that follow from DRIVER_OK and SUSPEND. The reason
 * RINGS_TAKEN lasts as long as SUSPEND is set. Control lock held.
 */
void vstate_run_status_set(struct vstate_dev *dev, uint8_t status);
/** Set the poller, and the reason NO_POLLER. The caller revokes the leases. Control lock held. */
void vstate_run_poller_set(struct vstate_dev *dev, enum vstate_poller_kind poller);

/** Return the name of a reason, as "no_driver_ok"; never NULL. */
const char *vstate_block_name(enum vstate_block_bit bit);
/** Return the meaning of a reason, for the log; never NULL. */
const char *vstate_block_text(enum vstate_block_bit bit);
/** Write the names of all reasons in @p blocks, as "message,no_poller"; "" if there is none. */
void vstate_blocks_format(uint32_t blocks, char *buf, size_t size);

#endif /* VSTATE_RUN_H */

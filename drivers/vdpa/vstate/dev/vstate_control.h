/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONTROL_H
#define VSTATE_CONTROL_H

/**
 * @file
 * The control lock of a device. Each operation that changes a device holds it, so operations run
 * one after the other. An operation runs on the thread of its caller, because waking another thread
 * would add microseconds to a stop. If a poll thread occupies the processor of that other thread,
 * it would add milliseconds.
 *
 * Each device has a lock of its own. An operation on one device that waits for a poll thread
 * does not delay another device.
 *
 * An operation never calls rte_vhost, whose locks its caller may hold.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct vstate_dev;

struct vstate_control {
	/** Guards the members below. It is held for a few instructions only. */
	pthread_mutex_t lock;
	pthread_cond_t released;
	bool held;
	/** Threads that wait for the control lock. */
	unsigned int waiting;
	/** The thread that holds the control lock. */
	pthread_t holder;
};

/** An operation. Returns 0 or -errno. */
typedef int (*vstate_control_fn)(struct vstate_dev *dev, void *arg);

/** Initialise the control lock of a new device. */
void vstate_control_init(struct vstate_dev *dev);
/** Destroy the control lock. No thread runs an operation or waits for the lock. */
void vstate_control_fini(struct vstate_dev *dev);

/**
 * Run @p fn with the control lock held. An operation may run another operation of the same device:
 * the lock is recursive. A thread that comes while others wait does not overtake them. Any thread,
 * except a poll thread that is inside a queue.
 * @return the return value of @p fn
 */
int vstate_control_run(vstate_control_fn fn, struct vstate_dev *dev, void *arg);

/** Let the class process events: struct vstate_class::event. Any thread that may wait. */
void vstate_control_event(struct vstate_dev *dev);

/**
 * Run @p fn as vstate_control_run() does, but wait for the control lock for at most @p ns.
 * Another operation may hold the lock while it waits for a poll thread.
 * @param ns nanoseconds; 0 runs @p fn only if the lock is free now
 * @return the return value of @p fn; -ETIME: the lock was not free in time, @p fn is not called
 */
int vstate_control_run_within(vstate_control_fn fn, struct vstate_dev *dev, void *arg, uint64_t ns);

#endif /* VSTATE_CONTROL_H */

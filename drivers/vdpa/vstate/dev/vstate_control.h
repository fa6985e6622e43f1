/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONTROL_H
#define VSTATE_CONTROL_H

/**
 * @file
 * The control lock of a device. All that changes a device runs under it, one operation after the
 * other, on the thread of its caller: waking another thread would add microseconds to a stop, and
 * milliseconds if a poll thread has that thread's processor.
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
	/** Guards the members below, and is held for a few instructions only. */
	pthread_mutex_t lock;
	pthread_cond_t released;
	bool held;
	/** The thread that holds the control lock. */
	pthread_t holder;
};

/** An operation. Returns 0 or -errno. */
typedef int (*vstate_control_fn)(struct vstate_dev *dev, void *arg);

void vstate_control_init(struct vstate_dev *dev);
/** Nobody runs an operation any more. */
void vstate_control_fini(struct vstate_dev *dev);

/**
 * Run @p fn with the control lock held. An operation that is run by another operation of the same
 * device runs at once.
 * @return what @p fn returned
 */
int vstate_control_run(vstate_control_fn fn, struct vstate_dev *dev, void *arg);

/**
 * The same, with a bound for the time until @p fn begins. Another operation may be waiting for a
 * poll thread.
 * @param ns nanoseconds; 0: only if the lock is free now
 * @return -ETIME: @p fn was not and will not be called
 */
int vstate_control_run_within(vstate_control_fn fn, struct vstate_dev *dev, void *arg, uint64_t ns);

#endif /* VSTATE_CONTROL_H */

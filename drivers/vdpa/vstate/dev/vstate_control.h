/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONTROL_H
#define VSTATE_CONTROL_H

/**
 * @file
 * The control thread: whatever changes a device runs on it, one request after the other, for
 * all devices of the process. It is no thread of its own but whoever has a request: to wake
 * another one would cost a stop microseconds, and milliseconds where that one finds a poll
 * thread on its processor. What is nobody's request, the look for broken queues, has a thread.
 *
 * A request never calls into rte_vhost, whose locks its caller may hold.
 */

#include <stdint.h>

struct vstate_dev;

/** A request. Returns 0 or -errno. */
typedef int (*vstate_control_fn)(struct vstate_dev *dev, void *arg);

/** Look for broken queues from the first device on; -errno. */
int vstate_watch_get(void);
/** ... until the last one has gone. */
void vstate_watch_put(void);

/**
 * Run @p fn as the control thread, once nobody else is. A request of a request runs at once.
 * @return what @p fn returned
 */
int vstate_control_run(vstate_control_fn fn, struct vstate_dev *dev, void *arg);
/**
 * The same for a caller who does not wait for ever for his turn: who has it may have to wait
 * for a poll thread of another device.
 * @return -ETIME: its turn did not come within @p ns; @p fn will not be called
 */
int vstate_control_run_within(vstate_control_fn fn, struct vstate_dev *dev, void *arg, uint64_t ns);

#endif /* VSTATE_CONTROL_H */

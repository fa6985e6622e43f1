/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CTRL_H
#define VSTATE_CTRL_H

/**
 * @file
 * The control thread: one for the process. Whatever changes a device runs on it, one
 * request after the other. It never calls into rte_vhost, whose locks the caller of a
 * request may hold.
 */

#include <stdint.h>

struct vstate_dev;

/** Work done by the control thread. Returns 0 or -errno. */
typedef int (*vstate_ctrl_fn)(struct vstate_dev *dev, void *arg);

/** Start the thread with the first device; -errno. */
int vstate_ctrl_get(void);
/** Stop it with the last one. */
void vstate_ctrl_put(void);

/**
 * Run @p fn on the control thread and wait for it. On the control thread itself it
 * runs at once.
 * @return what @p fn returned
 */
int vstate_ctrl_call(vstate_ctrl_fn fn, struct vstate_dev *dev, void *arg);
/**
 * The same for a caller who does not wait for ever for his turn: the thread may have to wait
 * for a poll thread of another device. What has begun is waited for; it has a bound of its own.
 * @return -ETIME: its turn did not come within @p ns; @p fn will not be called
 */
int vstate_ctrl_call_within(vstate_ctrl_fn fn, struct vstate_dev *dev, void *arg, uint64_t ns);

#endif /* VSTATE_CTRL_H */

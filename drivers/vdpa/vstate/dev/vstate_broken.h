/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BROKEN_H
#define VSTATE_BROKEN_H

/**
 * @file
 * Queues that a poll thread marked as broken (ring/vstate_fault.h). Each fault is logged once and
 * counted. The driver sees it as NEEDS_RESET. The next driver begins with queues that work.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_fault.h"

struct vstate_dev;

/** Log and count the queues that broke since the last call. Control lock held. */
void vstate_broken_report(struct vstate_dev *dev);
/** Mark all queues as broken for one reason, and report it. Control lock held. */
void vstate_broken_all(struct vstate_dev *dev, enum vstate_fault fault);
/** Return whether all queues are reported as broken. Control lock held. */
bool vstate_broken_is_reported(const struct vstate_dev *dev);
/**
 * Mark all queues as working, after a reset or for another guest. Faults not reported yet are
 * reported first. Control lock held, no poll thread inside.
 */
void vstate_broken_clear(struct vstate_dev *dev);

/** Return how many queues broke by @p fault since the last reset of statistics. Any thread. */
uint64_t vstate_broken_count(const struct vstate_dev *dev, unsigned int fault);
/** Set the counts to zero. Any thread that may call statistics functions. */
void vstate_broken_counts_reset(struct vstate_dev *dev);

#endif /* VSTATE_BROKEN_H */

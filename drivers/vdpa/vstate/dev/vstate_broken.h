/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BROKEN_H
#define VSTATE_BROKEN_H

/**
 * @file
 * Queues that a poll thread marked as broken (ring/vstate_fault.h): reported once, counted, shown to
 * the driver as NEEDS_RESET, and cleared for the next driver.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_fault.h"

struct vstate_dev;

/** Report queues that were broken since the last look. Control lock. */
void vstate_broken_report(struct vstate_dev *dev);
/** Break all queues for one reason, and report it. Control lock. */
void vstate_broken_all(struct vstate_dev *dev, enum vstate_fault fault);
/** All queues are reported as broken. Control lock. */
bool vstate_broken_is_reported(const struct vstate_dev *dev);
/** A reset, or another guest: no queue is broken any more. What is so now is counted. Control lock,
 * no poll thread inside.
 */
void vstate_broken_clear(struct vstate_dev *dev);

/** Queues broken for reason @p fault since the last reset of statistics. Any thread. */
uint64_t vstate_broken_count(const struct vstate_dev *dev, unsigned int fault);
/** Let the counts begin at zero. Any thread that may call statistics functions. */
void vstate_broken_counts_reset(struct vstate_dev *dev);

#endif /* VSTATE_BROKEN_H */

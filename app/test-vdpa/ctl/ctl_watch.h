/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CTL_WATCH_H
#define CTL_WATCH_H

/** @file Events as they happen, and on a terminal the devices with their rates. */

#include <stdbool.h>

struct ctl_link;

/**
 * Show events until a stop is requested or the time is over.
 * @param json each event as a line of JSON
 * @param seconds 0: no end
 * @return 0; -EINTR: a stop was requested; another -errno, reported
 */
int ctl_watch(struct ctl_link *link, bool json, double seconds);

#endif /* CTL_WATCH_H */

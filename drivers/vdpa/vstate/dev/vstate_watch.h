/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_WATCH_H
#define VSTATE_WATCH_H

/**
 * @file
 * The watch thread; a process has one. It reports queues that poll threads found broken, and
 * continues transfers of device state to a slow peer. It skips a device whose control lock is held.
 */

/** Take a reference to the watch thread. The first one starts it. @return 0 or -errno */
int vstate_watch_get(void);
/** Drop a reference of vstate_watch_get(). The last one ends the thread. */
void vstate_watch_put(void);

#endif /* VSTATE_WATCH_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_WATCH_H
#define VSTATE_WATCH_H

/**
 * @file
 * The watch thread, one in a process: it looks for queues that poll threads found broken, and moves
 * a device state that is on its way to a slow peer. It skips a device whose control lock is held.
 */

/** Start the watch thread with the first device; 0 or -errno. */
int vstate_watch_get(void);
/** Undo one vstate_watch_get(); the thread ends with the last one. */
void vstate_watch_put(void);

#endif /* VSTATE_WATCH_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_THREAD_H
#define VSTATE_CONSOLE_THREAD_H

/**
 * @file
 * The one thread of a process that serves all its consoles. It sleeps until a driver kicks or a
 * host's side moves. A turn of a console waits for nothing and is bounded, so that no console keeps
 * another one waiting.
 */

struct vstate_dev;

/**
 * Make the host's sides and let the thread serve the console, as its poller.
 * @return 0 or -errno, with the reason in the log
 */
int vstate_console_thread_serve(struct vstate_dev *dev);
/** Undo it. At return the thread does not use the console. */
void vstate_console_thread_end(struct vstate_dev *dev);

#endif /* VSTATE_CONSOLE_THREAD_H */

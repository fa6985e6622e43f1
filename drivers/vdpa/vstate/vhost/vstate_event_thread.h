/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_EVENT_THREAD_H
#define VSTATE_EVENT_THREAD_H

/**
 * @file
 * rte_vhost's event thread, kept alive until the process ends.
 *
 * rte_vhost creates the thread when it starts its first socket. Since 24.11.6, 25.11.2 and 26.03
 * it also ends the thread with its last socket, and then waits for it with epoll_wait()'s timeout
 * of one second. A device that is handed over to another process would keep its guest waiting that
 * long, and an application that unplugs its last device would wait, too. A socket that stays
 * registered avoids both the end and the next start of the thread.
 */

/**
 * Start the event thread if necessary, and keep it. Thread-safe. It cannot fail: without the thread
 * all operations work, only later.
 */
void vstate_event_thread_keep(void);

#endif /* VSTATE_EVENT_THREAD_H */

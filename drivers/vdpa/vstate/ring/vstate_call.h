/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CALL_H
#define VSTATE_CALL_H

/**
 * @file
 * Calls: the eventfd by which the device interrupts the driver.
 *
 * The device makes the eventfd non-blocking. But the front end has the same open file, and can undo
 * that and fill the counter. Then a write blocks until the front end reads, and Linux has no
 * non-blocking write to an eventfd for one call only. So the watch thread looks whether a thread
 * stays inside a write, and frees it: it reads the counter. The queue is broken then, and makes no
 * more calls on that connection.
 */

#include <stdbool.h>

struct vstate_vq;

/** Call the driver. By the holder of the lease, or of the control lock. */
void vstate_call_send(struct vstate_vq *vq);

/**
 * Call by a duplicate of @p fd, which is non-blocking, from now on; by none if -1. Control lock
 * held, no poll thread inside.
 */
void vstate_call_fd_set(struct vstate_vq *vq, int fd);

/**
 * Free a thread that has been inside a write since the last look, if the eventfd is full, and break
 * the queue. By the watch thread, at regular intervals. Needs no lock and waits for nothing: the
 * holder of the control lock may be the thread that is blocked, or may wait for it.
 * @return true: the call had blocked
 */
bool vstate_call_unblock(struct vstate_vq *vq);

/** Another front end: make calls again. Control lock held, no poll thread inside. */
void vstate_call_allow(struct vstate_vq *vq);

#endif /* VSTATE_CALL_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_TAKEOVER_H
#define VSTATE_TAKEOVER_H

/**
 * @file
 * One process hands a device over to another. The process that holds the lock of the state file
 * (vstate_state_file.h) owns the device, and only the owner serves its queues. The owner listens at
 * NAME.handover in state_dir=.
 *
 *	new process                              owner
 *	makes its device without socket
 *	its poll threads poll
 *	ASK                              --->    processes no more messages of the front end
 *	                                 <---    OFFER: messages, connection, socket
 *	sets the device up: maps memory
 *	and rings, runs no queue
 *	READY                            --->    quiesces the queues, unlocks the file
 *	                                 <---    GO
 *	locks the file; the queues resume
 *	where the file says
 *	RUNNING                          --->    forgets the connection, closes its device
 *
 * The queues rest from READY to RUNNING alone. Until the owner has heard RUNNING, it can take the
 * device back: if the new process refuses, dies or is silent, the owner serves the queues again
 * when it has locked the file. If the owner dies, the new process has the connection already, and
 * the kernel releases the lock. So the front end keeps its connection unless both processes die.
 * Nothing here is on the path of a packet.
 */

struct vstate_dev;

/**
 * Check that the process that owns the state file can be asked for the device later.
 * @return 0; -EPROTO: the file is of another version or device; or another -errno
 */
int vstate_takeover_prepare(struct vstate_dev *dev);
/**
 * Open the socket of a complete device. With takeover=1 and another owner, a thread opens it later,
 * when the owner has handed the device over. From then on another process may ask for the device.
 * @return 0 or -errno
 */
int vstate_takeover_open(struct vstate_dev *dev);
/** Withdraw a request and serve no more requests. The thread has ended at return. */
void vstate_takeover_end(struct vstate_dev *dev);
/**
 * The device closes: end a wait for the other process in which nothing has been handed over yet.
 * The requests of later processes are served. Any thread; does not wait.
 */
void vstate_takeover_interrupt(struct vstate_dev *dev);
/** Free the takeover, after vstate_takeover_end(). The device is not published any more. */
void vstate_takeover_free(struct vstate_dev *dev);
/**
 * Release the device for a process that starts later. Does not wait for the release.
 * @return 0; -EALREADY: a release is under way; -ENOTSUP: no state file
 */
int vstate_takeover_ask(struct vstate_dev *dev);
/** Return the phase: "" (owner), "waiting", "failed" or "released". Any thread. */
const char *vstate_takeover_phase(const struct vstate_dev *dev);

#endif /* VSTATE_TAKEOVER_H */

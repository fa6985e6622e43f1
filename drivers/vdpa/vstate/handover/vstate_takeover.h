/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_TAKEOVER_H
#define VSTATE_TAKEOVER_H

/**
 * @file
 * One process hands a device over to another, through the state file (vstate_state_file.h).
 *
 *	new process                              owner of the state file
 *	makes its device without socket
 *	its poll threads poll
 *	request = its token, wake        --->    quiesces the queues, within a bound
 *	                                         request = granted, if it is still that token
 *	                                         closes the socket; state and positions stay
 *	                                 <---    unlocks the file, answer = released, wake;
 *	                                         passes the connection, or hangs up
 *	locks the file, reads it
 *	opens the socket, with the connection if it
 *	was passed; the rings resume by the file
 *
 * If the owner refuses or does not answer, the new process reports an error and nothing changes in
 * the owner. A granted request cannot be withdrawn: the new process waits until the file is free.
 * If the owner dies in between, the kernel releases its lock. The new process then continues as
 * after a crash. Nothing here is on the path of a packet.
 */

struct vstate_dev;

/**
 * Open the state file that another process owns, to ask that process later.
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
/** Free the takeover, after vstate_takeover_end(). The device is not published any more. */
void vstate_takeover_free(struct vstate_dev *dev);
/**
 * Release the device as if another process had asked. Does not wait for the release.
 * @return 0; -EALREADY: another request is served; -ENOTSUP: no state file
 */
int vstate_takeover_ask(struct vstate_dev *dev);
/** Return the phase: "" (owner), "waiting", "failed" or "released". Any thread. */
const char *vstate_takeover_phase(const struct vstate_dev *dev);

#endif /* VSTATE_TAKEOVER_H */

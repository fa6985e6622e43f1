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
 *	makes all but the socket (takeover=1)
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
 * A refusal or no answer is an error in the new process, and changes nothing in the owner. Once the
 * request is granted there is no way back: the new process waits until the file is free. If the
 * owner dies in between, the kernel releases its lock, and the new process continues as after any
 * crash. Nothing here is on a packet's path.
 */

struct vstate_dev;

/** Another process owns the state file: look whom to ask. -EPROTO: its file is of another kind. */
int vstate_takeover_prepare(struct vstate_dev *dev);
/**
 * All but the socket is made: open the socket, now or when the owner has handed the device over. From
 * then on another process may ask for the device. 0 or -errno.
 */
int vstate_takeover_open(struct vstate_dev *dev);
/** Ask nobody and serve no request any more; the thread has ended at return. */
void vstate_takeover_end(struct vstate_dev *dev);
/** Free it, after vstate_takeover_end(), and when nobody finds the device any more. */
void vstate_takeover_free(struct vstate_dev *dev);
/**
 * Release the device as if another process had asked. Returns at once.
 * @return 0; -EALREADY: another request is served; -ENOTSUP: no state file
 */
int vstate_takeover_ask(struct vstate_dev *dev);
/** "", "waiting", "failed" or "released". Any thread. */
const char *vstate_takeover_phase(const struct vstate_dev *dev);

#endif /* VSTATE_TAKEOVER_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_TAKEOVER_H
#define VSTATE_TAKEOVER_H

/**
 * @file
 * One process hands a device over to another, through the state page (vstate_state_file.h).
 *
 *	new process                              owner of the page
 *	makes all but the socket (takeover=1)
 *	its poll threads poll
 *	request = its token, wake        --->    stops the queues, within a bound
 *	                                         request = granted, if it is still that token
 *	                                         closes the socket; state and records stay
 *	                                 <---    unlocks the page, answer = released, wake;
 *	                                         the front end sees the end of the connection
 *	locks the page, reads it
 *	opens the socket; the front end comes,
 *	and its rings meet the page
 *
 * A refusal or no answer is an error in the new process, and changes nothing in the owner. Once
 * granted there is no way back: the new process waits until the page is free.
 * Where the owner dies meanwhile, the kernel gives up its lock, and the new process goes on
 * as after any crash. Nothing here is on the way of a packet.
 */

struct vstate_dev;

/** The page is locked: remember whom to ask. -EPROTO: the owner's page is not of our kind. */
int vstate_takeover_prepare(struct vstate_dev *dev);
/** All is made: open the socket, now or when the owner let go of it, and be ready to be asked. */
int vstate_takeover_open(struct vstate_dev *dev);
/** Ask no one and be asked by no one any more. */
void vstate_takeover_end(struct vstate_dev *dev);
/** After that, and when nobody finds the device any more. */
void vstate_takeover_free(struct vstate_dev *dev);
/** Let go of the device as if another process had asked. Returns at once; -ENOTSUP without page. */
int vstate_takeover_ask(struct vstate_dev *dev);
/** "", "waiting", "failed" or "released". */
const char *vstate_takeover_phase(const struct vstate_dev *dev);

#endif /* VSTATE_TAKEOVER_H */

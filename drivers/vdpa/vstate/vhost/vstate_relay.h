/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RELAY_H
#define VSTATE_RELAY_H

/**
 * @file
 * A connection that another process has accepted or made, for rte_vhost, which knows only those
 * that it has made itself: it gets one of ours, hears on it what the front end had said before, and
 * from then on what it says, message by message. The front end sees nothing of all that.
 *
 *	front end  <--- front --->  relay  <--- back --->  rte_vhost's own socket
 *
 * Only messages go this way: rings, memory and eventfds are shared with the front end itself.
 */

#include <stdbool.h>

struct vstate_relay;
struct vstate_handover_msg;

/**
 * Say what was packed to rte_vhost, at the other end of @p back. All of it is processed at return.
 * @p back belongs to the relay, and the parcel is empty, whatever is returned.
 * @return NULL with rte_errno: the connections are closed
 */
struct vstate_relay *vstate_relay_begin(int back, struct vstate_handover_msg *parcel);

/**
 * Pass messages on from now on, by a thread. Whoever may stop it does not run at the same time.
 * @param ended called by it when either side hung up, and both connections are closed; not
 *   after vstate_relay_stop()
 * @return 0 or -errno
 */
int vstate_relay_run(struct vstate_relay *r, void (*ended)(void *arg), void *arg);

/** The thread is to come to its end: @p ended looks at this while it waits for something. */
bool vstate_relay_stopping(const struct vstate_relay *r);

/** A descriptor of the front end's connection, for the caller; -1: there is none any more. */
int vstate_relay_hold(struct vstate_relay *r);

/**
 * Read no more from the front end, and wait for a bounded time until rte_vhost has read what was,
 * and the front end has its answers.
 * @return true: but for the answer to the last message, nothing is on its way; else rte_vhost's
 *   thread may wait for the relay, which vstate_relay_cut() ends
 */
bool vstate_relay_stop(struct vstate_relay *r);

/** Hang up on rte_vhost. */
void vstate_relay_cut(struct vstate_relay *r);

/**
 * The end of it, after rte_vhost closed its side. NULL is ignored.
 * @return true if the front end has all answers, and another process can go on
 */
bool vstate_relay_free(struct vstate_relay *r);

#endif /* VSTATE_RELAY_H */

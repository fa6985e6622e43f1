/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RELAY_H
#define VSTATE_RELAY_H

/**
 * @file
 * A relay carries a front end's connection that another process accepted or made. rte_vhost only
 * serves connections that it made itself. So it gets a new connection, and the relay replays the
 * message log on it. From then on the relay passes whole messages and answers on. The front end
 * does not see any of this.
 *
 *	front end  <--- front --->  relay  <--- back --->  rte_vhost's own socket
 *
 * The relay carries messages only. Rings, memory and eventfds are shared with the front end itself.
 */

#include <stdbool.h>

struct vstate_relay;
struct vstate_handover_msg;

/**
 * Replay a packed message log to rte_vhost, which has the other end of @p back. rte_vhost has
 * processed all of it when this returns.
 * @param back belongs to the relay, also on failure
 * @param from packed log and connection of the front end; it is empty afterwards, also on failure
 * @return NULL with rte_errno: both connections are closed
 */
struct vstate_relay *vstate_relay_begin(int back, struct vstate_handover_msg *from);

/**
 * Start the thread that passes messages on. It must not run at the same time as
 * vstate_relay_stop() or vstate_relay_free().
 * @param ended the thread calls it once when one side hung up and both connections are closed;
 *   it is not called after vstate_relay_stop()
 * @return 0 or -errno
 */
int vstate_relay_run(struct vstate_relay *r, void (*ended)(void *arg), void *arg);

/** Whether the thread must end. @p ended checks this while it waits. Any thread. */
bool vstate_relay_stopping(const struct vstate_relay *r);

/**
 * Duplicate the descriptor of the front end's connection. Any thread.
 * @return a descriptor that belongs to the caller; -1: the connection is closed
 */
int vstate_relay_hold(struct vstate_relay *r);

/**
 * Stop the thread. The relay reads no more from the front end. It waits for a bounded time until
 * rte_vhost has read all messages and the front end has their answers.
 * @return true: at most the answer to the last message is missing; false: rte_vhost's thread may
 *   wait for the relay, and vstate_relay_cut() ends that wait
 */
bool vstate_relay_stop(struct vstate_relay *r);

/** Hang up on rte_vhost. Any thread. */
void vstate_relay_cut(struct vstate_relay *r);

/**
 * Free the relay, after rte_vhost closed its side. NULL is ignored.
 * @return true if the front end has all answers, so that another process can take its connection
 */
bool vstate_relay_free(struct vstate_relay *r);

#endif /* VSTATE_RELAY_H */

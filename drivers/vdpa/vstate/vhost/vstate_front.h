/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FRONT_H
#define VSTATE_FRONT_H

/**
 * @file
 * One front end: its connection, the message that comes, the answer that goes, and rte_vhost
 * behind. No function waits for the front end. One thread at a time uses a value.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_back.h"
#include "vstate_msg_stream.h"

struct vstate_dev;
struct vstate_handover_item;
struct vstate_handover_msg;

struct vstate_front {
	struct vstate_dev *dev;
	/** -1: no front end. */
	int fd;
	/** Readable when a wait for rte_vhost must end. */
	int cancel;
	/** The message that is coming, or that waits; and the answer that is going. */
	struct vstate_msg_stream in, out;
	bool answering;
	/** CHECK_DEVICE_STATE waits for bytes of the state. */
	bool waiting;
	/** Postcopy: the front end has to acknowledge the addresses of its memory table. */
	bool table_unacked;
	struct vstate_back back;
};

/** No front end yet. @param cancel as in struct vstate_front */
void vstate_front_init(struct vstate_front *f, struct vstate_dev *dev, int cancel);

/**
 * Begin to serve a connection.
 * @param fd belongs to @p f, also on failure
 * @return 0; or -errno: the connection is closed
 */
int vstate_front_begin(struct vstate_front *f, int fd);
/**
 * The connection ends: stop the device, disconnect from rte_vhost, close the connection.
 * @param hang_up end the connection also for another process that has a copy of its descriptor
 */
void vstate_front_end(struct vstate_front *f, bool hang_up);

/** Return the events of poll() for the connection; 0: nothing can be read or written now. */
short vstate_front_events(const struct vstate_front *f);
/** Return the milliseconds after which to call vstate_front_serve() without an event; -1: none. */
int vstate_front_timeout(const struct vstate_front *f);
/**
 * Process at most one message, as far as that is possible without waiting.
 * @return 0; -EPIPE: the front end hung up; -ECANCELED; -EREMOTEIO: a message was refused that has
 *   no answer; or another -errno: the connection must end
 */
int vstate_front_serve(struct vstate_front *f);

/**
 * Add to a handover message what another process needs to serve the connection.
 * @return 0; -ENOTCONN: the device does not run, or a message is incomplete: another process could
 *   not continue; or an error of vstate_handover_msg_add()
 */
int vstate_front_offer(struct vstate_front *f, struct vstate_handover_msg *msg);
/**
 * Process a message, or take the begin of one, that another process has read.
 * @return 0; -EREMOTEIO: the message was refused; or another -errno
 */
int vstate_front_replay(struct vstate_front *f, struct vstate_handover_item *item);

#endif /* VSTATE_FRONT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONNECTION_H
#define VSTATE_CONNECTION_H

/**
 * @file
 * What both front ends share: a device meets a vhost-user connection. These run on
 * rte_vhost's threads, and are the only part of the driver that calls rte_vhost.
 */

#include <stdint.h>

#include <rte_bitops.h>

#include "dev/vstate_dev.h"
#include "handover/vstate_handover_msg.h"

/** A connection, by rte_vhost's name for it, belongs to @p dev from now on. */
int vstate_connection_attach(int vid, struct vstate_dev *dev);
/**
 * The same for one that begins to negotiate, whether or not the end of the old connection was
 * seen: it may have messages queued still, or hang. The new front end takes its place.
 */
int vstate_connection_replace(int vid, struct vstate_dev *dev);
/**
 * The same for a new connection of a socket. A front end that reconnects may be seen before
 * the end of its old connection; it waits until that is seen, or until it speaks.
 */
int vstate_connection_await(int vid, struct vstate_dev *dev);
/**
 * The connection that waits has something to say, while the old one is not seen to end: it
 * may have messages queued still. The new front end takes its place; NULL if none waits.
 */
struct vstate_dev *vstate_connection_take_over(int vid);
/** The connection ended, whether it was attached or waited. */
void vstate_connection_detach(int vid, struct vstate_dev *dev);
/** The device of a connection, or NULL. */
struct vstate_dev *vstate_connection_dev(int vid);

/** rte_vhost's events: ready to process rings; rings taken back; a ring came or went. */
int vstate_connection_start(int vid);
void vstate_connection_stop(int vid);
int vstate_connection_ring_state(int vid, uint16_t qid, bool ready);

/** vhost-user protocol feature: the state through a file descriptor. */
#define VSTATE_PROTOCOL_F_DEVICE_STATE RTE_BIT64(19)
/** In-flight regions; rte_vhost would keep its own, and is not to hear of it. */
#define VSTATE_PROTOCOL_F_INFLIGHT RTE_BIT64(12)
/** Features that rte_vhost does not know, and this device serves. */
#define VSTATE_OWN_FEATURES RTE_BIT64(RTE_VHOST_STATE_F_SUSPEND)
/** Features negotiated, those included that rte_vhost does not know. */
uint64_t vstate_connection_features(const struct vstate_dev *dev, int vid);

bool vstate_connection_is_packed(const struct vstate_dev *dev, int vid);

/**
 * A message begins. @p qid: the queue that it brings a kick or (@p is_call) call descriptor for,
 * or -1.
 */
void vstate_connection_fd_message(struct vstate_dev *dev, int qid, bool is_call);
/** Take over what the front end says now. */
void vstate_connection_sync(struct vstate_dev *dev);

/** Make ready what takes time, before another process is asked for its socket. */
void vstate_socket_prepare(struct vstate_dev *dev);
/** Undo that, once the socket is open or never will be. */
void vstate_socket_prepare_end(struct vstate_dev *dev);
/** A socket of the device's own. -ESHUTDOWN after vstate_socket_close(). Any thread. */
int vstate_socket_open(struct vstate_dev *dev);
/**
 * The same, and take the front end's connection out of @p parcel, or let it come anew where that
 * cannot be. The parcel is empty afterwards.
 */
int vstate_socket_adopt(struct vstate_dev *dev, struct vstate_handover_msg *parcel);
/** Close it for good, open or not; the guest sees its device disappear. Any thread. */
void vstate_socket_close(struct vstate_dev *dev);

/** Connections of a device that are open. */
struct vstate_hold {
	unsigned int nb;
	/** More than one: it is not known which of them rte_vhost listens to. */
	int fds[8];
	/** The session that was on, see vstate_msg_log_number(). */
	unsigned int session;
};

/**
 * Hold the connection, to pass it on, or to hang up when it was closed: rte_vhost's thread holds
 * it, too, while it waits for messages, for up to a second, and so long the front end would see
 * no end of it.
 */
void vstate_socket_hold(struct vstate_dev *dev, struct vstate_hold *hold);
void vstate_socket_hang_up(struct vstate_hold *hold);
/**
 * As vstate_socket_close(), where another process gets what the front end has said: in
 * @p parcel, which has the connection, too, but belongs to @p hold still. It is empty where that
 * process cannot go on with it.
 */
void vstate_socket_pack(struct vstate_dev *dev, const struct vstate_hold *hold,
		struct vstate_handover_msg *parcel);

#endif /* VSTATE_CONNECTION_H */

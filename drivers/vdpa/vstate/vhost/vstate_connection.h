/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONNECTION_H
#define VSTATE_CONNECTION_H

/**
 * @file
 * A device and its vhost-user connection, for both front ends: a socket of its own, and rte_vdpa.
 * Unless noted, the functions run on rte_vhost's thread, which has one message at a time. No other
 * room calls rte_vhost.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include <rte_bitops.h>

#include "dev/vstate_limits.h"
#include "rte_vhost_state.h"
#include "vstate_msg_refused.h"

struct rte_tel_data;
struct rte_vdpa_device;
struct rte_vhost_user_extern_ops;
struct vstate_dev;
struct vstate_device_state;
struct vstate_msg_log;
struct vstate_relay;

/** vhost-user protocol feature: the state through a file descriptor. */
#define VSTATE_PROTOCOL_F_DEVICE_STATE RTE_BIT64(19)
/** In-flight regions; rte_vhost would keep its own, and does not hear of it. */
#define VSTATE_PROTOCOL_F_INFLIGHT RTE_BIT64(12)
/** Features that rte_vhost does not know, and this device serves. */
#define VSTATE_OWN_FEATURES RTE_BIT64(RTE_VHOST_STATE_F_SUSPEND)

/** The socket of net_vstate; vstate_socket.c. */
struct vstate_socket {
	/** Guards the two below: the takeover thread opens and closes, and so does the port. */
	pthread_mutex_t lock;
	/** It is open; it was closed for good. */
	bool open, shut;
	/** A socket nobody uses is registered, for rte_vhost's threads; see vstate_socket_prepare(). */
	bool ahead;
	/** What rte_vhost has registered: iface=, or front_path while it hears all from a relay. */
	const char *path;
	char front_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** Of a connection that was taken over from another process, open or not; or NULL. */
	struct vstate_relay *relay;
};

/** The part of this room in a device. */
struct vstate_connection {
	/** What sees messages before and after rte_vhost; vstate_msg_handle.c. */
	const struct rte_vhost_user_extern_ops *msg_ops;
	/** rte_vhost's number of the connection; -1: none. */
	int vid;
	/** A second connection that waits for the end of the first; -1: none. */
	int waiting_vid;
	/** VIRTIO_F_SUSPEND is negotiated, of which rte_vhost knows nothing. */
	bool suspend_negotiated;
	/** The same of the protocol feature INFLIGHT_SHMFD. */
	bool inflight_negotiated;
	/** Rings that rte_vhost calls ready. */
	bool ring_ready[VSTATE_MAX_VQS];
	/** The front end said a base, or a call descriptor, since the device took one over. */
	bool base_fresh[VSTATE_MAX_VQS];
	bool callfd_fresh[VSTATE_MAX_VQS];
	/** Bases of split rings as the front end said them. */
	uint16_t base_said[VSTATE_MAX_VQS];
	/** The queue whose descriptor is replaced by the message being processed; -1: none. */
	int fd_qid;
	/** rte_vhost has called that queue stopped for it, and not ready again yet. */
	bool fd_taken;
	/** This side ends the connection: the rings stay as they are. Any thread. */
	bool leave;
	/** A memory table came; without one rte_vhost must not be asked for it. */
	bool has_memory;
	/** The front end took memory away; see vstate_mem_watch.c. Set by any thread. */
	uint32_t memory_lost;
	/** What the front end said, for the process that takes over; NULL without state_dir=. */
	struct vstate_msg_log *msg_log;
	/** The state on its way through a descriptor, or NULL, and the lock for its bytes. */
	struct vstate_device_state *device_state;
	pthread_mutex_t device_state_lock;
	/** States that went through one. */
	struct {
		uint64_t saved, saved_bytes, loaded, loaded_bytes, refused;
	} moved;
	/** Messages refused, by reason. */
	struct vstate_msg_refused refused;
	/** Behind rte_vdpa: its name for the device; else NULL. */
	struct rte_vdpa_device *vdpa;
	struct vstate_socket socket;
};

/** Make the part of a device that is being made; 0 or -ENOMEM. */
int vstate_connection_create(struct vstate_dev *dev,
		const struct rte_vhost_user_extern_ops *msg_ops);
/** Free it; no front end can come any more. */
void vstate_connection_destroy(struct vstate_dev *dev);

/** A connection, by rte_vhost's number, belongs to @p dev from now on. 0 or -errno. */
int vstate_connection_attach(int vid, struct vstate_dev *dev);
/**
 * The same for one that begins to negotiate, whether or not the end of the old connection was
 * seen: that may have messages queued still, or hang. The new front end takes its place.
 */
int vstate_connection_replace(int vid, struct vstate_dev *dev);
/**
 * The same for a new connection of a socket. A front end that reconnects may be seen before the
 * end of its old connection; it waits until that is seen, or until it speaks.
 */
int vstate_connection_await(int vid, struct vstate_dev *dev);
/**
 * The connection that waits says something, and the old one is not seen to end. The new front end
 * takes its place. @return its device; NULL if none waits
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

/** Add the counts of states and of refused messages to /vstate/dev. Any thread. */
void vstate_connection_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_CONNECTION_H */

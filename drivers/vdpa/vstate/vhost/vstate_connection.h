/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONNECTION_H
#define VSTATE_CONNECTION_H

/**
 * @file
 * The vhost-user connection of a device, for both front doors: a socket of its own, and rte_vdpa.
 * Unless noted, the functions run on rte_vhost's thread, which processes one message at a time. No
 * directory but vhost/ calls rte_vhost.
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

/** vhost-user protocol feature DEVICE_STATE: state through a file descriptor. */
#define VSTATE_PROTOCOL_F_DEVICE_STATE RTE_BIT64(19)
/** vhost-user protocol feature INFLIGHT_SHMFD: served here and hidden from rte_vhost. */
#define VSTATE_PROTOCOL_F_INFLIGHT RTE_BIT64(12)
/** Feature bits that this device serves and rte_vhost does not know. */
#define VSTATE_OWN_FEATURES RTE_BIT64(RTE_VHOST_STATE_F_SUSPEND)

/** The socket of net_vstate. Owner: vstate_socket.c. */
struct vstate_socket {
	/** Guards open and close: the takeover thread and the port may both do so. */
	pthread_mutex_t lock;
	/** The socket is open; the socket was closed and is never opened again. */
	bool open, shut;
	/** A client that never connects is registered; see socket_prepare(). */
	bool ahead;
	/** Path registered with rte_vhost: iface=, or front_path while a relay is its peer. */
	const char *path;
	char front_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** Relay of a connection that was taken over from another process, or NULL. */
	struct vstate_relay *relay;
};

/** The part of a device that belongs to vhost/. */
struct vstate_connection {
	/** Handlers of messages before and after rte_vhost; vstate_msg_handle.c. */
	const struct rte_vhost_user_extern_ops *msg_ops;
	/** rte_vhost's number of the connection; -1: none. */
	int vid;
	/** A second connection that waits for the end of the first; -1: none. */
	int waiting_vid;
	/** VIRTIO_F_SUSPEND is negotiated. rte_vhost does not know this feature. */
	bool suspend_negotiated;
	/** The protocol feature INFLIGHT_SHMFD is negotiated. rte_vhost does not know of it. */
	bool inflight_negotiated;
	/** Rings that rte_vhost reported as ready. */
	bool ring_ready[VSTATE_MAX_VQS];
	/** The front end set a base, or a call descriptor, that the device has not applied yet. */
	bool base_fresh[VSTATE_MAX_VQS];
	bool callfd_fresh[VSTATE_MAX_VQS];
	/** Bases of split rings as the front end set them. */
	uint16_t base_said[VSTATE_MAX_VQS];
	/** Queue whose descriptor the current message replaces; -1: none. */
	int fd_qid;
	/** rte_vhost reported that queue as stopped, and has not reported it as ready again. */
	bool fd_taken;
	/** This side ends the connection, and leaves the rings to another process. Any thread. */
	bool leave;
	/** A memory table came; without one rte_vhost must not be asked for it. */
	bool has_memory;
	/** The front end took memory away; see vstate_mem_watch.c. Set by any thread. */
	uint32_t memory_lost;
	/** Messages of the front end, for a process that takes over; NULL without state_dir=. */
	struct vstate_msg_log *msg_log;
	/** Transfer of device state that is under way, or NULL; and the lock for its data. */
	struct vstate_device_state *device_state;
	pthread_mutex_t device_state_lock;
	/** Counts of transfers of device state, and their bytes. */
	struct {
		uint64_t saved, saved_bytes, loaded, loaded_bytes, refused;
	} moved;
	/** Messages refused, by reason. */
	struct vstate_msg_refused refused;
	/** The device in rte_vdpa; NULL with a socket of its own. */
	struct rte_vdpa_device *vdpa;
	/** Behind rte_vdpa: dev_conf() started the device, and dev_close() did not follow. */
	bool vdpa_started;
	struct vstate_socket socket;
};

/** Allocate the part of a new device. @return 0 or -ENOMEM */
int vstate_connection_create(struct vstate_dev *dev,
		const struct rte_vhost_user_extern_ops *msg_ops);
/** Free the part. No front end can connect any more. */
void vstate_connection_destroy(struct vstate_dev *dev);

/** Attach connection @p vid to @p dev. @return 0; -EBUSY: another one is attached; -EINVAL */
int vstate_connection_attach(int vid, struct vstate_dev *dev);
/**
 * Attach a connection that begins to negotiate, in place of the old one. The old connection may
 * have messages queued, or its front end may hang.
 * @return as vstate_connection_attach()
 */
int vstate_connection_replace(int vid, struct vstate_dev *dev);
/**
 * Attach a new connection of a socket. rte_vhost may report it before it reports the end of the
 * old one. The new connection then waits for the end of the old one or for its own first message.
 * @return as vstate_connection_attach()
 */
int vstate_connection_await(int vid, struct vstate_dev *dev);
/**
 * The connection that waits sent a message before the old one ended: replace the old one.
 * @return the device; NULL if this connection does not wait
 */
struct vstate_dev *vstate_connection_take_over(int vid);
/** The connection ended, whether it was attached or waited. */
void vstate_connection_detach(int vid, struct vstate_dev *dev);
/** Return the device that a connection is attached to, or NULL. */
struct vstate_dev *vstate_connection_dev(int vid);

/** rte_vhost finished set-up: start the device. @return 0; -1: no device or no memory */
int vstate_connection_start(int vid);
/** rte_vhost is about to stop the device: the front end took the rings back. */
void vstate_connection_stop(int vid);
/** rte_vhost reports that a ring is ready or stopped. @return 0 */
int vstate_connection_ring_state(int vid, uint16_t qid, bool ready);

/** Return the negotiated features, including those that rte_vhost does not know. */
uint64_t vstate_connection_features(const struct vstate_dev *dev, int vid);
/** Return whether VIRTIO_F_RING_PACKED is negotiated. */
bool vstate_connection_is_packed(const struct vstate_dev *dev, int vid);

/**
 * A message is about to be processed.
 * @param qid queue whose kick descriptor or, with @p is_call, call descriptor it replaces; or -1
 */
void vstate_connection_fd_message(struct vstate_dev *dev, int qid, bool is_call);
/** Apply the current set-up of the front end to the device, after vstate_start_pause(). */
void vstate_connection_sync(struct vstate_dev *dev);

/** Add the counts of states and of refused messages to /vstate/dev. Any thread. */
void vstate_connection_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_CONNECTION_H */

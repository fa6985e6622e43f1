/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONNECTION_H
#define VSTATE_CONNECTION_H

/**
 * @file
 * The vhost-user connection of a device as rte_vhost has it, for both front doors: a socket of the
 * device's own, and rte_vdpa. Messages are processed one at a time, so that no two threads use this
 * part at once: rte_vhost's thread, and the thread of the door, which waits for it. No directory
 * but vhost/ calls rte_vhost.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_bitops.h>

#include "dev/vstate_limits.h"
#include "rte_vhost_state.h"
#include "vstate_backend_req.h"
#include "vstate_msg_refused.h"
#include "vstate_vhost_user.h"

struct rte_tel_data;
struct rte_vdpa_device;
struct vstate_dev;
struct vstate_device_state;
struct vstate_door;
struct vstate_msg_log;

/** Feature bits that all devices serve and rte_vhost does not know. */
#define VSTATE_OWN_FEATURES RTE_BIT64(RTE_VHOST_STATE_F_SUSPEND)
/** Protocol features that this device serves without rte_vhost. */
#define VSTATE_OWN_PROTOCOL_FEATURES (VSTATE_PROTOCOL_F_INFLIGHT | VSTATE_PROTOCOL_F_CONFIG | \
		VSTATE_PROTOCOL_F_RESET_DEVICE | VSTATE_PROTOCOL_F_DEVICE_STATE | \
		VSTATE_PROTOCOL_F_BASE_INFLIGHT)

/** The part of a device that belongs to vhost/. */
struct vstate_connection {
	/** rte_vhost's number of the connection; -1: none. */
	int vid;
	/** Negotiated features of vstate_connection_own_features(), which rte_vhost never sees. */
	uint64_t own_features;
	/** Protocol features that the front door offers, and those negotiated. */
	uint64_t protocol_offered, protocol;
	/** Rings that rte_vhost reported as ready. */
	bool ring_ready[VSTATE_MAX_VQS];
	/** A ring became ready after the device was stopped the last time, or never started. */
	bool ring_came;
	/** The last status of the front end has DRIVER_OK. */
	bool driver_ok;
	/** The front end set a base, or a descriptor, that the device has not applied yet. */
	bool base_fresh[VSTATE_MAX_VQS];
	bool callfd_fresh[VSTATE_MAX_VQS];
	bool kickfd_fresh[VSTATE_MAX_VQS];
	/**
	 * Bases as the front end set them: of a split ring the available index, of a packed ring
	 * the available position, and the used position in the upper half.
	 */
	uint32_t base_said[VSTATE_MAX_VQS];
	/** The front end set a base on this connection. */
	bool base_known[VSTATE_MAX_VQS];
	/** Queue whose descriptor the current message replaces; -1: none. */
	int fd_qid;
	/** rte_vhost reported that queue as stopped, and has not reported it as ready again. */
	bool fd_taken;
	/** This side ends the connection, and leaves the rings to another process. Any thread. */
	bool leave;
	/** A memory table came; without one rte_vhost must not be asked for it. */
	bool has_memory;
	/** The last memory table was refused, or taken away. */
	bool memory_gone;
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
	/** Requests of the device to its front end. */
	struct vstate_backend_req backend_req;
	/** Messages refused, by reason. */
	struct vstate_msg_refused refused;
	/** The device in rte_vdpa; NULL with a socket of its own. */
	struct rte_vdpa_device *vdpa;
	/** Behind rte_vdpa: dev_conf() started the device, and dev_close() did not follow. */
	bool vdpa_started;
	/** The front door of a device with a socket of its own; NULL behind rte_vdpa. */
	struct vstate_door *door;
};

/** Allocate the part of a new device. @return 0 or -ENOMEM */
int vstate_connection_create(struct vstate_dev *dev);
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
/** The connection ended. Nothing happens if @p vid is not attached to @p dev. */
void vstate_connection_detach(int vid, struct vstate_dev *dev);
/** Return the device that a connection is attached to, or NULL. */
struct vstate_dev *vstate_connection_dev(int vid);

/** rte_vhost finished set-up: start the device. @return 0; -1: no device or no memory */
int vstate_connection_start(int vid);
/**
 * Start a device whose class rte_vhost has not built in, by the start rule of the class. rte_vhost
 * waits for each ring that a message named once, and a driver may never use some of them.
 */
void vstate_connection_start_by_rule(struct vstate_dev *dev);
/**
 * The front end takes the rings back: stop the device. Waits for its poll threads and requests.
 * The door calls this before rte_vhost, which calls it with a lock that all its sockets share.
 */
void vstate_connection_stop(int vid);
/** rte_vhost reports that a ring is ready or stopped. @return 0 */
int vstate_connection_ring_state(int vid, uint16_t qid, bool ready);

/** Return the features that this device serves and rte_vhost does not know. Any thread. */
uint64_t vstate_connection_own_features(const struct vstate_dev *dev);
/** Return the negotiated features, including those that rte_vhost does not know. */
uint64_t vstate_connection_features(const struct vstate_dev *dev);
/** Return the negotiated protocol features. */
uint64_t vstate_connection_protocol(const struct vstate_dev *dev);
/** Return whether VIRTIO_F_RING_PACKED is negotiated. */
bool vstate_connection_is_packed(const struct vstate_dev *dev);

/**
 * Note the base of a SET_VRING_BASE. The device applies it with its next set-up.
 * @param base as in struct vstate_connection::base_said
 */
void vstate_connection_base_set(struct vstate_dev *dev, uint16_t qid, uint32_t base);
/**
 * Return where the device stopped a ring, or the base that the front end set, if the device has not
 * applied it yet.
 */
uint32_t vstate_connection_base_get(const struct vstate_dev *dev, uint16_t qid);
/** The same as the answer to GET_VRING_BASE. A front end that would abort gets 16 bits only. */
uint32_t vstate_connection_base_answer(const struct vstate_dev *dev, uint16_t qid);

/**
 * A message is about to be processed.
 * @param qid queue whose kick descriptor or, with @p is_call, call descriptor it replaces; or -1
 */
void vstate_connection_fd_message(struct vstate_dev *dev, int qid, bool is_call);
/** Apply the current set-up of the front end to the device, after vstate_start_pause(). */
void vstate_connection_sync(struct vstate_dev *dev);
/**
 * This process owns the device now. The rings were set up while another process owned it: move
 * them to where that process stopped, and serve them.
 * @return 0; -ENOTCONN: the front end has not set the device up
 */
int vstate_connection_own(struct vstate_dev *dev);

/** Add the counts of states and of refused messages to /vstate/dev. Any thread. */
void vstate_connection_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_CONNECTION_H */

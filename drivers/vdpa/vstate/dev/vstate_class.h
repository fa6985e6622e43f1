/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CLASS_H
#define VSTATE_CLASS_H

/**
 * @file
 * A device class: what makes a device a network card, a disk or a console.
 *
 * A class is one directory and one table. The device, the front door and the handover call the
 * class through this table and never ask which class it is. No function here is on the path of a
 * packet.
 *
 * Unless noted, the functions run with the control lock of the device held and no poll thread
 * inside a queue. A function that a class does not need is NULL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rte_vhost_state.h"

#include "vstate_conf.h"

struct rte_tel_data;
struct vstate_dev;
struct vstate_passed;
struct vstate_devarg;
struct vstate_setup;
struct vstate_vq;

/** A uint64_t counter of a poll thread, found by its offset in the class's virtqueue. */
struct vstate_counter {
	/** Name in xstats, telemetry and rte_vdpa. */
	const char *name;
	size_t offset;
};

/** A feature bit of the class and its name, as VIRTIO has it: "mrg_rxbuf". */
struct vstate_feature_name {
	unsigned int bit;
	const char *name;
};

/** What happens to buffers whose publication a kill interrupted, so that their lengths are lost. */
enum vstate_interrupted {
	/** They are returned empty. Their content is lost, as a network may lose a frame. */
	VSTATE_INTERRUPTED_RETURNED_EMPTY,
	/** They are served again. The driver has not seen the result of the request yet. */
	VSTATE_INTERRUPTED_SUBMITTED_AGAIN,
};

/** vhost-user messages that a class serves. The value is the u64 of the payload. */
enum vstate_class_msg {
	VSTATE_CLASS_MSG_SET_MTU,
	VSTATE_CLASS_MSG_RARP,
};

struct vstate_class {
	/** Name in the log, as "net". */
	const char *name;
	/** VIRTIO "Device Types": 1 net, 2 block, 3 console, 8 SCSI. */
	uint16_t virtio_id;
	/** RTE_VHOST_VDPA_DEVICE_TYPE_* */
	uint32_t vdpa_type;
	/** vhost-user protocol features of the class, in addition to those of all devices. */
	uint64_t protocol_features;
	/** Features that the class serves although rte_vhost does not know them. */
	uint64_t own_features;
	/** Virtqueues for each queue of conf.queues: 2 for net, as its queue is a pair. */
	uint16_t vqs_per_queue;
	/** Start rule: virtqueues 0 to this number - 1 must be ready before the device starts. */
	uint16_t vqs_to_start;
	/** rte_vhost has this class built in, with its features: only net. */
	bool built_in;
	enum vstate_interrupted interrupted;
	/**
	 * Bytes of the class's part of a device, and of its virtqueue. The virtqueue begins with
	 * struct vstate_vq. The device zeroes both.
	 */
	size_t dev_size, vq_size;
	/**
	 * Bytes of struct vstate_dev::kept, which outlive the process if the device has a state
	 * file; 0: none.
	 */
	size_t kept_size;
	const struct vstate_counter *counters;
	uint16_t nb_counters;
	/** Names of the class's own feature bits. */
	const struct vstate_feature_name *feature_names;
	uint16_t nb_feature_names;
	/** Device arguments of the class. Their offsets are in struct vstate_conf::of_class. */
	const struct vstate_devarg *devargs;
	uint16_t nb_devargs;

	/** Write the default arguments into conf.of_class. */
	void (*conf_default)(struct vstate_conf *conf);
	/** Check the arguments together. @return 0; -EINVAL with the reason in the log */
	int (*conf_check)(const char *dev_name, const struct vstate_conf *conf);
	/** Return the feature bits that a device with these arguments offers. */
	uint64_t (*features)(const struct vstate_conf *conf);
	/**
	 * Return the protocol features of a device with these arguments.
	 * NULL: @p protocol_features
	 */
	uint64_t (*protocol_features_of)(const struct vstate_conf *conf);
	/** Return the number of virtqueues besides those of conf.queues. NULL: 0 */
	uint16_t (*more_vqs)(const struct vstate_conf *conf);
	/** Initialise the class's part of a new device. Without the lock. @return 0 or -errno */
	int (*dev_init)(struct vstate_dev *dev);
	/** Free what dev_init() made, also after it failed half way. Without the lock. */
	void (*dev_fini)(struct vstate_dev *dev);

	/** Read the first @p size bytes of config space. Any thread. @return 0 or -EINVAL */
	int (*config_get)(const struct vstate_dev *dev, uint8_t *config, uint32_t size);
	/** Write config space. Any thread. @return 0; -ENOTSUP or -EINVAL: nothing changed */
	int (*config_set)(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
			uint32_t size);

	/** A front end connected. */
	void (*connect)(struct vstate_dev *dev);
	/** The front end disconnected, so the guest is gone. */
	void (*disconnect)(struct vstate_dev *dev);
	/** The driver reset the device. */
	void (*reset)(struct vstate_dev *dev);
	/** The front end changed its set-up. Called before vq_setup() of the queues. */
	void (*setup)(struct vstate_dev *dev, const struct vstate_setup *setup);
	/** The ring of a queue was mapped: apply the negotiated features to the queue. */
	void (*vq_setup)(struct vstate_dev *dev, struct vstate_vq *vq);
	/** Return whether the queue, when its ring is set up, decides how other queues run. */
	bool (*vq_needs_all)(const struct vstate_vq *vq);
	/** The set of queues that run is about to change. Poll threads may be inside. */
	void (*run_changed)(struct vstate_dev *dev);
	/**
	 * Queues were granted. A grant suppresses kicks, so a poll thread that sleeps must be
	 * woken. Poll threads may be inside.
	 */
	void (*granted)(struct vstate_dev *dev);
	/** Whether the device may sleep until the driver kicks this queue. */
	bool (*wants_kicks)(const struct vstate_vq *vq);
	/** The guest and its driver are present (@p up) or not. Poll threads may be inside. */
	void (*link)(struct vstate_dev *dev, bool up);
	/**
	 * The leases of @p vq, or of all queues if NULL, are revoked: wait until nothing else
	 * touches the guest's memory. DMA of the kernel is an example.
	 * @param finish complete all requests. Else requests may be left that wait to be submitted
	 *   again (vstate_request_requeue())
	 * @param late_qid written on -ETIMEDOUT: a queue that is not quiescent, as the log says
	 * @return 0; -ETIMEDOUT after @p timeout_ns nanoseconds: the device is not suspended
	 */
	int (*quiesce)(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
			uint64_t timeout_ns, uint16_t *late_qid);
	/** A suspended device resumes: apply the changes that were deferred. */
	void (*resume)(struct vstate_dev *dev);
	/** Allocate the resources of the EAL service. Without the lock. @return 0 or -errno */
	int (*poll_init)(struct vstate_dev *dev, int socket);
	/** Free the resources of poll_init(). Without the lock. */
	void (*poll_fini)(struct vstate_dev *dev);
	/** Poll all queues once, for the EAL service. Poll thread. @return buffers moved */
	uint32_t (*poll)(struct vstate_dev *dev);
	/** The EAL service becomes the poller: prepare the queues for it. */
	void (*poll_begin)(struct vstate_dev *dev);
	/**
	 * A descriptor that is readable when event() is to be called, by the thread of the front
	 * end; -1: none. It does not change. Any thread.
	 */
	int (*event_fd)(const struct vstate_dev *dev);
	/** Process events. Poll threads may be inside. */
	void (*event)(struct vstate_dev *dev);
	/** Called by the watch thread from time to time. @return whether config space changed */
	bool (*watch)(struct vstate_dev *dev);
	/** rte_vhost processed a message of the class. */
	void (*message)(struct vstate_dev *dev, enum vstate_class_msg msg, uint64_t value);

	/** Write the class's part of a state. */
	void (*capture)(const struct vstate_dev *dev, struct rte_vhost_state *st);
	/**
	 * Apply the class's part of a state that fits, and mark in the state what was applied.
	 * @return 0; -errno: nothing changed, the device needs a reset
	 */
	int (*restore)(struct vstate_dev *dev, struct rte_vhost_state *st);
	/**
	 * The same for the state that a process left on this host. Rings that are set up and that
	 * it describes have a size in the state. @return 0; -errno: nothing changed
	 */
	int (*recover)(struct vstate_dev *dev, const struct rte_vhost_state *st);
	/**
	 * Another process takes the device over: write what it needs besides the state, one part
	 * after the other. The queues are quiescent. @p i counts from 0.
	 * @return 1; 0: there are no more parts
	 */
	int (*pass)(struct vstate_dev *dev, unsigned int i, struct vstate_passed *part);
	/**
	 * Take a part from the process that owned the device. Nothing in it is trusted. A
	 * descriptor that is taken becomes -1. @return 0; -EINVAL: nothing is taken
	 */
	int (*take)(struct vstate_dev *dev, struct vstate_passed *part);
	/** Another process owns the device now: close what was passed to it. */
	void (*left)(struct vstate_dev *dev);
	/** Write the limits of the class for a state, in addition to those of all classes. */
	void (*limits)(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);
	/** Return the bytes of the shortest buffer that a driver accepts back as empty. */
	uint32_t (*empty_len)(const struct vstate_vq *vq);
	/**
	 * Return whether a front end without a back end may have used buffers of this queue itself,
	 * ahead of the device. QEMU does so with frames that a network driver sends.
	 */
	bool (*used_ahead)(const struct vstate_vq *vq);
	/** Add the class's fields to /vstate/dev. Any thread. */
	void (*telemetry)(const struct vstate_dev *dev, struct rte_tel_data *d);
};

#endif /* VSTATE_CLASS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CLASS_H
#define VSTATE_CLASS_H

/**
 * @file
 * A device class: what makes a device a network card, a disk or a console.
 *
 * A class is a room of its own and one table. The device, the front door and the hand-over call it
 * through this table and never ask which class it is. No function here is on a packet's path.
 *
 * Unless noted, the functions run with the control lock of the device held and no poll thread
 * inside a queue. A function that a class has no use for is NULL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rte_vhost_state.h"

#include "vstate_conf.h"

struct rte_tel_data;
struct vstate_dev;
struct vstate_devarg;
struct vstate_setup;
struct vstate_vq;

/** A uint64_t that a poll thread counts in, found by its offset in the class's virtqueue. */
struct vstate_counter {
	/** As xstats, telemetry and rte_vdpa show it. */
	const char *name;
	size_t offset;
};

/** What buffers mean of which the publication was interrupted by a kill, and their lengths lost. */
enum vstate_interrupted {
	/** They are returned empty: what they held is lost, as with a frame. */
	VSTATE_INTERRUPTED_RETURNED_EMPTY,
	/** They are served again: a request has no effect before the driver sees it used. */
	VSTATE_INTERRUPTED_SUBMITTED_AGAIN,
};

/** Messages that a class serves; the value is the payload's u64. */
enum vstate_class_msg {
	VSTATE_CLASS_MSG_SET_MTU,
	VSTATE_CLASS_MSG_RARP,
};

struct vstate_class {
	/** As in the log: "net". */
	const char *name;
	/** VIRTIO "Device Types": 1 net, 2 block, 3 console, 8 SCSI. */
	uint16_t virtio_id;
	/** RTE_VHOST_VDPA_DEVICE_TYPE_* */
	uint32_t vdpa_type;
	/** vhost-user protocol features that the class has a use for, besides those of the device. */
	uint64_t protocol_features;
	/** Virtqueues of one queue of conf.queues; of net a pair. */
	uint16_t vqs_per_queue;
	/** Start rule: so many virtqueues, from 0 on, are ready before the device starts. */
	uint16_t vqs_to_start;
	enum vstate_interrupted interrupted;
	/** Bytes of the class's part of a device, and of its virtqueue, which begins with struct
	 * vstate_vq. Both are zeroed.
	 */
	size_t dev_size, vq_size;
	const struct vstate_counter *counters;
	uint16_t nb_counters;
	/** Arguments of the class; offsets are in struct vstate_conf::of_class. */
	const struct vstate_devarg *devargs;
	uint16_t nb_devargs;

	/** Put the defaults into conf.of_class. */
	void (*conf_default)(struct vstate_conf *conf);
	/** Arguments that do not go together: -EINVAL, with the reason in the log. */
	int (*conf_check)(const char *dev_name, const struct vstate_conf *conf);
	/** Feature bits that a device with these arguments offers. */
	uint64_t (*features)(const struct vstate_conf *conf);
	/** The class's part of a device that is being made; 0 or -errno. Without the lock. */
	int (*dev_init)(struct vstate_dev *dev);

	/** Read @p size bytes of the config space from its beginning; 0 or -EINVAL. Any thread. */
	int (*config_get)(const struct vstate_dev *dev, uint8_t *config, uint32_t size);
	/** Write config space; 0 or -ENOTSUP. Any thread. */
	int (*config_set)(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
			uint32_t size);

	/** A front end came. */
	void (*connect)(struct vstate_dev *dev);
	/** It went, and with it its guest. */
	void (*disconnect)(struct vstate_dev *dev);
	/** The driver reset the device. */
	void (*reset)(struct vstate_dev *dev);
	/** What the front end says now, before any queue is set up by it. */
	void (*setup)(struct vstate_dev *dev, const struct vstate_setup *setup);
	/** The ring of a queue was mapped: put what was negotiated into it. */
	void (*vq_setup)(struct vstate_dev *dev, struct vstate_vq *vq);
	/** Queues are about to be granted, or to be no more; some may be polled. */
	void (*run_changed)(struct vstate_dev *dev);
	/** The guest is there, with its driver, or not; poll threads may be inside. */
	void (*link)(struct vstate_dev *dev, bool up);
	/**
	 * All leases are revoked: wait until nothing else, as DMA of the kernel, touches the
	 * guest's memory. @return 0; -ETIMEDOUT after @p timeout_ns, and nothing is suspended
	 */
	int (*quiesce)(struct vstate_dev *dev, uint64_t timeout_ns);
	/** A suspended device resumes: what was deferred takes effect. */
	void (*resume)(struct vstate_dev *dev);
	/** Make what the EAL service needs, 0 or -errno; and free it. Without the lock. */
	int (*poll_init)(struct vstate_dev *dev, int socket);
	void (*poll_fini)(struct vstate_dev *dev);
	/** One turn of the EAL service over all queues. Poll thread. @return buffers moved */
	uint32_t (*poll)(struct vstate_dev *dev);
	/** The service becomes the poller: put what it needs into the queues. */
	void (*poll_begin)(struct vstate_dev *dev);
	/** A message of the class's own was processed. */
	void (*message)(struct vstate_dev *dev, enum vstate_class_msg msg, uint64_t value);

	/** Write the class's part of a state. */
	void (*capture)(const struct vstate_dev *dev, struct rte_vhost_state *st);
	/** Apply the class's part of a state that fits; what is applied is marked in it. */
	void (*restore)(struct vstate_dev *dev, struct rte_vhost_state *st);
	/** Limits of this device that a state must keep, besides those of every class. */
	void (*limits)(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);
	/** Bytes of the shortest buffer that a driver takes back as an empty one. */
	uint32_t (*empty_len)(const struct vstate_vq *vq);
	/**
	 * Whether a front end without back end may have used buffers of this queue itself, ahead of
	 * the device. QEMU does so with what a network driver sends.
	 */
	bool (*used_ahead)(const struct vstate_vq *vq);
	/** Add the class's fields to /vstate/dev. Any thread. */
	void (*telemetry)(const struct vstate_dev *dev, struct rte_tel_data *d);
};

#endif /* VSTATE_CLASS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEV_H
#define VSTATE_DEV_H

/**
 * @file
 * A device: its virtqueues, its class, and its parts. Each part has one owner: the file that its
 * comment names. Other files read the part through functions of that file.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>

#include "ring/vstate_fault.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_mem.h"
#include "rte_vhost_state.h"
#include "vstate_conf.h"
#include "vstate_control.h"
#include "vstate_latency.h"
#include "vstate_limits.h"
#include "vstate_resume_point.h"
#include "vstate_run.h"

struct vstate_class;
struct vstate_connection;
struct vstate_front_end_ops;
struct vstate_handover;
struct vstate_poller;
struct vstate_vq;

/** Features, memory and rings of the guest. Owner: vstate_start.c. Control lock. */
struct vstate_guest {
	uint64_t features;
	struct vstate_mem mem;
	/** Dirty log, and its length in bytes. */
	uint8_t *log_base;
	uint64_t log_size;
	/** As in struct vstate_setup. */
	bool inflight_carried;
	/** Ring sizes and addresses that the front end announced, for the checks of a restore. */
	struct {
		uint16_t size;
		bool addr_known;
		/** The front end has not taken the ring back: it will run. Any thread reads it. */
		bool is_awaited;
		/** Guest physical addresses. */
		uint64_t desc_addr, driver_addr, device_addr;
	} announced[VSTATE_MAX_VQS];
};

/** Events counted and timed. Written with the control lock held, read by any thread. */
struct vstate_history {
	/** Durations of the operations. Owner: vstate_state.c. */
	struct vstate_latency suspend, capture, restore, resume;
	/** Queues found broken, by reason. Owner: vstate_broken.c. */
	uint64_t faults[VSTATE_FAULT_MAX];
	/** Values of @p faults at the last reset of statistics. */
	uint64_t faults_base[VSTATE_FAULT_MAX];
	/** Starts of the device by its front end, and resets by its driver. */
	uint64_t starts, resets;
};

struct vstate_dev {
	/* -- constant while the device exists -- */
	TAILQ_ENTRY(vstate_dev) next;
	char name[RTE_VHOST_STATE_NAME_SIZE];
	struct vstate_conf conf;
	const struct vstate_class *class;
	/** The class's part: class->dev_size bytes. */
	void *of_class;
	uint16_t nb_vqs;
	struct vstate_vq *vqs[VSTATE_MAX_VQS];
	/**
	 * Memory of class->kept_size bytes for the next process: in the state file, or in this
	 * process (@p kept_own) without one. Poll threads inside a queue write it. It moves only
	 * while no queue runs. Owner: handover/vstate_state_file.c.
	 */
	void *kept, *kept_own;
	/** Value of each counter of each queue at its last reset. Owner: vstate_counters.c. */
	uint64_t *counters_base;

	/** Features that the device offers. They change only before a front end can connect. */
	uint64_t features_offered;

	/* -- parts that belong to dev/ -- */
	struct vstate_control control;
	struct vstate_run run;
	struct vstate_guest guest;
	struct vstate_resume_point resume_point;
	struct vstate_history history;
	/** The EAL service, or NULL. Owner: vstate_poller.c. */
	struct vstate_poller *poller;
	/** Taken by the service while it polls the queues. Granted while it is the poller. */
	struct vstate_lease poller_lease;

	/* -- parts that belong to the directories above, which allocate and free them -- */
	/** Functions of the front door for lower directories; NULL without a front door. */
	const struct vstate_front_end_ops *front_ops;
	/** Owner: vhost/vstate_connection.c. */
	struct vstate_connection *connection;
	/** Owner: handover/vstate_handover.c. */
	struct vstate_handover *handover;
	/**
	 * Release the device for another process that starts later, without waiting; NULL if no
	 * other process can have it. Any thread. @return 0, -EALREADY or -ENOTSUP
	 */
	int (*release)(struct vstate_dev *dev);
};

/**
 * Allocate a device of @p class, and its queues. The device is not published yet.
 * @param socket NUMA node, or SOCKET_ID_ANY
 * @return the device; NULL with rte_errno
 */
struct vstate_dev *vstate_dev_create(const char *name, const struct vstate_conf *conf,
		const struct vstate_class *class, int socket);
/** Free a device. It is not published, and no thread uses it. NULL is ignored. */
void vstate_dev_destroy(struct vstate_dev *dev);

/**
 * Make a device visible to rte_vhost_state and to the functions below.
 * @return 0 or -errno
 */
int vstate_dev_publish(struct vstate_dev *dev);
/** Undo vstate_dev_publish(). At return no function of vstate_dev_foreach() runs on the device. */
void vstate_dev_unpublish(struct vstate_dev *dev);

/**
 * Run @p fn for each published device, with the lock of the list held. The walk stops when @p fn
 * returns non-zero. @p fn must not wait for a control lock.
 * @return the return value of the last @p fn; 0 if there is no device
 */
int vstate_dev_foreach(int (*fn)(struct vstate_dev *dev, void *arg), void *arg);
/** Return the published device @p name, or NULL. Another thread may destroy it at any time. */
struct vstate_dev *vstate_dev_find(const char *name);

/**
 * Return the number of queues for GET_QUEUE_NUM: pairs of a network card, virtqueues of others. Any
 * thread.
 */
uint16_t vstate_dev_queue_num(const struct vstate_dev *dev);

/** Return whether VIRTIO_F_RING_PACKED is negotiated. Control lock held. */
static inline bool
vstate_dev_is_packed(const struct vstate_dev *dev)
{
	return (dev->guest.features & RTE_BIT64(VIRTIO_F_RING_PACKED)) != 0;
}

#endif /* VSTATE_DEV_H */

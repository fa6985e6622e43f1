/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEV_H
#define VSTATE_DEV_H

/**
 * @file
 * A device: its virtqueues, its class, and its parts. Each part has one owner, the file that is
 * named with it; others read it through that file's functions.
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
#include "vstate_limits.h"
#include "vstate_resume_point.h"
#include "vstate_run.h"

struct vstate_class;
struct vstate_connection;
struct vstate_front_end_ops;
struct vstate_handover;
struct vstate_poller;
struct vstate_vq;

/** What the front end and the driver negotiated and set up; vstate_start.c, control lock. */
struct vstate_guest {
	uint64_t features;
	struct vstate_mem mem;
	/** Dirty log, and its length in bytes. */
	uint8_t *log_base;
	uint64_t log_size;
	/** Sizes and addresses that the front end announced so far, for the checks of a restore. */
	struct {
		uint16_t size;
		bool addr_known;
		/** Guest physical. */
		uint64_t desc_addr, driver_addr, device_addr;
	} announced[VSTATE_MAX_VQS];
};

/** What happened so far; control lock, read by any thread. */
struct vstate_history {
	/** Durations, vstate_state.c. */
	struct rte_vhost_state_timing suspend, capture, restore, resume;
	/** Queues found broken, by reason, vstate_broken.c. */
	uint64_t faults[VSTATE_FAULT_MAX];
	/** What @p faults were at the last reset of statistics. */
	uint64_t faults_base[VSTATE_FAULT_MAX];
	/** Of the device by its front end, and by its driver. */
	uint64_t starts, resets;
};

struct vstate_dev {
	/* -- fixed while the device exists -- */
	TAILQ_ENTRY(vstate_dev) next;
	char name[RTE_VHOST_STATE_NAME_SIZE];
	struct vstate_conf conf;
	const struct vstate_class *class;
	/** The class's part, of class->dev_size bytes. */
	void *of_class;
	uint16_t nb_vqs;
	struct vstate_vq *vqs[VSTATE_MAX_VQS];
	/** What each counter of each queue was at its last reset; vstate_counters.c. */
	uint64_t *counters_base;

	/** Features that the device offers; changed only before a front end can come. */
	uint64_t features_offered;

	/* -- parts of this room -- */
	struct vstate_control control;
	struct vstate_run run;
	struct vstate_guest guest;
	struct vstate_resume_point resume_point;
	struct vstate_history history;
	/** The EAL service, or NULL; vstate_poller.c. */
	struct vstate_poller *poller;
	/** Held by the service while it goes over the queues; granted while it is the poller. */
	struct vstate_lease poller_lease;

	/* -- parts of the rooms above, which make and free them -- */
	/** How lower rooms reach the front door; NULL without one. */
	const struct vstate_front_end_ops *front_ops;
	/** vhost/vstate_connection.c */
	struct vstate_connection *connection;
	/** handover/vstate_handover.c */
	struct vstate_handover *handover;
};

/**
 * Allocate a device of @p class, and its queues.
 * @param socket NUMA node, or SOCKET_ID_ANY
 * @return the device, which nobody finds yet; NULL with rte_errno
 */
struct vstate_dev *vstate_dev_create(const char *name, const struct vstate_conf *conf,
		const struct vstate_class *class, int socket);
/** Free it. No thread knows it any more. NULL is ignored. */
void vstate_dev_destroy(struct vstate_dev *dev);

/** Let others find it: by rte_vhost_state and by the functions below. 0 or -errno. */
int vstate_dev_publish(struct vstate_dev *dev);
/** Undo that. No function of vstate_dev_foreach() runs on it any more. */
void vstate_dev_unpublish(struct vstate_dev *dev);

/**
 * Run @p fn for each published device, with the lock of the list held. Stops when it returns
 * non-zero. @p fn must not wait for a control lock.
 * @return what the last @p fn returned; 0 if there is no device
 */
int vstate_dev_foreach(int (*fn)(struct vstate_dev *dev, void *arg), void *arg);
/** The published device of that name, or NULL. It is not kept from being destroyed. */
struct vstate_dev *vstate_dev_find(const char *name);

/** VIRTIO_F_RING_PACKED is negotiated. Control lock. */
static inline bool
vstate_dev_is_packed(const struct vstate_dev *dev)
{
	return (dev->guest.features & RTE_BIT64(VIRTIO_F_RING_PACKED)) != 0;
}

#endif /* VSTATE_DEV_H */

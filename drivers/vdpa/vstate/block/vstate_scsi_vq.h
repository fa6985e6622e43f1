/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_VQ_H
#define VSTATE_SCSI_VQ_H

/** @file A virtqueue of a SCSI host. The fields belong to the holder of the lease. */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_blk_vq.h"
#include "vstate_scsi_conf.h"

/** The control queue, the event queue, and the first queue of requests. */
#define VSTATE_SCSI_VQ_CTRL 0
#define VSTATE_SCSI_VQ_EVENT 1
#define VSTATE_SCSI_VQ_FIRST 2

/** In addition to those of a disk, struct vstate_blk_counters. */
struct vstate_scsi_counters {
	/** Commands that neither read nor write a disk. */
	uint64_t others;
	/** Unit attentions that the driver got. */
	uint64_t attentions;
	/** Commands that a task management function ended. */
	uint64_t aborted;
	/** Commands whose buffer is shorter than their CDB says, or has the other direction. */
	uint64_t overruns;
	/** Requests for a target that does not exist. */
	uint64_t bad_targets;
	/** Control queue: task management functions, and queries of notifications. */
	uint64_t tmfs, queries;
	/** Event queue: events that the driver got. */
	uint64_t events;
};

struct vstate_scsi;

/** Unit attentions of a logical unit in answers that the driver cannot see yet. */
struct vstate_scsi_report {
	/** 0: none. */
	uint8_t attentions;
	/** Times that attentions were added until then. */
	uint32_t nb_added;
};

struct vstate_scsi_vq {
	/** First member: the base of a queue of any class. */
	struct vstate_blk_vq blk;
	struct vstate_scsi_counters counters;
	struct vstate_scsi *scsi;
	/** Aborted commands whose answers the driver cannot see yet. */
	uint32_t nb_ended;
	struct vstate_scsi_report reports[VSTATE_SCSI_LUNS];
	bool has_reports;
	/** Event queue: VIRTIO_SCSI_F_CHANGE was negotiated. */
	bool wants_events;
};

static inline struct vstate_scsi_vq *
vstate_scsi_vq_of(struct vstate_vq *vq)
{
	return (struct vstate_scsi_vq *)vq;
}

#endif /* VSTATE_SCSI_VQ_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_CTRL_H
#define VSTATE_SCSI_CTRL_H

/**
 * @file
 * The control queue of a SCSI host: task management functions (TMF) and queries of asynchronous
 * notifications (VIRTIO 1.4 "Device Operation: controlq").
 *
 * One request is served at a time:
 *
 *	popped ---> all commands that the driver made available before it are taken
 *	       ---> the commands that it names are marked as aborted
 *	       ---> they are back with the driver
 *	       ---> answered
 *
 * So the driver sees the end of each aborted command before it sees the answer. What the kernel
 * does cannot be aborted: the wait is as long as the slowest command takes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "dev/vstate_limits.h"
#include "ring/vstate_request.h"
#include "vstate_scsi_vq.h"

struct vstate_dev;

/** Pieces that a request of the control queue may have. */
#define VSTATE_SCSI_CTRL_PIECES 16

enum vstate_scsi_ctrl_phase {
	/** No request. */
	VSTATE_SCSI_CTRL_IDLE,
	/** Commands that came before it are still in the rings. */
	VSTATE_SCSI_CTRL_SETTLE,
	/** Aborted commands are under way. */
	VSTATE_SCSI_CTRL_ABORT,
};

/** The fields belong to the holder of the lease of the control queue, unless noted. */
struct vstate_scsi_ctrl {
	enum vstate_scsi_ctrl_phase phase;
	struct vstate_request ring;
	struct iovec pieces[VSTATE_SCSI_CTRL_PIECES];
	/** The function: VIRTIO_SCSI_T_TMF_*, its unit, and the tag of the command. */
	uint32_t subtype;
	int8_t lun;
	uint64_t tag;
	/** Response of the commands that it aborts. Constant while there are any. */
	uint8_t response;
	/** Aborted commands that are not back with the driver. Any thread. */
	uint32_t nb_aborted;
	/** Of each queue of requests: it has settled; popped when the function came. */
	bool settled[VSTATE_MAX_VQS];
	uint64_t popped[VSTATE_MAX_VQS];
};

/** Serve the control queue. Poll thread; takes leases. @return requests moved */
uint32_t vstate_scsi_ctrl_poll(struct vstate_dev *dev);
/** @p nb aborted commands are back with the driver. Any thread. */
void vstate_scsi_ctrl_ended(struct vstate_scsi_ctrl *ctrl, uint32_t nb);
/** As struct vstate_blk_serve::drain_own. */
bool vstate_scsi_ctrl_drain(struct vstate_dev *dev, const struct vstate_vq *vq, bool finish);

#endif /* VSTATE_SCSI_CTRL_H */

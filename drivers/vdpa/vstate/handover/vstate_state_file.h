/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STATE_FILE_H
#define VSTATE_STATE_FILE_H

/**
 * @file
 * The state file: a file in the directory of the user (state_dir=) that outlives the process. It has
 * the device's state as it was when the rings were started or changed last, and the position of
 * each queue, which its poll thread keeps up to date (ring/vstate_inflight_layout.h). The process
 * that has the lock of the file owns the device; a process that is killed loses it.
 *
 *	offset
 *	0	struct vstate_state_file_head
 *	4096	a struct vstate_state_file_vq for each queue
 *	65536	state in the format of rte_vhost_state_encode(), first place
 *	+16 MiB	second place; one is whole while the other is written
 *
 * All of it is in host order and for one boot of one host. What another process left there is read
 * as a guest's memory is: nobody vouches for it. All functions need the control lock, or run before
 * there is a front end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_inflight_layout.h"
#include "rte_vhost_state.h"

#define VSTATE_STATE_FILE_VERSION 1

struct vstate_state_file_head {
	/** Written last when the file is made. */
	uint64_t magic;
	uint32_t version;
	uint32_t nb_vqs;
	uint64_t file_size;
	char name[RTE_VHOST_STATE_NAME_SIZE];
	/** Of the kernel under which the guest's memory was as the positions say. */
	char boot_id[40];
	/** Process that owns the file, or did; in its own PID namespace. */
	uint32_t pid;
	/** 1: the device has the rings, and the file says where they stand. */
	uint32_t active;
	/** Counts states; the current one is in place seq % 2. */
	uint32_t seq;
	/** Bytes of the states. */
	uint32_t state_len[2];
	/** Token of the process that asks for the device, 0: none; and the owner's answer. See
	 * vstate_takeover.h.
	 */
	uint32_t request, answer;
};

/** One cache line, written by one poll thread. */
struct vstate_state_file_vq {
	union vstate_inflight_head head;
	/** As the head's when this position was begun; else the state has the position. */
	uint32_t seq;
	/** Buffers of another device that are left; see vstate_inflight_left(). */
	uint32_t left;
	/** 1: this position is stale, the front end's in-flight region has it. */
	uint32_t elsewhere;
	uint32_t reserved[5];
};

/** State left by a previous owner, to be applied to the rings when they come. */
struct vstate_recovery {
	/** The previous owner. */
	uint32_t pid;
	struct rte_vhost_state *st;
	/** Positions of the queues that have one of this state. */
	struct {
		bool valid;
		uint32_t left;
		union vstate_inflight_head head;
	} vqs[];
};

struct vstate_dev;
struct vstate_state_file;
struct vstate_vq;

/**
 * Open or make the file of a device that has state_dir=, and take its lock. What a previous owner
 * left there, whose device did not come to an end, is in dev->handover->recovery.
 * @return 0; -EBUSY: a living process owns the file; -EPERM: other users can write to the directory
 *   or the file; -EINVAL: it is no state file; or another -errno. Logged, but -EBUSY with takeover=1.
 */
int vstate_state_file_open(struct vstate_dev *dev);
/** Let go of the file. Nothing is done without one. */
void vstate_state_file_close(struct vstate_dev *dev);

/**
 * Open the file of another owner, to talk to that process.
 * @return 0; -EPROTO: the file is of another version or device; or another -errno
 */
int vstate_state_file_look(const struct vstate_dev *dev, struct vstate_state_file **file);
struct vstate_state_file_head *vstate_state_file_head(struct vstate_state_file *file);
/** No living process owns the file. */
bool vstate_state_file_is_free(const struct vstate_state_file *file);
/** Let another process own the file; nothing is written to it any more. */
void vstate_state_file_unlock(const struct vstate_state_file *file);
/** Close a file; NULL is ignored. */
void vstate_state_file_free(struct vstate_state_file *file);

/** Let the file keep the position of a queue. False: there is no file. */
bool vstate_state_file_attach(struct vstate_dev *dev, struct vstate_vq *vq);
/** Note where the quiesced rings stand, and let their positions begin. A failure is logged. */
void vstate_state_file_store(struct vstate_dev *dev);
/** Another process truncated the file, and its content is gone. Any thread. */
bool vstate_state_file_is_lost(const struct vstate_dev *dev);
/** The front end has the rings back: what the file says does not hold any more. */
void vstate_state_file_retire(struct vstate_dev *dev);

#endif /* VSTATE_STATE_FILE_H */

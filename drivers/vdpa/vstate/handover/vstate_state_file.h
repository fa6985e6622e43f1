/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STATE_FILE_H
#define VSTATE_STATE_FILE_H

/**
 * @file
 * The state file: a file in the user's directory (state_dir=) that outlives the process. It holds
 * the state of the device at the last start or change of its rings. It also holds the position of
 * each queue, which the poll thread updates (ring/vstate_inflight_layout.h). The process that holds
 * the lock of the file owns the device. The kernel releases the lock of a killed process.
 *
 *	offset
 *	0	struct vstate_state_file_head
 *	4096	a struct vstate_state_file_vq for each queue
 *	16384	memory of the device class, for the next process (struct vstate_dev::kept)
 *	65536	state in the format of rte_vhost_state_encode(), first place
 *	+16 MiB	second place; one is whole while the other is written
 *
 * All of it is in host byte order, and valid for one boot of one host. The content that another
 * process left is not trusted: every value is checked like guest memory. All functions need the
 * control lock, or run before a front end can connect.
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
	/** Boot id of the kernel when the state was written. After a reboot the state is stale. */
	char boot_id[40];
	/** Process that owns the file, or the last owner; in its own PID namespace. */
	uint32_t pid;
	/** 1: the device has the rings, and the positions in the file are valid. */
	uint32_t active;
	/** Number of the current state, which is in place seq % 2. */
	uint32_t seq;
	/** Lengths of the two states in bytes. */
	uint32_t state_len[2];
	uint32_t reserved[2];
};

/** One cache line, written by one poll thread. */
struct vstate_state_file_vq {
	union vstate_inflight_head head;
	/** seq of the head when this record began. If it differs, the state has the position. */
	uint32_t seq;
	/** Buffers in flight that are left from another device; see vstate_inflight_left(). */
	uint32_t left;
	/** 1: this record is stale. The front end's in-flight region has the position. */
	uint32_t elsewhere;
	uint32_t reserved[5];
};

/** State left by the previous owner, applied to each ring when the front end sets it up. */
struct vstate_recovery {
	/** Process id of the previous owner. */
	uint32_t pid;
	struct rte_vhost_state *st;
	/** Positions of the queues; valid if the record belongs to this state. */
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
 * Open or make the file of a device that has state_dir=, and take its lock. If the previous owner
 * left a state, it is in dev->handover->recovery.
 * @return 0; -EBUSY: a living process owns the file; -EPERM: other users can write to the directory
 *   or the file; -EINVAL: the file is not a state file; or another -errno. The reason is logged,
 *   except for -EBUSY with takeover=1.
 */
int vstate_state_file_open(struct vstate_dev *dev);
/** Close the file of the device and release its lock, if there is one. */
void vstate_state_file_close(struct vstate_dev *dev);

/**
 * Check the file that another process owns.
 * @param pid written: the process that owns it, in its own PID namespace
 * @return 0; -EPROTO: the file is of another version or device; or another -errno
 */
int vstate_state_file_look(const struct vstate_dev *dev, uint32_t *pid);
/**
 * Return the number of the state in the file of the device. Another process that owned the file
 * and served rings has changed it.
 */
uint32_t vstate_state_file_seq(const struct vstate_dev *dev);
/** Release the lock, so that another process can own the file. This process writes no more. */
void vstate_state_file_unlock(const struct vstate_dev *dev);
/**
 * Take the lock again.
 * @return 0; -EBUSY: another process owns the file
 */
int vstate_state_file_relock(const struct vstate_dev *dev);
/** Read the positions that another owner of the file left, into dev->handover->recovery. */
void vstate_state_file_reread(struct vstate_dev *dev);

/** Keep the position of a queue in the file. @return false if there is no file */
bool vstate_state_file_attach(struct vstate_dev *dev, struct vstate_vq *vq);
/** Write the state of a quiesced device and begin the records of its queues. Logs a failure. */
void vstate_state_file_store(struct vstate_dev *dev);
/** Return whether another process truncated the file: its content is gone. Any thread. */
bool vstate_state_file_is_lost(const struct vstate_dev *dev);
/** Mark the state in the file as stale, because the front end took the rings back. */
void vstate_state_file_retire(struct vstate_dev *dev);

#endif /* VSTATE_STATE_FILE_H */

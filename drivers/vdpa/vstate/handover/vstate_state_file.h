/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_STATE_FILE_H
#define VSTATE_STATE_FILE_H

/**
 * @file
 * The state page: a file in the directory of the user (state_dir=) that outlives the process.
 * It holds the device's state as it was when the rings were started or changed last, and a
 * record of each queue that its poll thread keeps (vstate_inflight_layout.h). Whoever has the lock of
 * the file owns the device; a process that is killed gives it up.
 *
 *	offset
 *	0	struct vstate_state_file_head
 *	4096	a struct vstate_state_file_vq for each queue
 *	65536	state in the format of rte_vhost_state_encode(), first place
 *	+16 MiB	second place; one is whole while the other is written
 *
 * What another process left there is read as a guest's memory is: nobody vouches for it. All
 * functions run on the control thread, or before there is a front end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "rte_vhost_state.h"
#include "ring/vstate_inflight_layout.h"

#define VSTATE_STATE_FILE_VERSION 1

/** In host order: another host has no use for it. */
struct vstate_state_file_head {
	/** Written last when the page is made. */
	uint64_t magic;
	uint32_t version;
	uint32_t nb_vqs;
	uint64_t file_size;
	char name[RTE_VHOST_STATE_NAME_SIZE];
	/** Of the kernel under which the guest's memory was what the records say. */
	char boot_id[40];
	/** Process that owns the page, or did. */
	uint32_t pid;
	/** The rings belong to the device, and the page says where they stand. */
	uint32_t active;
	/** Counts states; the current one is in place seq % 2. */
	uint32_t seq;
	uint32_t state_len[2];
	/**
	 * Token of the process that asks for the device, 0: none; and the owner's answer:
	 * vstate_takeover.c.
	 */
	uint32_t request, answer;
};

/** One cache line, written by one poll thread. */
struct vstate_state_file_vq {
	union vstate_inflight_head record;
	/** As the head's when the record was begun; else the state tells the position. */
	uint32_t seq;
	/** Buffers of another device that are left; see vstate_inflight_left(). */
	uint32_t left;
	/** 1: not the record here tells, but an in-flight region of the front end's. */
	uint32_t elsewhere;
	uint32_t reserved[5];
};

/** What a process left behind: to meet the rings when they come. */
struct vstate_recovery {
	uint32_t pid;
	struct rte_vhost_state *st;
	/** Records of the queues that have one of this state. */
	struct {
		bool valid;
		uint32_t left;
		union vstate_inflight_head record;
	} vqs[];
};

struct vstate_dev;
struct vstate_state_file;

/**
 * Open or make the page of a device that has state_dir=, and take its lock. What it says of a
 * device that did not come to an end is in dev->recovery.
 * @return 0; -EBUSY: a living process owns it; -EPERM: the directory or the file is one that
 *   other users can write to; -EINVAL, ...: no page of ours
 */
int vstate_state_file_open(struct vstate_dev *dev);
void vstate_state_file_close(struct vstate_dev *dev);

/** The page of another process, to talk to it. -EPROTO: it is of another kind. */
int vstate_state_file_look(const struct vstate_dev *dev, struct vstate_state_file **page);
struct vstate_state_file_head *vstate_state_file_head(struct vstate_state_file *page);
/** No living process owns the page. */
bool vstate_state_file_is_free(const struct vstate_state_file *page);
/** Let others own it; nothing is written to it any more. */
void vstate_state_file_unlock(const struct vstate_state_file *page);
/** NULL is ignored. */
void vstate_state_file_free(struct vstate_state_file *page);

struct vstate_vq;

/** The record of the queue is the page's, or nobody's if there is no page. */
void vstate_state_file_attach(struct vstate_dev *dev, struct vstate_vq *vq);
/** The rings are at rest: note where, and let their records begin. */
void vstate_state_file_store(struct vstate_dev *dev);
/** The front end has the rings back: what the page says is of no use any more. */
void vstate_state_file_retire(struct vstate_dev *dev);

/* ---- vstate_recover.c ---- */

/** Free what was left behind, met or not. */
void vstate_recover_drop(struct vstate_dev *dev);

struct vstate_setup;

/**
 * What was left behind, in a region of the front end's or in the page, meets those rings that
 * are new here and ready.
 */
void vstate_recover_meet(struct vstate_dev *dev, const struct vstate_setup *setup);

/** Packed: whether the descriptor at a position is available there. */
bool vstate_packed_avail(const struct vstate_vq *vq, struct vstate_pos pos);

/**
 * Set a configured queue to where a record says that it stands, and finish a publication
 * that was under way. Buffers in flight are attached to it, if there are any.
 * @param fresh the front end says that nobody has used the ring
 * @return NULL, or why the record does not hold; the queue is then as it was
 */
const char *vstate_recover_packed(struct vstate_vq *vq, const union vstate_inflight_head *rec, bool fresh);
/** The same of a split ring, which tells it itself. */
const char *vstate_recover_split(struct vstate_vq *vq);

/* ---- vstate_used_ahead.c ---- */

/**
 * A packed queue from the driver, whose positions are known: return the buffers in order that
 * somebody else has used ahead of the device. @return how many there are
 */
uint16_t vstate_used_ahead_return(struct vstate_vq *vq);

#endif /* VSTATE_STATE_FILE_H */

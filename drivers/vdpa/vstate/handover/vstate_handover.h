/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_HANDOVER_H
#define VSTATE_HANDOVER_H

/**
 * @file
 * What lets a device outlive its process: the part of this room in a device. Each member belongs to
 * the file that is named with it.
 */

struct vstate_dev;
struct vstate_inflight_shm;
struct vstate_recovery;
struct vstate_state_file;
struct vstate_takeover;

struct vstate_handover {
	/** The state file that this process owns, or NULL; vstate_state_file.c. */
	struct vstate_state_file *state_file;
	/** State left by a previous owner, applied to each ring when it comes; vstate_recover.c. */
	struct vstate_recovery *recovery;
	/** In-flight region of the front end, or NULL; vstate_inflight_shm.c. */
	struct vstate_inflight_shm *inflight_shm;
	/** Asks the owner of the state file for the device, or is asked; vstate_takeover.c. */
	struct vstate_takeover *takeover;
};

/**
 * Make the part, open the state file of state_dir=, and add the keepers. If another process owns the
 * file and takeover=1, that process will be asked by vstate_takeover_open().
 * @return 0 or -errno, as vstate_state_file_open()
 */
int vstate_handover_create(struct vstate_dev *dev);
/** Free it. Nobody finds the device any more. */
void vstate_handover_destroy(struct vstate_dev *dev);

#endif /* VSTATE_HANDOVER_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_HANDOVER_H
#define VSTATE_HANDOVER_H

/**
 * @file
 * The part of a device that lets it outlive its process: state file, crash recovery, in-flight
 * region, takeover. Each member belongs to the file that its comment names.
 */

struct vstate_dev;
struct vstate_inflight_shm;
struct vstate_recovery;
struct vstate_state_file;
struct vstate_takeover;

struct vstate_handover {
	/** The state file that this process owns, or NULL. Owner: vstate_state_file.c. */
	struct vstate_state_file *state_file;
	/**
	 * State left by the previous owner, or NULL. It is applied to each ring when the front end
	 * sets it up. Owner: vstate_recover.c.
	 */
	struct vstate_recovery *recovery;
	/** In-flight region of the front end, or NULL. Owner: vstate_inflight_shm.c. */
	struct vstate_inflight_shm *inflight_shm;
	/** Takeover by or from another process, or NULL. Owner: vstate_takeover.c. */
	struct vstate_takeover *takeover;
};

/**
 * Allocate the part, register the keepers, and open the state file of state_dir=. If another
 * process owns the file and takeover=1, vstate_takeover_open() asks that process for the device.
 * @return 0 or -errno, as vstate_state_file_open()
 */
int vstate_handover_create(struct vstate_dev *dev);
/** Free the part. The device is not published any more. */
void vstate_handover_destroy(struct vstate_dev *dev);

#endif /* VSTATE_HANDOVER_H */

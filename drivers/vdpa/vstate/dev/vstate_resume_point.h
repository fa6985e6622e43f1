/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RESUME_POINT_H
#define VSTATE_RESUME_POINT_H

/**
 * @file
 * This file alone decides where a ring resumes.
 *
 * Several keepers may know the position of a ring: a state that was restored, an in-flight region
 * that the front end keeps, the state file of an old process. They are asked in this order, and
 * the first answer is used. If no keeper knows the ring, the front end's base is used. The log
 * names the keeper.
 *
 * A keeper may also keep the position while the ring runs. A new process needs it if this process
 * is killed.
 *
 * All functions are called with the control lock held and no poll thread inside.
 */

#include <stdbool.h>
#include <stdint.h>

struct rte_vhost_state;
struct vstate_dev;
struct vstate_ring_setup;
struct vstate_setup;
struct vstate_vq;

/** Keepers in the order in which they are asked. */
enum vstate_keeper_rank {
	/** A state from the API, a file or DEVICE_STATE; vstate_restore.c. */
	VSTATE_KEEPER_RESTORED,
	/** vhost-user's in-flight region, kept by the front end; handover/vstate_inflight_shm.c. */
	VSTATE_KEEPER_INFLIGHT_SHM,
	/** The state file that an old process left; handover/vstate_recover.c. */
	VSTATE_KEEPER_STATE_FILE,
	VSTATE_KEEPER_MAX
};

enum vstate_keeper_answer {
	/** The keeper does not know the ring. */
	VSTATE_KEEPER_SILENT,
	/** The keeper moved the ring to its position. */
	VSTATE_KEEPER_APPLIED,
	/** The keeper's position does not fit the ring. The ring is unchanged. */
	VSTATE_KEEPER_REFUSED,
};

/** Members may be NULL, except name. */
struct vstate_keeper {
	/** Name in the log. */
	const char *name;
	/** Its positions are from a process that was killed: the driver may have missed a call. */
	bool after_kill;
	/**
	 * Rings were set up: return whether the keeper knows any of them.
	 * @return 1: ask this keeper and none after it; 2: ask this keeper, then those after it; 0:
	 *   do not ask this keeper; -errno: the keeper's state was to be applied and does not fit,
	 *   the reason is logged
	 */
	int (*begin)(struct vstate_dev *dev, const struct vstate_setup *setup);
	/**
	 * Move a ring that is ready to the keeper's position.
	 * @param why written with VSTATE_KEEPER_REFUSED: the reason, for the log
	 */
	enum vstate_keeper_answer (*apply)(struct vstate_dev *dev, struct vstate_vq *vq,
			const struct vstate_ring_setup *ring, const char **why);
	/** apply() was called for all rings that are ready. @return 0 or -errno as begin() */
	int (*end)(struct vstate_dev *dev, const struct vstate_setup *setup);
	/**
	 * Keep the position of a ring from now on, through vq->inflight_head.
	 * @return false if the keeper does not keep this ring
	 */
	bool (*attach)(struct vstate_dev *dev, struct vstate_vq *vq);
	/** Store the current positions of all rings. */
	void (*store)(struct vstate_dev *dev);
	/** The front end took the rings back in order: leave no positions for another process. */
	void (*retire)(struct vstate_dev *dev);
	/** Drop the positions that an old process left. */
	void (*forget)(struct vstate_dev *dev);
	/** The front end disconnected: drop what belongs to its connection. */
	void (*disconnect)(struct vstate_dev *dev);
	/** Another process took the memory away in which positions are kept. */
	bool (*is_lost)(const struct vstate_dev *dev);
	/**
	 * Return whether the keeper needs all rings at one instant. A ring then cannot be set up
	 * alone.
	 */
	bool (*needs_all)(const struct vstate_dev *dev);
};

struct vstate_resume_point {
	const struct vstate_keeper *keepers[VSTATE_KEEPER_MAX];
	/** A state that waits for its rings, or NULL. Owner: vstate_restore.c. */
	struct rte_vhost_state *restored;
	/** The state was loaded before the front end set the rings up. */
	bool restored_early;
	/** State captured when the front end took the rings back, until the next start; or NULL. */
	struct rte_vhost_state *kept;
};

/** Register a keeper, before a front end can connect. */
void vstate_resume_point_add(struct vstate_dev *dev, enum vstate_keeper_rank rank,
		const struct vstate_keeper *keeper);
/** Let the keepers store the state as it is now: a setting of the driver has changed. */
void vstate_resume_point_store(struct vstate_dev *dev);
/** Free the states that wait. */
void vstate_resume_point_fini(struct vstate_dev *dev);

/**
 * Move each ring that is ready to where it resumes, and let a keeper keep its position from then
 * on.
 * @return 0; -errno: a state that was restored does not fit
 */
int vstate_resume_point_apply(struct vstate_dev *dev, const struct vstate_setup *setup);
/** Move one ring to the front end's base, while the others run. */
void vstate_resume_point_apply_base(struct vstate_dev *dev, struct vstate_vq *vq,
		const struct vstate_ring_setup *ring);
/** Return whether a keeper needs all rings at one instant: a ring cannot be set up alone. */
bool vstate_resume_point_needs_all(const struct vstate_dev *dev);
/**
 * The front end took the rings back.
 * @param leave  true: store the positions for another process; false: leave none for one
 */
void vstate_resume_point_leave(struct vstate_dev *dev, bool leave);
/** The memory of a keeper was taken away. @return its name, or NULL */
const char *vstate_resume_point_lost(const struct vstate_dev *dev);
/** The front end disconnected. */
void vstate_resume_point_disconnect(struct vstate_dev *dev);

#endif /* VSTATE_RESUME_POINT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_RESUME_POINT_H
#define VSTATE_RESUME_POINT_H

/**
 * @file
 * Where a ring resumes, decided in this one place.
 *
 * Several keepers may know a position of a ring: a state that was restored, an in-flight region
 * that the front end keeps, the state file of a process before. They are asked in this order, and
 * the first answer holds. If none knows the ring, the base that the front end set holds. The log
 * names the keeper.
 *
 * A keeper may also keep the position while the ring runs, for a process that comes after a kill.
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

/** In the order in which they are asked. */
enum vstate_keeper_rank {
	/** A state by the API, a file or DEVICE_STATE; vstate_restore.c. */
	VSTATE_KEEPER_RESTORED,
	/** vhost-user's in-flight region, in the hands of the front end; handover room. */
	VSTATE_KEEPER_INFLIGHT_SHM,
	/** The state file that a process before left; handover room. */
	VSTATE_KEEPER_STATE_FILE,
	VSTATE_KEEPER_MAX
};

enum vstate_keeper_answer {
	/** It does not know the ring. */
	VSTATE_KEEPER_SILENT,
	/** The ring stands where the keeper says. */
	VSTATE_KEEPER_APPLIED,
	/** What it knows does not fit the ring; the ring is as it was. */
	VSTATE_KEEPER_REFUSED,
};

/** Members may be NULL, except name. */
struct vstate_keeper {
	/** For the log. */
	const char *name;
	/** What it knows was left by a kill: the driver may have missed its last call. */
	bool after_kill;
	/**
	 * Rings were set up: whether the keeper knows any of them.
	 * @return 1: ask it, and no keeper behind it; 2: ask it, then those behind it; 0: do not ask
	 *   it; -errno: what it knows was to be put in force and does not fit, the reason is logged
	 */
	int (*begin)(struct vstate_dev *dev, const struct vstate_setup *setup);
	/**
	 * Move a ring that is ready to where the keeper says.
	 * @param why written with VSTATE_KEEPER_REFUSED
	 */
	enum vstate_keeper_answer (*apply)(struct vstate_dev *dev, struct vstate_vq *vq,
			const struct vstate_ring_setup *ring, const char **why);
	/** All rings that are ready were asked for. @return 0 or -errno as begin() */
	int (*end)(struct vstate_dev *dev, const struct vstate_setup *setup);
	/** Keep the position of a ring from now on, through vq->inflight_head. False: it does not. */
	bool (*attach)(struct vstate_dev *dev, struct vstate_vq *vq);
	/** Note where all rings are now. */
	void (*store)(struct vstate_dev *dev);
	/** The front end has the rings back in order: leave nothing for a process that comes. */
	void (*retire)(struct vstate_dev *dev);
	/** Forget what a process before left. */
	void (*forget)(struct vstate_dev *dev);
	/** The front end went, and what belonged to its connection goes too. */
	void (*disconnect)(struct vstate_dev *dev);
	/** Another process took the memory away in which positions are kept. */
	bool (*is_lost)(const struct vstate_dev *dev);
	/** It knows, or keeps, all rings at one instant: a ring cannot come alone. */
	bool (*needs_all)(const struct vstate_dev *dev);
};

struct vstate_resume_point {
	const struct vstate_keeper *keepers[VSTATE_KEEPER_MAX];
	/** A state that waits for its rings, or NULL; vstate_restore.c. */
	struct rte_vhost_state *restored;
	/** It came before the front end set the rings up. */
	bool restored_early;
	/** The device as it was when the rings were taken back, until they come again; or NULL. */
	struct rte_vhost_state *kept;
};

/** Add a keeper; before a front end can come. */
void vstate_resume_point_add(struct vstate_dev *dev, enum vstate_keeper_rank rank,
		const struct vstate_keeper *keeper);
/** Free what waits. */
void vstate_resume_point_fini(struct vstate_dev *dev);

/**
 * Move each ring that is ready to where it resumes, and have its position kept from then on.
 * @return 0; -errno: a state that was put in force does not fit
 */
int vstate_resume_point_apply(struct vstate_dev *dev, const struct vstate_setup *setup);
/** The same for one ring that comes while the others run: at the front end's base. */
void vstate_resume_point_apply_base(struct vstate_dev *dev, struct vstate_vq *vq,
		const struct vstate_ring_setup *ring);
/** A ring cannot come alone now: a keeper needs all of them at one instant. */
bool vstate_resume_point_needs_all(const struct vstate_dev *dev);
/**
 * The rings are taken back.
 * @param leave  they stay as they are for another process, else nothing is left for one
 */
void vstate_resume_point_leave(struct vstate_dev *dev, bool leave);
/** The memory of a keeper was taken away. @return its name, or NULL */
const char *vstate_resume_point_lost(const struct vstate_dev *dev);
/** The front end went. */
void vstate_resume_point_disconnect(struct vstate_dev *dev);

#endif /* VSTATE_RESUME_POINT_H */

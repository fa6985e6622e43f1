/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

/**
 * @file
 * A device that moves no frame, but counts as a real one would: it resumes from its indices. The
 * fake guest (fake_guest.c) compares these indices with its own.
 */

#include "backend.h"

/** The errors that a fake device shall make, and counts of what it did. */
struct fake_device {
	struct backend be;
	struct rte_vhost_state *st;
	uint8_t status;
	bool refuse_suspend, refuse_restore;
	/** Process nothing after the next restore. */
	bool dead;
	unsigned int suspends, captures, restores, resumes, destroys, kills;
};

/** Create a device with the state of a split or packed ring. */
struct backend *fake_create(const struct backend_device *dev);
struct fake_device *fake_device(struct backend *be);
/** The device whose socket is @p path, NULL if there is none. */
struct fake_device *fake_find(const char *path);
/** Set if all devices that are created from now on have packed rings. */
void fake_packed(bool packed);

#endif /* FAKE_BACKEND_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FAKE_H
#define FAKE_H

/**
 * @file
 * A device and a guest that move no frame, but count as real ones would: the device
 * goes on from its indices, and the guest sees by how much these are wrong.
 */

#include "backend.h"
#include "guest.h"

/** What a fake device is told to do wrong, and what became of it. */
struct fake_device {
	struct backend be;
	struct rte_vhost_state *st;
	uint8_t status;
	bool refuse_suspend, refuse_restore;
	/** Process nothing after the next restore. */
	bool dead;
	unsigned int suspends, captures, restores, resumes, destroys, kills;
};

/** A device with the state of a split or packed ring. */
struct backend *fake_create(const struct backend_device *dev);
struct fake_device *fake_device(struct backend *be);
/** The device whose socket is @p path, as the guest connects to it; NULL if there is none. */
struct fake_device *fake_find(const char *path);
/** All devices made from now on have packed rings. */
void fake_packed(bool packed);

#endif /* FAKE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SETUP_H
#define VSTATE_SETUP_H

/**
 * @file
 * What a front end has said so far, as plain data: collected in one go by the thread that talks to
 * the front end, and applied to the device under the control lock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_mem.h"
#include "ring/vstate_pos.h"
#include "vstate_limits.h"

/** One ring, as the front end set it up. */
struct vstate_ring_setup {
	/** Mapped, with a kick descriptor, and enabled. */
	bool ready;
	uint16_t size;
	/** Descriptors, driver area and device area in this process; not checked. */
	void *desc, *driver, *device;
	/** An eventfd that does not block, still the caller's; -1: no calls. */
	int callfd;
	/** The front end set it since the device took one over. */
	bool callfd_fresh;
	/** The front end set a base that the device has not taken over yet. */
	bool base_fresh;
	/**
	 * The base that the front end set, and where the ring resumes if nothing is in flight:
	 * rte_vhost moves split rings to the used index that it finds in the guest's memory.
	 */
	struct vstate_pos avail, used;
};

struct vstate_setup {
	uint64_t features;
	/** The status byte comes by messages; else DRIVER_OK is implied by the start. */
	bool status_negotiated;
	/** By NET_SET_MTU; 0: not said. */
	uint16_t mtu;
	struct vstate_mem mem;
	/** The dirty log, and its length in bytes. */
	uint8_t *log_base;
	uint64_t log_size;
	struct vstate_ring_setup rings[VSTATE_MAX_VQS];
};

#endif /* VSTATE_SETUP_H */

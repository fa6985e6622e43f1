/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SETUP_H
#define VSTATE_SETUP_H

/**
 * @file
 * The set-up of a front end as plain data. The thread that talks to the front end collects it, and
 * the device applies it with the control lock held.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ring/vstate_mem.h"
#include "ring/vstate_pos.h"
#include "vstate_limits.h"

/** One ring, as the front end set it up. */
struct vstate_ring_setup {
	/** The ring is mapped and enabled, and has a kick eventfd. */
	bool ready;
	uint16_t size;
	/** Addresses of descriptors, driver area and device area in this process; not checked. */
	void *desc, *driver, *device;
	/** Non-blocking eventfd for calls, owned by the caller; -1: no calls. */
	int callfd;
	/** Eventfd of the driver's kicks, owned by the caller; negative: none. */
	int kickfd;
	/** The front end set @p callfd, @p kickfd, since the device last applied one. */
	bool callfd_fresh, kickfd_fresh;
	/** The front end set a base that the device has not applied yet. */
	bool base_fresh;
	/**
	 * @p avail is the base that the front end set. @p used is where the ring resumes if nothing
	 * is in flight. They differ because rte_vhost moves a split ring to the used index in the
	 * guest's memory.
	 */
	struct vstate_pos avail, used;
};

struct vstate_setup {
	uint64_t features;
	/** The front end sends the status byte (SET_STATUS). Else the start implies DRIVER_OK. */
	bool status_negotiated;
	/** The front end carries the in-flight region to where the rings resume. */
	bool inflight_carried;
	/** MTU of NET_SET_MTU; 0: the front end set none. */
	uint16_t mtu;
	struct vstate_mem mem;
	/** The dirty log, and its length in bytes. */
	uint8_t *log_base;
	uint64_t log_size;
	struct vstate_ring_setup rings[VSTATE_MAX_VQS];
};

#endif /* VSTATE_SETUP_H */

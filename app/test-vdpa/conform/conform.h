/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_H
#define CONFORM_H

/**
 * @file
 * The conformance items of VIRTIO 1.4 "Device Suspend" and "Device parts", each a test of a
 * device. Every item runs four times: split and packed rings; and what is asked of the device
 * is asked through the public API, or by the guest through vhost-user (status byte,
 * DEVICE_STATE).
 */

#include <rte_common.h>

#include "backend.h"
#include "guest.h"

struct conform {
	struct backend *be;
	bool packed;
	/** Through vhost-user, not the API. */
	bool user;
	struct guest *guest;
	struct guest_link *link;
	char why[256];
};

struct conform_item {
	/** "S3" and the like. */
	const char *name;
	const char *text;
	/** 0, or -1 after conform_no(). */
	int (*run)(struct conform *c);
};

extern const struct conform_item conform_suspend_items[];
extern const struct conform_item conform_parts_items[];
extern const struct conform_item conform_change_items[];

/** Say why an item does not hold. Returns -1. */
int conform_no(struct conform *c, const char *fmt, ...) __rte_format_printf(2, 3);

/** What has been set up before an item's own steps. */
enum conform_level {
	CONFORM_OPENED,
	CONFORM_NEGOTIATED,
	CONFORM_PREPARED,
	CONFORM_RUNNING,
};

/** A guest with a link to the device, and traffic if it is running. */
int conform_begin(struct conform *c, enum conform_level level);
/** The guest's link anew, as far as a set needs it. */
int conform_reopen(struct conform *c);
/** The guest's link anew, its rings as they are; @p bytes are set as the state. */
int conform_move(struct conform *c, const void *bytes, size_t len);
/** DRIVER_OK, and frames flow. */
int conform_run(struct conform *c);
/** Frames flow now. */
int conform_flow(struct conform *c);

/** The four things asked of a device; 0 or -errno. */
int conform_suspend(struct conform *c);
int conform_resume(struct conform *c);
/** @param bytes written: to be freed */
int conform_get(struct conform *c, uint8_t **bytes, size_t *len);
int conform_set(struct conform *c, const void *bytes, size_t len);

/** Status as the API tells it, after the status byte was seen to be the same; -1 if not. */
int conform_status(struct conform *c);

#endif /* CONFORM_H */

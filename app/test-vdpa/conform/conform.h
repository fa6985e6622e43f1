/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_H
#define CONFORM_H

/**
 * @file
 * What the conformance items of VIRTIO 1.4 "Device Suspend" and "Device parts" have in common.
 * Each item is a test of a device and runs four times: with split and with packed rings, asked
 * through the public API, or by the guest through vhost-user (status byte, DEVICE_STATE).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>

#include "reason.h"

struct backend;
struct guest;
struct guest_link;

struct conform {
	struct backend *be;
	bool packed;
	/** Through vhost-user instead of the API. */
	bool user;
	struct guest *guest;
	struct guest_link *link;
	char why[256];
};

struct conform_item {
	/** Such as "S3". */
	const char *name;
	const char *text;
	/** @return 0, or -1 after conform_no() */
	int (*run)(struct conform *c);
};

/** Record why an item does not hold. @return -1 */
#define conform_no(c, ...) \
	reason_keep(-1, (c)->why, sizeof((c)->why), __VA_ARGS__)

/** What is set up before an item's own steps. */
enum conform_level {
	CONFORM_OPENED,
	CONFORM_NEGOTIATED,
	CONFORM_PREPARED,
	CONFORM_RUNNING,
};

/** Create a guest with a link to the device; with CONFORM_RUNNING, start traffic. */
int conform_begin(struct conform *c, enum conform_level level);
/** Close the guest's link and open a new one, as far as conform_set() needs it. */
int conform_reopen(struct conform *c);
/** As conform_reopen(), then set @p bytes as the state. The rings stay as they are. */
int conform_move(struct conform *c, const void *bytes, size_t len);
/** Write DRIVER_OK and wait until frames flow. */
int conform_run(struct conform *c);
/** Check that frames flow now. */
int conform_flow(struct conform *c);

/* The four requests to a device. They return 0 or -errno. */
int conform_suspend(struct conform *c);
int conform_resume(struct conform *c);
/** Get the state. @param bytes written: to be freed by the caller */
int conform_get(struct conform *c, uint8_t **bytes, size_t *len);
int conform_set(struct conform *c, const void *bytes, size_t len);

/** Status from the API, after a check that the status byte is the same. @return -1 if not */
int conform_status(struct conform *c);

#endif /* CONFORM_H */

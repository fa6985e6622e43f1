/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_H
#define BACKEND_H

/**
 * @file
 * One device that the tool moves state from and to, in this process or in another.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

/** A device and its socket. A child process gets a byte-by-byte copy. */
struct backend_device {
	/** vdev name; its prefix selects the driver. */
	char name[RTE_VHOST_STATE_NAME_SIZE];
	char args[256];
	/** Path of the socket that front ends connect to. */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** The guest listens at the socket, and the device connects. */
	bool client;
	/** The device has no socket of its own; rte_vdpa attaches it to one. */
	bool attach;
	/** A device of rte_vhost's own data path instead of a vstate device. */
	bool plain;
};

struct backend;

/** All return 0 or -errno. If @p err has a reason, it is more precise than the errno. */
struct backend_ops {
	int (*info)(struct backend *be, struct rte_vhost_state_info *info);
	int (*suspend)(struct backend *be, uint32_t timeout_us, struct rte_vhost_state_error *err);
	/** @return the state, to be freed by the caller; NULL with rte_errno */
	struct rte_vhost_state *(*capture)(struct backend *be, struct rte_vhost_state_error *err);
	int (*restore)(struct backend *be, const struct rte_vhost_state *st,
			struct rte_vhost_state_error *err);
	int (*resume)(struct backend *be, struct rte_vhost_state_error *err);
	/** Kill the device at once, as a crash does; NULL if this is not possible. */
	int (*kill)(struct backend *be);
	/** Start a new device in place of a killed one. */
	int (*revive)(struct backend *be);
	/** Remove the device, free @p be. */
	void (*destroy)(struct backend *be);
};

struct backend {
	const struct backend_ops *ops;
	struct backend_device dev;
};

#endif /* BACKEND_H */

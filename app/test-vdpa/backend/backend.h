/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_H
#define BACKEND_H

/**
 * @file
 * One device that the tool moves state from and to, wherever it lives.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

#include <rte_vhost_state.h>

/** Which device, and where its socket is. Travels to a child process as it is. */
struct backend_device {
	/** Its vdev name, whose prefix picks the driver. */
	char name[RTE_VHOST_STATE_NAME_SIZE];
	char args[256];
	/** Path of the socket that front ends connect to. */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** The guest listens there, and the device comes to it. */
	bool client;
	/** The device has no socket of its own, and is attached to one through rte_vdpa. */
	bool attach;
	/** No device of vstate, but one of rte_vhost's own data path. */
	bool plain;
};

struct backend;

/** All return 0 or -errno; where @p err has a reason it tells more than the errno. */
struct backend_ops {
	int (*info)(struct backend *be, struct rte_vhost_state_info *info);
	int (*suspend)(struct backend *be, uint32_t timeout_us, struct rte_vhost_state_error *err);
	/** The state, to be freed by the caller; NULL with rte_errno. */
	struct rte_vhost_state *(*capture)(struct backend *be, struct rte_vhost_state_error *err);
	int (*restore)(struct backend *be, const struct rte_vhost_state *st,
			struct rte_vhost_state_error *err);
	int (*resume)(struct backend *be, struct rte_vhost_state_error *err);
	/** Let it die at once, as by a crash; NULL where that cannot be had. */
	int (*kill)(struct backend *be);
	/** Start a new one in the place of one that was killed. */
	int (*revive)(struct backend *be);
	/** Remove the device, free @p be. */
	void (*destroy)(struct backend *be);
};

struct backend {
	const struct backend_ops *ops;
	struct backend_device dev;
};

#endif /* BACKEND_H */

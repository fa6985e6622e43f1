/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "backend_plain.h"
#include "eal.h"
#include "rte_vhost_state_backend.h"
#include "vdpa_socket.h"

struct backend_local {
	struct backend be;
	/** The device processes rings, or will do so soon. */
	bool busy;
	/** Set if the device is no vdev, but one of rte_vhost's own data path. */
	struct plain *plain;
};

/* Busy devices of this process. Only the main thread of the tool calls back ends. */
static unsigned int nb_busy;

static void
busy_set(struct backend_local *lo, bool busy)
{
	if (lo->busy == busy)
		return;
	lo->busy = busy;
	nb_busy += busy ? 1 : -1;
	eal_idle_set(nb_busy == 0);
}

static struct backend_local *
local_of(struct backend *be)
{
	return container_of(be, struct backend_local, be);
}

static int
local_info(struct backend *be, struct rte_vhost_state_info *info)
{
	return rte_vhost_state_info_get(be->dev.name, info);
}

static int
local_suspend(struct backend *be, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	return rte_vhost_state_suspend(be->dev.name, timeout_us, err);
}

static struct rte_vhost_state *
local_capture(struct backend *be, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state *st = rte_vhost_state_capture(be->dev.name, err);

	if (st != NULL)
		busy_set(local_of(be), false);
	return st;
}

static int
local_restore(struct backend *be, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	/* The next message may be DRIVER_OK: the service lcore must not sleep then. */
	busy_set(local_of(be), true);
	return rte_vhost_state_restore(be->dev.name, st, err);
}

static int
local_resume(struct backend *be, struct rte_vhost_state_error *err)
{
	busy_set(local_of(be), true);
	return rte_vhost_state_resume(be->dev.name, err);
}

static void
local_destroy(struct backend *be)
{
	if (be->dev.plain) {
		plain_destroy(local_of(be)->plain);
		free(local_of(be));
		return;
	}
	if (be->dev.attach)
		vdpa_socket_close(be->dev.socket);
	if (rte_vdev_uninit(be->dev.name) < 0)
		fprintf(stderr, "dpdk-test-vdpa: cannot remove device %s\n", be->dev.name);
	busy_set(local_of(be), false);
	free(local_of(be));
}

static const struct backend_ops local_ops = {
	.info = local_info,
	.suspend = local_suspend,
	.capture = local_capture,
	.restore = local_restore,
	.resume = local_resume,
	.destroy = local_destroy,
};

struct backend *
backend_local_create(const struct backend_device *dev)
{
	struct backend_local *lo;
	int ret;

	lo = calloc(1, sizeof(*lo));
	if (lo == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	lo->be.ops = &local_ops;
	lo->be.dev = *dev;
	if (dev->plain) {
		lo->plain = plain_create(dev);
		if (lo->plain != NULL)
			return &lo->be;
		free(lo);
		return NULL;
	}
	/* rte_dev_probe() of some releases takes fewer than 128 characters of arguments. */
	ret = rte_vdev_init(dev->name, dev->args);
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa: cannot create device %s,%s: %s\n", dev->name,
			dev->args, rte_strerror(-ret));
		goto fail;
	}
	if (dev->attach) {
		ret = vdpa_socket_open(dev->socket, dev->name, false, NULL);
		if (ret < 0) {
			rte_vdev_uninit(dev->name);
			goto fail;
		}
	}
	busy_set(lo, true);
	return &lo->be;
fail:
	free(lo);
	rte_errno = -ret;
	return NULL;
}

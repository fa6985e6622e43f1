/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_vdpa.h>

#include "vdpa_socket.h"

static const struct rte_vhost_device_ops no_ops;

static int
socket_attach(const char *path, struct rte_vdpa_device *dev,
		const struct rte_vhost_device_ops *ops)
{
	const char *step;

	if (rte_vhost_driver_attach_vdpa_device(path, dev) != 0)
		step = "attach the device to";
	else if (rte_vhost_driver_callback_register(path, ops) != 0)
		step = "register callbacks for";
	else if (rte_vhost_driver_start(path) != 0)
		step = "start";
	else
		return 0;
	fprintf(stderr, "dpdk-test-vdpa: cannot %s socket %s\n", step, path);
	return -EIO;
}

/*
 * rte_vhost refuses a path that exists, and a process that was killed leaves its file. Remove it
 * only if it is a socket on which nobody listens.
 */
static void
stale_socket_remove(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) ||
			strlen(path) >= sizeof(un.sun_path))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	memcpy(un.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0 && errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

int
vdpa_socket_open(const char *path, const char *device, bool client,
		const struct rte_vhost_device_ops *ops)
{
	struct rte_vdpa_device *dev;
	int ret;

	dev = rte_vdpa_find_device_by_name(device);
	if (dev == NULL) {
		fprintf(stderr, "dpdk-test-vdpa: no vDPA device is named %s\n", device);
		return -ENODEV;
	}
	if (!client)
		stale_socket_remove(path);
	if (!client && access(path, F_OK) == 0) {
		fprintf(stderr, "dpdk-test-vdpa: %s exists already, and is in use or no socket\n",
			path);
		return -EEXIST;
	}
	if (rte_vhost_driver_register(path, client ? RTE_VHOST_USER_CLIENT : 0) != 0) {
		fprintf(stderr, "dpdk-test-vdpa: cannot register socket %s\n", path);
		return -EIO;
	}
	ret = socket_attach(path, dev, ops != NULL ? ops : &no_ops);
	if (ret < 0)
		vdpa_socket_close(path);
	return ret;
}

void
vdpa_socket_close(const char *path)
{
	/* This closes the connections first, which still use the device until they are closed. */
	rte_vhost_driver_unregister(path);
}

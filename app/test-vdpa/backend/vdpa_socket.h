/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VDPA_SOCKET_H
#define VDPA_SOCKET_H

/**
 * @file
 * A vhost-user socket with a vDPA device attached to it through rte_vdpa.
 */

#include <stdbool.h>

#include <rte_vhost.h>

/**
 * Register a socket, attach the vDPA device named @p device, and start to listen or connect. The
 * step that failed is reported on stderr.
 * @param ops  connection callbacks; NULL: none
 * @return 0, -ENODEV (no such vDPA device), -EEXIST (the file exists), -EIO
 */
int vdpa_socket_open(const char *path, const char *device, bool client,
		const struct rte_vhost_device_ops *ops);

/** Detach the device, close the socket. */
void vdpa_socket_close(const char *path);

#endif /* VDPA_SOCKET_H */

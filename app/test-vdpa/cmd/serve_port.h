/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef SERVE_PORT_H
#define SERVE_PORT_H

/**
 * @file
 * Ports of the serve subcommand: vDPA devices on vhost-user sockets.
 */

#include <stdbool.h>
#include <sys/un.h>

#include <rte_dev.h>

#define SERVE_MAX_PORTS 256

/** A socket and the device that is attached to it. */
struct serve_port {
	char device[RTE_DEV_NAME_MAX_LEN];
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** A front end runs the device. Written by vhost's thread, so it is accessed atomically. */
	bool connected;
};

/** Attach @p device to a socket at @p path. Errors are reported on stderr. @return 0 or -errno */
int serve_port_create(const char *device, const char *path, bool client);
/** Port number @p pos; NULL past the last one. */
const struct serve_port *serve_port_get(unsigned int pos);
/** The port of a device; NULL if it has none. */
const struct serve_port *serve_port_find(const char *device);
/** True if a front end runs the device of this port. */
bool serve_port_connected(const struct serve_port *port);
/** Close all sockets. */
void serve_ports_close(void);

#endif /* SERVE_PORT_H */

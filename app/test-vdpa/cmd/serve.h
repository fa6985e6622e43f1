/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef SERVE_H
#define SERVE_H

/**
 * @file
 * vDPA devices on vhost-user sockets, and the prompt that controls them.
 */

#include <stdbool.h>
#include <sys/un.h>

#include <rte_dev.h>

#define SERVE_MAX_PORTS 256

/** A socket and the device attached to it. */
struct serve_port {
	char device[RTE_DEV_NAME_MAX_LEN];
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** A front end has made the device run. Written by vhost's thread. */
	bool connected;
};

/** Attach @p device to a socket at @p path. Errors are told on stderr. */
int serve_port_create(const char *device, const char *path, bool client);
/** Walk the ports; NULL past the last. */
const struct serve_port *serve_port_get(unsigned int pos);
/** The port of a device, NULL if it has none. */
const struct serve_port *serve_port_find(const char *device);
bool serve_port_connected(const struct serve_port *port);
/** Close all sockets. */
void serve_ports_close(void);

/**
 * Obey commands from standard input until "quit", its end, or a signal.
 * @param client  sockets that "create" makes connect instead of listening
 * @return 0; -EIO if a command that came from no terminal failed
 */
int serve_prompt(bool client);

#endif /* SERVE_H */

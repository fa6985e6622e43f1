/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_CONSOLE_H
#define CONFORM_CONSOLE_H

/**
 * @file
 * The items of VIRTIO 1.4 "Console Device", and of the state of a console. Each item runs with split
 * and with packed rings. Behind each of them a driver that begins again gets bytes each way, and
 * the device has written nothing outside of the driver's buffers.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "guest_ports.h"

struct backend;

/** Port 0 is a terminal, the others are sockets; port 1 has a name. */
#define CONFORM_CONSOLE_PORTS 3
#define CONFORM_CONSOLE_NAME "org.vstate.1"

/** The host's side of a port. */
struct conform_console_host {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct conform_console {
	/** Two devices with the same arguments, but for the paths. */
	struct backend *be[2];
	struct conform_console_host hosts[2][CONFORM_CONSOLE_PORTS];
	bool packed;
	struct ports guest;
	char why[256];
};

struct conform_console_item {
	/** Such as "M1"; with H: hostile. */
	const char *name;
	const char *text;
	/** @return 0, or -1 with the reason in c->why */
	int (*run)(struct conform_console *c);
};

/** All items; the last one has no name. */
extern const struct conform_console_item conform_console_items[];
extern const struct conform_console_item conform_console_state_items[];

/** Run an item on devices that no front end uses. @return 0, or -1 with the reason in c->why */
int conform_console_run(struct conform_console *c, const struct conform_console_item *item);

#endif /* CONFORM_CONSOLE_H */

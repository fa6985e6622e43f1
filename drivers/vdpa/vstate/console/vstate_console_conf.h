/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_CONF_H
#define VSTATE_CONSOLE_CONF_H

/** @file Device arguments of the console class. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include <rte_common.h>

#include "dev/vstate_conf.h"
#include "dev/vstate_devarg.h"
#include "rte_vhost_state.h"

#define VSTATE_CONSOLE_MAX_PORTS RTE_VHOST_STATE_CONSOLE_PORTS

/** What the host's side of a port is. */
enum vstate_console_host_kind {
	/** A pseudo-terminal; the path is a symbolic link to it, or empty. */
	VSTATE_CONSOLE_PTY,
	/** A UNIX socket that listens at the path, for one peer at a time. */
	VSTATE_CONSOLE_UNIX,
};

struct vstate_console_port_conf {
	enum vstate_console_host_kind kind;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** Name that the driver gets, padded with zeros; may be empty. */
	char name[RTE_VHOST_STATE_CONSOLE_NAME];
};

/** Arguments of the console class, stored in struct vstate_conf::of_class. */
struct vstate_console_conf {
	uint16_t nb_ports;
	/** Bytes of the driver wait while the host's side is closed. Else they are dropped. */
	bool hold;
	struct vstate_console_port_conf ports[VSTATE_CONSOLE_MAX_PORTS];
};

/** Help text for RTE_PMD_REGISTER_PARAM_STRING. */
#define VSTATE_CONSOLE_CONF_PARAMS \
	"ports=<1-16> " \
	"hold=<0|1> " \
	"port0=<pty[:link]|unix:path> " \
	"name0=<text> "

/** Return the arguments of the console class, to write them. */
static inline struct vstate_console_conf *
vstate_console_conf(struct vstate_conf *conf)
{
	RTE_BUILD_BUG_ON(sizeof(struct vstate_console_conf) > sizeof(conf->of_class));
	return (struct vstate_console_conf *)(void *)conf->of_class;
}

/** Return the arguments of the console class, to read them. */
static inline const struct vstate_console_conf *
vstate_console_conf_const(const struct vstate_conf *conf)
{
	return (const struct vstate_console_conf *)(const void *)conf->of_class;
}

/** Return whether the device offers VIRTIO_CONSOLE_F_MULTIPORT, and has its queues. */
static inline bool
vstate_console_is_multiport(const struct vstate_conf *conf)
{
	return vstate_console_conf_const(conf)->nb_ports > 1;
}

#define VSTATE_CONSOLE_NB_DEVARGS (2 + 2 * VSTATE_CONSOLE_MAX_PORTS)
extern const struct vstate_devarg vstate_console_devargs[VSTATE_CONSOLE_NB_DEVARGS];

/* Members of struct vstate_class, documented there. */
void vstate_console_conf_default(struct vstate_conf *conf);
int vstate_console_conf_check(const char *dev_name, const struct vstate_conf *conf);

#endif /* VSTATE_CONSOLE_CONF_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "vstate_console_conf.h"
#include "vstate_log.h"

static int
parse_ports(const char *key, const char *value, void *field)
{
	struct vstate_console_conf *conf = field;
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, 1, VSTATE_CONSOLE_MAX_PORTS, &v);

	if (ret == 0)
		conf->nb_ports = v;
	return ret;
}

/* The number behind "port" or "name", as the table of arguments has it. */
static struct vstate_console_port_conf *
port_of_key(const char *key, void *field)
{
	struct vstate_console_conf *conf = field;

	return &conf->ports[strtoul(key + 4, NULL, 10)];
}

static int
parse_port(const char *key, const char *value, void *field)
{
	struct vstate_console_port_conf *port = port_of_key(key, field);
	const char *path = value != NULL ? strchr(value, ':') : NULL;

	if (value != NULL && strcmp(value, "pty") == 0) {
		port->kind = VSTATE_CONSOLE_PTY;
		return 0;
	}
	if (path != NULL && path[1] != '\0' &&
			rte_strscpy(port->path, path + 1, sizeof(port->path)) >= 0) {
		port->kind = strncmp(value, "pty:", 4) == 0 ? VSTATE_CONSOLE_PTY :
			VSTATE_CONSOLE_UNIX;
		if (port->kind == VSTATE_CONSOLE_PTY || strncmp(value, "unix:", 5) == 0)
			return 0;
	}
	VSTATE_LOG(ERR, "%s=%s: not pty, pty:LINK or unix:PATH with a path of up to %zu characters",
			key, value != NULL ? value : "", sizeof(port->path) - 1);
	return -EINVAL;
}

static bool
name_is_printable(const char *name)
{
	for (; *name != '\0'; name++)
		if (*name < ' ' || *name > '~' || *name == '"' || *name == '\\')
			return false;
	return true;
}

static int
parse_name(const char *key, const char *value, void *field)
{
	struct vstate_console_port_conf *port = port_of_key(key, field);

	if (value == NULL || *value == '\0' || strlen(value) >= sizeof(port->name) ||
			!name_is_printable(value)) {
		VSTATE_LOG(ERR, "%s=%s: a name of 1 to %zu printable characters without quote and "
				"backslash is needed", key, value != NULL ? value : "",
				sizeof(port->name) - 1);
		return -EINVAL;
	}
	memset(port->name, 0, sizeof(port->name));
	memcpy(port->name, value, strlen(value));
	return 0;
}

#define PORT_ARGS(n) { "port" #n, false, parse_port, 0 }, { "name" #n, false, parse_name, 0 }

const struct vstate_devarg vstate_console_devargs[VSTATE_CONSOLE_NB_DEVARGS] = {
	{ "ports", false, parse_ports, 0 },
	{ "hold", false, vstate_devarg_parse_bool, offsetof(struct vstate_console_conf, hold) },
	PORT_ARGS(0), PORT_ARGS(1), PORT_ARGS(2), PORT_ARGS(3),
	PORT_ARGS(4), PORT_ARGS(5), PORT_ARGS(6), PORT_ARGS(7),
	PORT_ARGS(8), PORT_ARGS(9), PORT_ARGS(10), PORT_ARGS(11),
	PORT_ARGS(12), PORT_ARGS(13), PORT_ARGS(14), PORT_ARGS(15),
};

void
vstate_console_conf_default(struct vstate_conf *conf)
{
	*vstate_console_conf(conf) = (struct vstate_console_conf){ .nb_ports = 1 };
	conf->service = false;
}

/* Two ports cannot have one path. */
static bool
paths_differ(const struct vstate_console_conf *conf)
{
	uint16_t i, k;

	for (i = 0; i < conf->nb_ports; i++)
		for (k = 0; k < i; k++)
			if (conf->ports[i].path[0] != '\0' &&
					strcmp(conf->ports[i].path, conf->ports[k].path) == 0)
				return false;
	return true;
}

int
vstate_console_conf_check(const char *dev_name, const struct vstate_conf *conf)
{
	const struct vstate_console_conf *console = vstate_console_conf_const(conf);
	const char *why = NULL;
	uint16_t i;

	if (conf->service)
		why = "service=1 is not for a console: it has a thread of its own";
	else if (conf->queues != 1)
		why = "a console has ports=N, not queues=";
	else if (!paths_differ(console))
		why = "two ports have the same path";
	for (i = console->nb_ports; i < VSTATE_CONSOLE_MAX_PORTS; i++)
		if (console->ports[i].path[0] != '\0' || console->ports[i].name[0] != '\0')
			why = "an argument is for a port that ports=N does not have";
	if (why == NULL)
		return 0;
	VSTATE_LOG(ERR, "%s: %s", dev_name, why);
	return -EINVAL;
}

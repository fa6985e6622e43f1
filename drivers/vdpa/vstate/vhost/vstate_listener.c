/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dev/vstate_clock.h"
#include "dev/vstate_conf.h"
#include "vstate_listener.h"
#include "vstate_log.h"

/* As many front ends as wait at once: one is served, and one more is looked at. */
#define BACKLOG 8
/* Bound for the kernel to close the socket of an owner that died; time between two looks. */
#define DYING_MS 2000
#define LOOK_US 10000

int
vstate_listener_open(struct rte_vhost_state_listener *l, const char *name,
		const struct vstate_conf *conf)
{
	const struct rte_vhost_state_listener_conf how = {
		.path = conf->iface,
		.mode = conf->socket_mode,
		.group = conf->socket_group,
		.backlog = BACKLOG,
	};
	const uint64_t until = vstate_clock_ms() + DYING_MS;
	const char *what;
	int ret;

	/*
	 * This process has locked the state file, so a process that owned the device before has
	 * ended. The kernel closes the descriptors of such a process one by one.
	 */
	while ((ret = rte_vhost_state_listener_open(l, &how, &what)) == -EADDRINUSE &&
			conf->state_dir[0] != '\0' && vstate_clock_ms() < until)
		usleep(LOOK_US);
	if (ret == -EADDRINUSE)
		VSTATE_LOG(ERR, "%s: %s is in use by another process, or is not a socket: give "
				"another iface=, or end that process", name, conf->iface);
	else if (ret != 0)
		VSTATE_LOG(ERR, "%s: cannot %s %s: %s", name, what, conf->iface, strerror(-ret));
	return ret;
}

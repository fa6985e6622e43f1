/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LISTENER_H
#define VSTATE_LISTENER_H

/**
 * @file
 * How the socket of iface= listens, and why it cannot. The rest is in vhost_state_listener.h.
 */

#include "vhost_state_listener.h"

struct vstate_conf;

/**
 * Listen at the path of iface=. The file of a process that died is replaced. With state_dir=, a
 * process that still listens gets two seconds to end: the state file is locked, so it is dying.
 * @param name of the device, for the log
 * @return 0; -EADDRINUSE: another process listens there, or it is not a socket; or another -errno.
 *   The reason is logged.
 */
int vstate_listener_open(struct rte_vhost_state_listener *l, const char *name,
		const struct vstate_conf *conf);

#endif /* VSTATE_LISTENER_H */

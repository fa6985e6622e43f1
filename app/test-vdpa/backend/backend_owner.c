/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_vhost_state.h>

#include "backend.h"
#include "backend_owner.h"

bool
backend_is_connected(struct backend *be)
{
	struct rte_vhost_state_info info;

	return be->ops->info(be, &info) == 0 && info.connected &&
		(info.status & RTE_VHOST_STATE_S_DRIVER_OK);
}

bool
backend_has_passed(struct backend *from, struct backend *to)
{
	struct rte_vhost_state_info info;

	return from->ops->info(from, &info) == 0 && !info.connected && backend_is_connected(to);
}

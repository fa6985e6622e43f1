/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Control sockets of a build without jansson: there are none. */

#include <errno.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_control.h"

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_control_open, 26.11)
int
rte_vhost_state_control_open(const char *path, uint32_t flags)
{
	RTE_SET_USED(path);
	RTE_SET_USED(flags);
	return -ENOTSUP;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_control_close, 26.11)
int
rte_vhost_state_control_close(const char *path)
{
	RTE_SET_USED(path);
	return -ENOENT;
}

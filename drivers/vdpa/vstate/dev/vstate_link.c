/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "rte_vhost_state.h"
#include "vstate_class.h"
#include "vstate_dev.h"
#include "vstate_link.h"

/* A suspended device keeps its link, because its guest resumes. */
void
vstate_link_update(struct vstate_dev *dev)
{
	if (dev->class->link != NULL)
		dev->class->link(dev, vstate_run_is_started(dev) && (vstate_run_status(dev) &
				(RTE_VHOST_STATE_S_DRIVER_OK | RTE_VHOST_STATE_S_SUSPEND)) != 0);
}

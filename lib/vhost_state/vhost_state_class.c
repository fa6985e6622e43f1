/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vhost_state_blk.h"
#include "vhost_state_class.h"
#include "vhost_state_console.h"
#include "vhost_state_net.h"
#include "vhost_state_reason.h"
#include "vhost_state_scsi.h"

static const struct vhost_state_class *const classes[] = {
	&vhost_state_net,
	&vhost_state_blk,
	&vhost_state_console,
	&vhost_state_scsi,
};

const struct vhost_state_class *
vhost_state_class_find(uint16_t device_id)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(classes); i++)
		if (classes[i]->device_id == device_id)
			return classes[i];
	return NULL;
}

int
vhost_state_class_fault(uint16_t device_id, int64_t offset, struct rte_vhost_state_error *e)
{
	return vhost_state_fault(e, RTE_VHOST_STATE_R_DEVICE_ID, -1, offset,
			classes[0]->device_id, device_id);
}

int
vhost_state_class_check_vqs(const struct vhost_state_class *class, uint16_t nb_vqs,
		int64_t offset, struct rte_vhost_state_error *e)
{
	if (nb_vqs >= class->min_vqs && nb_vqs <= class->max_vqs)
		return 0;
	return vhost_state_fault(e, RTE_VHOST_STATE_R_VQ_COUNT, -1, offset,
			nb_vqs < class->min_vqs ? class->min_vqs : class->max_vqs, nb_vqs);
}

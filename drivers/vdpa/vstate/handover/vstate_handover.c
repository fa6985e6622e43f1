/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>

#include "dev/vstate_dev.h"
#include "vstate_handover.h"
#include "vstate_inflight_shm.h"
#include "vstate_recover.h"
#include "vstate_state_file.h"
#include "vstate_takeover.h"

int
vstate_handover_create(struct vstate_dev *dev)
{
	int ret;

	dev->handover = calloc(1, sizeof(*dev->handover));
	if (dev->handover == NULL)
		return -ENOMEM;
	vstate_resume_point_add(dev, VSTATE_KEEPER_INFLIGHT_SHM, &vstate_inflight_shm_keeper);
	vstate_resume_point_add(dev, VSTATE_KEEPER_STATE_FILE, &vstate_recover_keeper);
	if (dev->conf.state_dir[0] == '\0')
		return 0;
	dev->release = vstate_takeover_ask;
	ret = vstate_state_file_open(dev);
	if (ret == -EBUSY && dev->conf.takeover)
		ret = vstate_takeover_prepare(dev);
	return ret;
}

void
vstate_handover_destroy(struct vstate_dev *dev)
{
	if (dev->handover == NULL)
		return;
	vstate_takeover_free(dev);
	vstate_inflight_shm_drop(dev);
	vstate_state_file_close(dev);
	vstate_recover_drop(dev);
	free(dev->handover);
	dev->handover = NULL;
}

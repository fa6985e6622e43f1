/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_common.h>

#include "rte_vhost_state.h"
#include "vstate_broken.h"
#include "vstate_class.h"
#include "vstate_control.h"
#include "vstate_dev.h"
#include "vstate_link.h"
#include "vstate_log.h"
#include "vstate_quiesce.h"
#include "vstate_restore.h"
#include "vstate_start.h"
#include "vstate_state.h"
#include "vstate_status.h"

#define S_SUSPEND RTE_VHOST_STATE_S_SUSPEND
#define S_FEATURES_OK RTE_VHOST_STATE_S_FEATURES_OK
#define S_NEEDS_RESET RTE_VHOST_STATE_S_NEEDS_RESET

/* Suspend and resume by the status byte have the bound and the timing of the API. */
static int
status_change(struct vstate_dev *dev, uint8_t result, struct rte_vhost_state_error *err)
{
	const bool started = vstate_run_is_started(dev);
	const uint8_t changed = vstate_run_status(dev) ^ result;
	uint8_t status;
	int ret = 0;

	if ((changed & S_SUSPEND) && (result & S_SUSPEND))
		ret = vstate_state_suspend(dev, VSTATE_SUSPEND_TIMEOUT_NS, err);
	else if ((changed & S_SUSPEND) && started && result != 0)
		ret = vstate_state_resume(dev, err);
	/* the device runs on, or starts: requests of a state that was restored wait */
	else if (result & RTE_VHOST_STATE_S_DRIVER_OK)
		vstate_quiesce_always(dev);
	else
		vstate_quiesce_finish(dev);
	status = vstate_run_status(dev);
	/* VIRTIO 1.4: a device that cannot suspend or resume sets NEEDS_RESET. */
	if (ret != 0)
		status |= S_NEEDS_RESET;
	else
		status = result != 0 ? result | (status & S_NEEDS_RESET) : 0;
	vstate_run_status_set(dev, status);
	return ret;
}

/* Keep the positions: QEMU resets the device first, then asks for the indices. */
static void
device_reset(struct vstate_dev *dev)
{
	dev->history.resets++;
	vstate_broken_clear(dev);
	/* vstate_broken_clear() sets NEEDS_RESET for a fault that belongs to the previous driver */
	vstate_run_status_set(dev, 0);
	if (dev->class->reset != NULL)
		dev->class->reset(dev);
	vstate_restore_drop(dev);
	vstate_start_await_none(dev);
}

static int
do_status_write(struct vstate_dev *dev, void *arg)
{
	uint8_t next = *(const uint8_t *)arg, cur = vstate_run_status(dev), result;
	struct rte_vhost_state_error err = { 0 };
	char text[128];
	int ret;

	/* vhost-user front ends send no status before FEATURES_OK. */
	if (next & S_FEATURES_OK)
		next |= RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER;
	ret = rte_vhost_state_status_write(cur, next, dev->guest.features, &result, &err);
	if (ret == 0 && result != cur) {
		ret = status_change(dev, result, &err);
		if (result == 0)
			device_reset(dev);
		vstate_grant(dev);
		vstate_link_update(dev);
	}
	if (ret != 0) {
		rte_vhost_state_error_format(&err, text, sizeof(text));
		VSTATE_LOG(WARNING, "%s: status 0x%02x after 0x%02x refused: %s", dev->name,
				next, cur, text);
	}
	return ret;
}

void
vstate_status_write(struct vstate_dev *dev, uint8_t status)
{
	vstate_control_run(do_status_write, dev, &status);
}

static int
do_status_read(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	vstate_broken_report(dev);
	return vstate_run_status(dev);
}

uint8_t
vstate_status_read(struct vstate_dev *dev)
{
	return vstate_control_run(do_status_read, dev, NULL);
}

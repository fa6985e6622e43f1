/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_bitops.h>

#include <vstate_compat.h>

#include "vhost_state_reason.h"

#define ACK		RTE_VHOST_STATE_S_ACKNOWLEDGE
#define DRIVER		RTE_VHOST_STATE_S_DRIVER
#define DRIVER_OK	RTE_VHOST_STATE_S_DRIVER_OK
#define FEATURES_OK	RTE_VHOST_STATE_S_FEATURES_OK
#define SUSPEND		RTE_VHOST_STATE_S_SUSPEND
#define NEEDS_RESET	RTE_VHOST_STATE_S_NEEDS_RESET
#define FAILED		RTE_VHOST_STATE_S_FAILED

/** Status bits that a driver sets, in order (VIRTIO 1.4 "Device Initialization"). */
static const uint8_t steps[] = { ACK, DRIVER, FEATURES_OK, DRIVER_OK };
#define STEPS	(ACK | DRIVER | FEATURES_OK | DRIVER_OK)

static bool
status_suspended(uint8_t status)
{
	return (status & (SUSPEND | DRIVER_OK)) == SUSPEND;
}

/* ---- operations on a device ---- */

static int
may_suspend(uint8_t status, struct rte_vhost_state_error *e)
{
	if ((status & DRIVER_OK) != 0 || status_suspended(status))
		return 0;
	return vhost_state_fault(e, RTE_VHOST_STATE_R_NOT_RUNNING, -1, -1, STEPS, status);
}

static int
may_resume(uint8_t status, struct rte_vhost_state_error *e)
{
	if ((status & DRIVER_OK) != 0 || status_suspended(status))
		return 0;
	return vhost_state_fault(e, RTE_VHOST_STATE_R_NOT_SUSPENDED, -1, -1,
			(STEPS & ~DRIVER_OK) | SUSPEND, status);
}

static int
may_capture(uint8_t status, struct rte_vhost_state_error *e)
{
	if (status_suspended(status))
		return 0;
	return vhost_state_fault(e, RTE_VHOST_STATE_R_NOT_SUSPENDED, -1, -1,
			(STEPS & ~DRIVER_OK) | SUSPEND, status);
}

static int
may_restore(uint8_t status, struct rte_vhost_state_error *e)
{
	if ((status & (FEATURES_OK | DRIVER_OK | SUSPEND)) != FEATURES_OK)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_NOT_CONFIGURABLE, -1, -1,
				STEPS & ~DRIVER_OK, status);
	if ((status & (NEEDS_RESET | FAILED)) != 0)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_NEEDS_RESET, -1, -1,
				STEPS & ~DRIVER_OK, status);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_may, 26.11)
int
rte_vhost_state_may(uint8_t status, enum rte_vhost_state_action action,
		struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	switch (action) {
	case RTE_VHOST_STATE_A_SUSPEND:
		may_suspend(status, &e);
		break;
	case RTE_VHOST_STATE_A_RESUME:
		may_resume(status, &e);
		break;
	case RTE_VHOST_STATE_A_CAPTURE:
		may_capture(status, &e);
		break;
	case RTE_VHOST_STATE_A_RESTORE:
		may_restore(status, &e);
		break;
	default:
		vhost_state_fault(&e, RTE_VHOST_STATE_R_STATUS_ILLEGAL, -1, -1,
				RTE_VHOST_STATE_A_RESTORE, action);
	}
	return vhost_state_report(err, &e);
}

/* ---- writes of a driver ---- */

/** Return the steps before the last one of @p status that @p status lacks; 0 if none. */
static uint8_t
steps_missing(uint8_t status)
{
	uint8_t needed = 0, before = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(steps); i++) {
		if ((status & steps[i]) != 0)
			needed = before;
		before |= steps[i];
	}
	return needed & ~status;
}

/** Return whether a device can have @p status: in or after reset, running or suspended. */
static bool
status_possible(uint8_t status)
{
	uint8_t up = status & ~(NEEDS_RESET | FAILED);

	if ((up & SUSPEND) != 0)
		return up == (ACK | DRIVER | FEATURES_OK | SUSPEND);
	return (up & ~STEPS) == 0 && steps_missing(up) == 0;
}

/**
 * Apply a write that resumes the device. @p set and @p cleared are the bits that the write
 * changes, without NEEDS_RESET. SUSPEND is the only bit that any write may clear, and only in the
 * write that sets DRIVER_OK. A suspended device has all other bits set that a driver can set, but
 * FAILED.
 */
static int
write_resume(uint8_t cur, uint8_t set, uint8_t cleared, uint8_t *result)
{
	if ((cleared & ~SUSPEND) != 0)
		return -1;
	*result = ((cur | set) & ~SUSPEND);
	return 0;
}

static int
write_suspend(uint8_t cur, uint8_t set, uint64_t driver_features, uint8_t *result)
{
	if ((cur & DRIVER_OK) == 0 ||
			(driver_features & RTE_BIT64(RTE_VHOST_STATE_F_SUSPEND)) == 0)
		return -1;
	/* The device clears DRIVER_OK when all its queues are quiesced. */
	*result = (cur | set) & ~DRIVER_OK;
	return 0;
}

static enum rte_vhost_state_reason
write_status(uint8_t cur, uint8_t next, uint64_t driver_features, uint8_t *result)
{
	uint8_t set = next & ~cur;
	uint8_t cleared = cur & ~next & ~NEEDS_RESET;

	if (!status_possible(cur) || (set & ~(STEPS | SUSPEND | FAILED)) != 0)
		return RTE_VHOST_STATE_R_STATUS_ILLEGAL;
	/* After FAILED a driver has to reset the device. */
	if ((cur & FAILED) != 0 && (set | cleared) != 0)
		return RTE_VHOST_STATE_R_STATUS_ILLEGAL;
	if (status_suspended(cur) && (set & DRIVER_OK) != 0)
		return write_resume(cur, set, cleared, result) == 0 ?
				RTE_VHOST_STATE_R_NONE : RTE_VHOST_STATE_R_STATUS_ILLEGAL;
	if (cleared != 0)
		return RTE_VHOST_STATE_R_STATUS_ILLEGAL;
	if ((set & SUSPEND) != 0)
		return write_suspend(cur, set, driver_features, result) == 0 ?
				RTE_VHOST_STATE_R_NONE : RTE_VHOST_STATE_R_STATUS_ILLEGAL;
	if (!status_suspended(cur) && steps_missing(next) != 0)
		return RTE_VHOST_STATE_R_STATUS_ILLEGAL;
	if ((cur & NEEDS_RESET) != 0 && (set & STEPS) != 0)
		return RTE_VHOST_STATE_R_NEEDS_RESET;
	*result = cur | set;
	return RTE_VHOST_STATE_R_NONE;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_status_write, 26.11)
int
rte_vhost_state_status_write(uint8_t cur, uint8_t next, uint64_t driver_features,
		uint8_t *result, struct rte_vhost_state_error *err)
{
	enum rte_vhost_state_reason reason = RTE_VHOST_STATE_R_NONE;
	struct rte_vhost_state_error e;

	*result = cur;
	if (next == 0)
		*result = 0;
	else
		reason = write_status(cur, next, driver_features, result);
	vhost_state_no_error(&e);
	if (reason != RTE_VHOST_STATE_R_NONE)
		vhost_state_fault(&e, reason, -1, -1, cur, next);
	return vhost_state_report(err, &e);
}

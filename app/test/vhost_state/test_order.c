/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "vhost_state_test.h"

#define F_SUSPEND (UINT64_C(1) << RTE_VHOST_STATE_F_SUSPEND)
#define NEEDS_RESET 0x40
#define FAILED 0x80

/* ---- writes of a driver ---- */

/**
 * All legal writes without NEEDS_RESET and FAILED, listed by hand from VIRTIO 1.4: status before,
 * byte that is written, status after. A reset is legal in every status and not listed.
 */
static const struct {
	uint8_t cur, next, result;
	bool suspend;
	/** The write is a step towards DRIVER_OK. */
	bool progress;
} legal[] = {
	/* One step or several steps at a time, none left out. */
	{ 0x00, 0x01, 0x01, false, true },
	{ 0x00, 0x03, 0x03, false, true },
	{ 0x00, 0x0b, 0x0b, false, true },
	{ 0x00, 0x0f, 0x0f, false, true },
	{ 0x01, 0x03, 0x03, false, true },
	{ 0x01, 0x0b, 0x0b, false, true },
	{ 0x01, 0x0f, 0x0f, false, true },
	{ 0x03, 0x0b, 0x0b, false, true },
	{ 0x03, 0x0f, 0x0f, false, true },
	{ 0x0b, 0x0f, 0x0f, false, true },
	/* No change. */
	{ 0x00, 0x00, 0x00, false, false },
	{ 0x01, 0x01, 0x01, false, false },
	{ 0x03, 0x03, 0x03, false, false },
	{ 0x0b, 0x0b, 0x0b, false, false },
	{ 0x0f, 0x0f, 0x0f, false, false },
	{ 0x1b, 0x1b, 0x1b, false, false },
	/* Suspend; resume by a driver that writes SUSPEND or leaves it out. */
	{ 0x0f, 0x1f, 0x1b, true, false },
	{ 0x1b, 0x1f, 0x0f, false, false },
	{ 0x1b, 0x0f, 0x0f, false, false },
};

struct expectation {
	enum rte_vhost_state_reason reason;
	uint8_t result;
};

static struct expectation expected[256][256];

static void
expect_write(uint8_t cur, uint8_t next, enum rte_vhost_state_reason reason, uint8_t result)
{
	expected[cur][next] = (struct expectation){ reason, result };
}

/** Add a row of the table, and the writes that follow from it for NEEDS_RESET and FAILED. */
static void
expect_row(unsigned int i, bool feature)
{
	const uint8_t cur = legal[i].cur, next = legal[i].next, result = legal[i].result;

	if (legal[i].suspend && !feature)
		return;
	expect_write(cur, next, RTE_VHOST_STATE_R_NONE, result);
	/* The driver sets FAILED. */
	expect_write(cur, next | FAILED, RTE_VHOST_STATE_R_NONE, result | FAILED);
	/* The device needs a reset. The driver may or may not have read that. */
	if (legal[i].progress) {
		expect_write(cur | NEEDS_RESET, next, RTE_VHOST_STATE_R_NEEDS_RESET, 0);
		expect_write(cur | NEEDS_RESET, next | NEEDS_RESET,
				RTE_VHOST_STATE_R_NEEDS_RESET, 0);
		expect_write(cur | NEEDS_RESET, next | FAILED, RTE_VHOST_STATE_R_NEEDS_RESET, 0);
		expect_write(cur | NEEDS_RESET, next | NEEDS_RESET | FAILED,
				RTE_VHOST_STATE_R_NEEDS_RESET, 0);
	} else {
		expect_write(cur | NEEDS_RESET, next, RTE_VHOST_STATE_R_NONE, result | NEEDS_RESET);
		expect_write(cur | NEEDS_RESET, next | NEEDS_RESET, RTE_VHOST_STATE_R_NONE,
				result | NEEDS_RESET);
		expect_write(cur | NEEDS_RESET, next | FAILED, RTE_VHOST_STATE_R_NONE,
				result | NEEDS_RESET | FAILED);
		expect_write(cur | NEEDS_RESET, next | NEEDS_RESET | FAILED, RTE_VHOST_STATE_R_NONE,
				result | NEEDS_RESET | FAILED);
	}
	/* After FAILED only the same byte and a reset are legal. */
	if (cur == next) {
		expect_write(cur | FAILED, cur | FAILED, RTE_VHOST_STATE_R_NONE, cur | FAILED);
		expect_write(cur | FAILED | NEEDS_RESET, cur | FAILED, RTE_VHOST_STATE_R_NONE,
				cur | FAILED | NEEDS_RESET);
		expect_write(cur | FAILED | NEEDS_RESET, cur | FAILED | NEEDS_RESET,
				RTE_VHOST_STATE_R_NONE, cur | FAILED | NEEDS_RESET);
	}
}

static void
build_expected(bool feature)
{
	unsigned int cur, next, i;

	for (cur = 0; cur < 256; cur++)
		for (next = 0; next < 256; next++)
			expect_write((uint8_t)cur, (uint8_t)next,
					RTE_VHOST_STATE_R_STATUS_ILLEGAL, 0);
	for (i = 0; i < RTE_DIM(legal); i++)
		expect_row(i, feature);
	for (cur = 0; cur < 256; cur++)
		expect_write((uint8_t)cur, 0, RTE_VHOST_STATE_R_NONE, 0);
}

static void
check_all_writes(uint64_t driver_features)
{
	struct rte_vhost_state_error err;
	const struct expectation *e;
	unsigned int cur, next;
	uint8_t result;
	int ret;

	for (cur = 0; cur < 256; cur++) {
		for (next = 0; next < 256; next++) {
			e = &expected[cur][next];
			result = 0x55;
			ret = rte_vhost_state_status_write((uint8_t)cur, (uint8_t)next,
					driver_features, &result, &err);
			if (err.reason != e->reason)
				fail_msg("0x%02x over 0x%02x: %s, not %s", next, cur,
						rte_vhost_state_reason_name(err.reason),
						rte_vhost_state_reason_name(e->reason));
			assert_int_equal(ret, -rte_vhost_state_reason_errno(e->reason));
			/* A refused write has no effect. */
			assert_int_equal(result, ret == 0 ? e->result : cur);
		}
	}
}

static void
every_status_write_has_the_listed_result_with_suspend(void **state)
{
	build_expected(true);
	check_all_writes(UINT64_MAX);
}

static void
every_status_write_has_the_listed_result_without_suspend(void **state)
{
	build_expected(false);
	check_all_writes(~F_SUSPEND);
}

/** VIRTIO 1.4 D1 and S1. */
static void
suspend_before_driver_ok_is_refused(void **state)
{
	struct rte_vhost_state_error err;
	uint8_t result;

	assert_refused(RTE_VHOST_STATE_R_STATUS_ILLEGAL, &err,
			rte_vhost_state_status_write(0x0b, 0x1b, F_SUSPEND, &result, &err));
	assert_int_equal(result, 0x0b);
	assert_int_equal(err.expected, 0x0b);
	assert_int_equal(err.found, 0x1b);
}

static void
suspend_without_the_feature_is_refused(void **state)
{
	struct rte_vhost_state_error err;
	uint8_t result;

	assert_refused(RTE_VHOST_STATE_R_STATUS_ILLEGAL, &err,
			rte_vhost_state_status_write(0x0f, 0x1f, 0, &result, &err));
	assert_int_equal(result, 0x0f);
}

/** VIRTIO 1.4 D2 and D4: the status that the driver reads. */
static void
suspended_device_shows_suspend_and_no_driver_ok(void **state)
{
	uint8_t result;

	assert_int_equal(rte_vhost_state_status_write(0x0f, 0x1f, F_SUSPEND, &result, NULL), 0);
	assert_int_equal(result, 0x1b);
	assert_int_equal(rte_vhost_state_status_write(0x1b, 0x1f, F_SUSPEND, &result, NULL), 0);
	assert_int_equal(result, 0x0f);
}

static void
driver_ok_while_a_reset_is_needed_is_refused(void **state)
{
	struct rte_vhost_state_error err;
	uint8_t result;

	assert_refused(RTE_VHOST_STATE_R_NEEDS_RESET, &err,
			rte_vhost_state_status_write(0x4b, 0x4f, 0, &result, &err));
	assert_int_equal(result, 0x4b);
}

/* ---- operations on a device ---- */

/** Legal operations, listed by hand: S suspend, U resume, C capture, R restore. */
static const struct {
	uint8_t status;
	const char *may;
} actions[] = {
	{ 0x00, "" }, { 0x40, "" }, { 0x80, "" }, { 0xc0, "" },
	{ 0x01, "" }, { 0x41, "" }, { 0x81, "" }, { 0xc1, "" },
	{ 0x03, "" }, { 0x43, "" }, { 0x83, "" }, { 0xc3, "" },
	{ 0x0b, "R" }, { 0x4b, "" }, { 0x8b, "" }, { 0xcb, "" },
	{ 0x0f, "SU" }, { 0x4f, "SU" }, { 0x8f, "SU" }, { 0xcf, "SU" },
	{ 0x1b, "SUC" }, { 0x5b, "SUC" }, { 0x9b, "SUC" }, { 0xdb, "SUC" },
};

static void
check_action(uint8_t status, const char *may, enum rte_vhost_state_action action, char letter,
		enum rte_vhost_state_reason reason)
{
	struct rte_vhost_state_error err;

	if (strchr(may, letter) != NULL) {
		assert_int_equal(rte_vhost_state_may(status, action, &err), 0);
		assert_int_equal(err.reason, RTE_VHOST_STATE_R_NONE);
		return;
	}
	assert_refused(reason, &err, rte_vhost_state_may(status, action, &err));
	assert_int_equal(err.found, status);
	assert_int_equal(err.vq, -1);
}

static void
every_action_in_every_status_has_the_listed_result(void **state)
{
	const char *may;
	unsigned int i;
	uint8_t status;

	for (i = 0; i < RTE_DIM(actions); i++) {
		status = actions[i].status;
		may = actions[i].may;
		check_action(status, may, RTE_VHOST_STATE_A_SUSPEND, 'S',
				RTE_VHOST_STATE_R_NOT_RUNNING);
		check_action(status, may, RTE_VHOST_STATE_A_RESUME, 'U',
				RTE_VHOST_STATE_R_NOT_SUSPENDED);
		check_action(status, may, RTE_VHOST_STATE_A_CAPTURE, 'C',
				RTE_VHOST_STATE_R_NOT_SUSPENDED);
		check_action(status, may, RTE_VHOST_STATE_A_RESTORE, 'R',
				(status & 0x1f) == 0x0b ? RTE_VHOST_STATE_R_NEEDS_RESET :
				RTE_VHOST_STATE_R_NOT_CONFIGURABLE);
	}
}

static void
unknown_action_is_refused(void **state)
{
	struct rte_vhost_state_error err;

	assert_refused(RTE_VHOST_STATE_R_STATUS_ILLEGAL, &err,
			rte_vhost_state_may(0x0f, (enum rte_vhost_state_action)4, &err));
}

int
test_order(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_write_has_the_listed_result_with_suspend),
		cmocka_unit_test(every_status_write_has_the_listed_result_without_suspend),
		cmocka_unit_test(suspend_before_driver_ok_is_refused),
		cmocka_unit_test(suspend_without_the_feature_is_refused),
		cmocka_unit_test(suspended_device_shows_suspend_and_no_driver_ok),
		cmocka_unit_test(driver_ok_while_a_reset_is_needed_is_refused),
		cmocka_unit_test(every_action_in_every_status_has_the_listed_result),
		cmocka_unit_test(unknown_action_is_refused),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}

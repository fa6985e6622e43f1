/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "vhost_state_test.h"

static void
every_reason_has_its_own_name_and_text(void **state)
{
	unsigned int r, q;
	const char *name, *c;

	for (r = 0; r < RTE_VHOST_STATE_R_MAX; r++) {
		name = rte_vhost_state_reason_name(r);
		for (c = name; *c != '\0'; c++)
			assert_true(islower((unsigned char)*c) || *c == '_');
		assert_true(name[0] != '\0');
		assert_true(rte_vhost_state_reason_text(r)[0] != '\0');
		for (q = 0; q < r; q++) {
			assert_string_not_equal(name, rte_vhost_state_reason_name(q));
			assert_string_not_equal(rte_vhost_state_reason_text(r),
					rte_vhost_state_reason_text(q));
		}
		assert_int_equal(rte_vhost_state_reason_errno(r) == 0,
				r == RTE_VHOST_STATE_R_NONE);
	}
	assert_string_equal(rte_vhost_state_reason_name(RTE_VHOST_STATE_R_VQ_WRAP), "vq_wrap");
	assert_int_equal(rte_vhost_state_reason_errno(RTE_VHOST_STATE_R_NO_SPACE), ENOSPC);
}

static void
unknown_reason_has_a_name_and_a_text(void **state)
{
	const enum rte_vhost_state_reason unknown = RTE_VHOST_STATE_R_MAX;
	struct rte_vhost_state_error err;

	assert_string_equal(rte_vhost_state_reason_name(unknown), "unknown");
	assert_non_null(rte_vhost_state_reason_text(unknown));
	assert_int_equal(rte_vhost_state_reason_errno(unknown), EINVAL);
	assert_int_equal(rte_vhost_state_reason_count(unknown), 0);
	assert_int_equal(rte_vhost_state_refuse(&err, unknown, -1, 0, 0), -EINVAL);
}

static void
refusal_fills_the_error_and_counts_once(void **state)
{
	struct rte_vhost_state_error err;
	const uint64_t before = rte_vhost_state_reason_count(RTE_VHOST_STATE_R_TIMEOUT);

	assert_int_equal(rte_vhost_state_refuse(&err, RTE_VHOST_STATE_R_TIMEOUT, 5, 1000, 1001),
			-ETIMEDOUT);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_TIMEOUT);
	assert_int_equal(err.vq, 5);
	assert_int_equal(err.offset, -1);
	assert_int_equal(err.expected, 1000);
	assert_int_equal(err.found, 1001);
	assert_int_equal(rte_vhost_state_refuse(NULL, RTE_VHOST_STATE_R_TIMEOUT, 5, 0, 0),
			-ETIMEDOUT);
	assert_int_equal(rte_vhost_state_reason_count(RTE_VHOST_STATE_R_TIMEOUT), before + 2);
}

static void
assert_text(struct rte_vhost_state_error err, const char *expected)
{
	char buf[256];

	assert_int_equal(rte_vhost_state_error_format(&err, buf, sizeof(buf)), strlen(expected));
	assert_string_equal(buf, expected);
}

static void
error_is_formatted_as_text(void **state)
{
	assert_text((struct rte_vhost_state_error){ RTE_VHOST_STATE_R_VQ_WRAP, 3, 120, 0, 2 },
			"vq_wrap: wrap counter neither 0 nor 1, or set for a split ring "
			"(vq 3, offset 120, expected 0, found 2)");
	assert_text((struct rte_vhost_state_error){ RTE_VHOST_STATE_R_TRUNCATED, -1, 31, 32, 31 },
			"truncated: state ends too early (offset 31, expected 32, found 31)");
	assert_text((struct rte_vhost_state_error){ RTE_VHOST_STATE_R_FIT_MTU, -1, -1, 1500, 9000 },
			"fit_mtu: state has a larger MTU than this device "
			"(expected 1500, found 9000)");
	assert_text((struct rte_vhost_state_error){ RTE_VHOST_STATE_R_VQ_ADDRESS, 0, -1, 0x10000,
			0x10001 }, "vq_address: virtqueue address not aligned, or wraps around "
			"(vq 0, expected 0x10000, found 0x10001)");
	assert_text((struct rte_vhost_state_error){ RTE_VHOST_STATE_R_NOT_CONNECTED, -1, -1, 0, 0 },
			"not_connected: no front end is connected");
	assert_text((struct rte_vhost_state_error){ RTE_VHOST_STATE_R_IO, -1, -1, 0, ENOENT },
			"io: reading or writing the state failed (No such file or directory)");
	assert_text((struct rte_vhost_state_error){ RTE_VHOST_STATE_R_NONE, -1, -1, 0, 0 },
			"none: no error");
}

static void
long_error_text_is_cut_as_by_snprintf(void **state)
{
	const struct rte_vhost_state_error err = { RTE_VHOST_STATE_R_VQ_WRAP, 3, 120, 0, 2 };
	char whole[256], buf[256];
	size_t size;
	int len;

	len = rte_vhost_state_error_format(&err, whole, sizeof(whole));
	assert_int_equal(rte_vhost_state_error_format(&err, NULL, 0), len);
	for (size = 1; size <= (size_t)len; size++) {
		memset(buf, 0x7f, sizeof(buf));
		assert_int_equal(rte_vhost_state_error_format(&err, buf, size), len);
		assert_int_equal(strlen(buf), size - 1);
		assert_memory_equal(buf, whole, size - 1);
		assert_int_equal(buf[size], 0x7f);
	}
}

int
test_reason(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_its_own_name_and_text),
		cmocka_unit_test(unknown_reason_has_a_name_and_a_text),
		cmocka_unit_test(refusal_fills_the_error_and_counts_once),
		cmocka_unit_test(error_is_formatted_as_text),
		cmocka_unit_test(long_error_text_is_cut_as_by_snprintf),
	};

	return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}

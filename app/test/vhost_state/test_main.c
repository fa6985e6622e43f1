/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>

#include "vhost_state_test.h"

static void
every_reason_is_raised_by_a_test(void **state)
{
	bool complete = true;
	unsigned int r;

	for (r = RTE_VHOST_STATE_R_NONE + 1; r < RTE_VHOST_STATE_R_MAX; r++) {
		if (test_reason_seen[r])
			continue;
		print_error("reason %s has no test\n", rte_vhost_state_reason_name(r));
		complete = false;
	}
	assert_true(complete);
}

int
test_coverage(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_raised_by_a_test),
	};

	return cmocka_run_group_tests_name("coverage", tests, NULL, NULL);
}

int
main(void)
{
	int failed = 0;

	failed += test_model();
	failed += test_codec();
	failed += test_class();
	failed += test_blk();
	failed += test_net_ctrl();
	failed += test_console();
	failed += test_scsi();
	failed += test_golden();
	failed += test_refuse_model();
	failed += test_refuse_bytes();
	failed += test_refuse_fit();
	failed += test_hostile();
	failed += test_order();
	failed += test_reason();
	failed += test_io();
	failed += test_backend();
	failed += test_dump();
	failed += test_coverage();
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

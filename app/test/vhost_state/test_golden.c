/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <stdio.h>

#include "vhost_state_test.h"

#define GOLDEN_MAX 4096

/** Read the bytes of a file of hexadecimal digits; '#' begins a comment. */
static size_t
read_hex(const char *name, uint8_t *buf, size_t size)
{
	char path[4096], line[256], *p;
	unsigned int byte;
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", TEST_DATA_DIR, name);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		for (p = line; *p != '\0' && *p != '#';) {
			if (isspace((unsigned char)*p)) {
				p++;
				continue;
			}
			assert_int_equal(sscanf(p, "%2x", &byte), 1);
			assert_true(len < size);
			buf[len++] = (uint8_t)byte;
			p += 2;
		}
	}
	fclose(f);
	return len;
}

static void
assert_golden(const char *name, struct rte_vhost_state *expected)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	uint8_t golden[GOLDEN_MAX];
	size_t golden_len;

	golden_len = read_hex(name, golden, sizeof(golden));
	st = rte_vhost_state_decode(golden, golden_len, &err);
	assert_non_null(st);
	assert_true(rte_vhost_state_equal(st, expected));
	test_assert_encoded(expected, golden, golden_len);
	rte_vhost_state_free(st);
	rte_vhost_state_free(expected);
}

static void
golden_split_state_of_version_1_is_decoded(void **state)
{
	assert_golden("vhost_state_v1_split.hex", sample_split());
}

static void
golden_packed_state_of_version_1_is_decoded(void **state)
{
	assert_golden("vhost_state_v1_packed.hex", sample_packed());
}

static void
golden_packed_state_with_descriptors_of_version_1_is_decoded(void **state)
{
	assert_golden("vhost_state_v1_packed_descs.hex", sample_packed_descs());
}

static void
golden_state_of_a_disk_of_version_1_is_decoded(void **state)
{
	assert_golden("vhost_state_v1_blk.hex", sample_blk());
}

static void
golden_state_with_control_settings_of_version_1_is_decoded(void **state)
{
	assert_golden("vhost_state_v1_net_ctrl.hex", sample_net_ctrl());
}

static void
golden_state_of_a_console_of_version_1_is_decoded(void **state)
{
	assert_golden("vhost_state_v1_console.hex", sample_console());
}

static void
golden_state_of_a_scsi_host_of_version_1_is_decoded(void **state)
{
	assert_golden("vhost_state_v1_scsi.hex", sample_scsi());
}

int
test_golden(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_split_state_of_version_1_is_decoded),
		cmocka_unit_test(golden_packed_state_of_version_1_is_decoded),
		cmocka_unit_test(golden_packed_state_with_descriptors_of_version_1_is_decoded),
		cmocka_unit_test(golden_state_of_a_disk_of_version_1_is_decoded),
		cmocka_unit_test(golden_state_with_control_settings_of_version_1_is_decoded),
		cmocka_unit_test(golden_state_of_a_console_of_version_1_is_decoded),
		cmocka_unit_test(golden_state_of_a_scsi_host_of_version_1_is_decoded),
	};

	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}

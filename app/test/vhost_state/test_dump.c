/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>

#include "vhost_state_test.h"

/** Return what @p dump prints, to be freed. Frees @p st. */
static char *
dump_text(void (*dump)(const struct rte_vhost_state *st, FILE *f), struct rte_vhost_state *st)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	dump(st, f);
	fclose(f);
	assert_non_null(text);
	rte_vhost_state_free(st);
	return text;
}

static void
assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is missing", part);
}

static void
text_has_status_addresses_indices_and_buffers(void **state)
{
	char *text = dump_text(rte_vhost_state_dump, sample_packed());

	assert_contains(text, "virtio device 1, packed rings, 4 virtqueues");
	assert_contains(text, "0x1b ACKNOWLEDGE DRIVER FEATURES_OK SUSPEND\n");
	assert_contains(text, "52:54:00:12:34:56");
	assert_contains(text, "254/1");
	assert_contains(text, "3/0       8/1          3");
	assert_contains(text, "in flight: head 8 id 9 num 3 counter 101");
	assert_contains(text, "    3  not set up\n");
	free(text);
}

static void
descriptors_in_flight_are_shown_with_their_buffers(void **state)
{
	char *text = dump_text(rte_vhost_state_dump, sample_packed_descs());

	assert_contains(text, "in flight: head 4 id 43981 num 1 counter 100\n"
			"           desc 0x7ffe12345670 len 48 id 43981 INDIRECT\n"
			"         in flight: head 8 id 9 num 3 counter 101\n"
			"           desc 0x1000 len 12 id 9 NEXT\n"
			"           desc 0x2001 len 4294967295 id 65535 NEXT WRITE\n"
			"           desc 0x3002 len 1526 id 9 WRITE\n"
			"         in flight: head 1 id 2 num 1 counter 103\n"
			"           desc 0x8000000000 len 64 id 2\n");
	free(text);
	text = dump_text(rte_vhost_state_dump_json, sample_packed_descs());
	assert_contains(text, "\"counter\": 103}], \"inflight_descs\": ["
			"{\"addr\": \"0x7ffe12345670\", \"len\": 48, \"id\": 43981, "
			"\"flags\": 4}, "
			"{\"addr\": \"0x1000\", \"len\": 12, \"id\": 9, \"flags\": 1}, "
			"{\"addr\": \"0x2001\", \"len\": 4294967295, \"id\": 65535, "
			"\"flags\": 3}, ");
	assert_contains(text, "\"id\": 2, \"flags\": 0}], \"stats\": ");
	free(text);
}

/** A state that is not valid: it has fewer descriptors than its entries. */
static void
missing_descriptors_are_not_shown(void **state)
{
	struct rte_vhost_state *st = sample_packed_descs();
	char *text;

	assert_int_equal(rte_vhost_state_vq_inflight_descs_alloc(st, SAMPLE_BUSY_VQ, 1), 0);
	text = dump_text(rte_vhost_state_dump, st);
	assert_contains(text, "           desc 0x0 len 0 id 0\n"
			"         in flight: head 8 id 9 num 3 counter 101\n"
			"         in flight: head 1 id 2 num 1 counter 103\n");
	free(text);
}

static void
split_indices_are_shown_without_wraps(void **state)
{
	char *text = dump_text(rte_vhost_state_dump, sample_split());

	assert_contains(text, "split rings");
	assert_contains(text, "2     65535          3  pending");
	assert_contains(text, "signalled at used 4656");
	assert_contains(text, "packets 1000001 bytes 20015998343868");
	free(text);
}

static void
json_has_every_field(void **state)
{
	char *text = dump_text(rte_vhost_state_dump_json, sample_packed());

	assert_contains(text, "{\"format\": 1, \"device_id\": 1, \"status\": 27, "
			"\"device_features\": \"0x805200180a2\"");
	assert_contains(text, "\"ring\": \"packed\", \"net\": {\"mac\": \"52:54:00:12:34:56\", "
			"\"mtu\": 9000, \"status\": 1, \"active_pairs\": 1, \"rx_mode\": 5, "
			"\"guest_offloads\": \"0x82\"}, ");
	assert_contains(text, "{\"index\": 1, \"size\": 10, \"enabled\": true, "
			"\"desc_addr\": \"0x101000000\", \"driver_addr\": \"0x101100000\", "
			"\"device_addr\": \"0x101200000\", \"avail_idx\": 3, \"avail_wrap\": 0, "
			"\"used_idx\": 8, \"used_wrap\": 1, \"signalled_used\": 32775, "
			"\"signalled_valid\": true, \"notify_pending\": false, "
			"\"inflight\": [{\"head\": 4, \"id\": 43981, \"num\": 1, \"counter\": 100}, ");
	assert_contains(text, "\"stats\": {\"packets\": 77, \"bytes\": 4928}}");
	/* The output is one line. */
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	free(text);
}

int
test_dump(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_status_addresses_indices_and_buffers),
		cmocka_unit_test(descriptors_in_flight_are_shown_with_their_buffers),
		cmocka_unit_test(missing_descriptors_are_not_shown),
		cmocka_unit_test(split_indices_are_shown_without_wraps),
		cmocka_unit_test(json_has_every_field),
	};

	return cmocka_run_group_tests_name("dump", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "vhost_state_test.h"

/* The state of a SCSI host: what it refuses, and where it fits. */

#define SCSI_TYPE 0xf030
#define LUNS_TYPE 0xf031
#define HEADER 16
#define LUN_SIZE 48

#define ROW(name, reason, expected, found, change) \
	TEST_REFUSAL(sample_scsi, name, reason, expected, found, change)
#define LUN st->scsi.luns

TEST_CHANGE(much_sense, st->scsi.sense_size = 253)
TEST_CHANGE(no_sense, st->scsi.sense_size = 0)
TEST_CHANGE(short_cdb, st->scsi.cdb_size = 5)
TEST_CHANGE(long_cdb, st->scsi.cdb_size = 261)
TEST_CHANGE(no_lun, st->scsi.nb_luns = 0)
TEST_CHANGE(many_luns, st->scsi.nb_luns = 17)
TEST_CHANGE(wrong_attention, LUN[1].attention = 0x10)
TEST_CHANGE(wrong_event, LUN[1].event = 2)
TEST_CHANGE(odd_blocks, LUN[1].disk.blk_size = 1536)
TEST_CHANGE(no_capacity, LUN[0].disk.capacity = 0)
TEST_CHANGE(wrong_read_only, LUN[1].disk.read_only = 2)
TEST_CHANGE(wrong_cache, LUN[0].disk.write_cache = 3)
TEST_CHANGE(long_serial, memset(LUN[0].serial, 'a', RTE_VHOST_STATE_SCSI_SERIAL))
TEST_CHANGE(quoted_serial, LUN[0].serial[2] = '"')
TEST_CHANGE(gap_in_serial, LUN[1].serial[30] = 'x')

static const struct test_refusal invalid[] = {
	ROW("sense_data_of_253_bytes_is_refused", SCSI_SIZES, 252, 253, much_sense),
	ROW("no_sense_data_is_refused", SCSI_SIZES, 252, 0, no_sense),
	ROW("cdb_of_5_bytes_is_refused", SCSI_SIZES, 6, 5, short_cdb),
	ROW("cdb_of_261_bytes_is_refused", SCSI_SIZES, 260, 261, long_cdb),
	ROW("host_without_units_is_refused", SCSI_LUNS, 1, 0, no_lun),
	ROW("host_of_17_units_is_refused", SCSI_LUNS, 16, 17, many_luns),
	ROW("unknown_attention_is_refused", SCSI_FLAGS, 0x0f, 0x10, wrong_attention),
	ROW("event_of_2_is_refused", SCSI_FLAGS, 1, 2, wrong_event),
	ROW("unit_of_odd_blocks_is_refused", BLK_BLOCK_SIZE, 2048, 1536, odd_blocks),
	ROW("unit_without_sectors_is_refused", BLK_CAPACITY, 1, 0, no_capacity),
	ROW("read_only_flag_of_a_unit_of_2_is_refused", BLK_FLAGS, 1, 2, wrong_read_only),
	ROW("write_cache_flag_of_a_unit_of_3_is_refused", BLK_FLAGS, 1, 3, wrong_cache),
	ROW("serial_without_end_is_refused", SCSI_SERIAL, 31, 32, long_serial),
	ROW("serial_with_quote_is_refused", SCSI_SERIAL, ' ', '"', quoted_serial),
	ROW("byte_behind_the_serial_is_refused", SCSI_SERIAL, 0, 'x', gap_in_serial),
};

TEST_CHANGE(other_number, lim->scsi_luns = 3)
TEST_CHANGE(smaller_unit, lim->scsi_lun[0].disk.capacity--)
TEST_CHANGE(other_blocks, lim->scsi_lun[1].disk.blk_size = 512)
TEST_CHANGE(not_read_only, lim->scsi_lun[1].disk.read_only = 0)
TEST_CHANGE(other_serial, lim->scsi_lun[1].serial[0] = 'X')
TEST_CHANGE(console, lim->device_id = RTE_VHOST_STATE_ID_CONSOLE)

static const struct test_refusal unfit[] = {
	ROW("other_number_of_units_does_not_fit", FIT_SCSI_LUNS, 3, 2, other_number),
	ROW("smaller_unit_does_not_fit", FIT_BLK_CAPACITY, 0x123455, 0x123456, smaller_unit),
	ROW("unit_of_other_blocks_does_not_fit", FIT_BLK_BLOCK_SIZE, 512, 4096, other_blocks),
	ROW("read_only_unit_does_not_fit", FIT_BLK_READ_ONLY, 0, 1, not_read_only),
	ROW("unit_with_another_serial_does_not_fit", FIT_SCSI_SERIAL, 1, 1, other_serial),
	ROW("scsi_host_does_not_fit_console", FIT_DEVICE_ID, 3, 8, console),
};

static void
host_of_the_same_units_fits(void **state)
{
	struct rte_vhost_state *st = sample_scsi();
	struct rte_vhost_state_limits lim = sample_scsi_limits();
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	/* a disk that has grown, and what the driver chooses */
	lim.scsi_lun[0].disk.capacity += 8;
	lim.scsi_lun[0].disk.write_cache = 0;
	st->scsi.sense_size = 18;
	st->scsi.luns[0].attention = 0;
	st->scsi.luns[0].event = 0;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	/* limits that are not known */
	memset(lim.scsi_lun, 0, sizeof(lim.scsi_lun));
	lim.scsi_luns = 0;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	rte_vhost_state_free(st);
}

/* Change one byte of the value of a part, seal, and return the reason of the refusal. */
static enum rte_vhost_state_reason
spoil(uint16_t type, unsigned int at, uint8_t value)
{
	struct rte_vhost_state *st = sample_scsi();
	struct rte_vhost_state_error err;
	size_t len, part;
	uint8_t *buf;

	buf = test_encode(st, &len);
	part = test_find_part(buf, len, type, 0) + HEADER;
	buf[part + at] = value;
	test_seal(buf, len);
	assert_int_not_equal(test_state_result(rte_vhost_state_decode(buf, len, &err)), 0);
	assert_int_not_equal(err.offset, -1);
	free(buf);
	rte_vhost_state_free(st);
	return err.reason;
}

static void
wrong_bytes_of_the_parts_are_refused(void **state)
{
	assert_int_equal(spoil(SCSI_TYPE, 1, 1), RTE_VHOST_STATE_R_SCSI_SIZES);
	assert_int_equal(spoil(LUNS_TYPE, 15, 2), RTE_VHOST_STATE_R_SCSI_FLAGS);
	assert_int_equal(spoil(LUNS_TYPE, LUN_SIZE + 14, 0x40), RTE_VHOST_STATE_R_SCSI_FLAGS);
	assert_int_equal(spoil(LUNS_TYPE, 12, 7), RTE_VHOST_STATE_R_BLK_FLAGS);
	assert_int_equal(spoil(LUNS_TYPE, 17, 1), RTE_VHOST_STATE_R_SCSI_SERIAL);
}

static void
each_field_makes_a_difference(void **state)
{
	static void (*const changes[])(struct rte_vhost_state *st,
			struct rte_vhost_state_limits *lim) = { much_sense, long_cdb, many_luns,
		wrong_attention, wrong_event, odd_blocks, no_capacity, wrong_read_only, wrong_cache,
		long_serial, gap_in_serial };
	struct rte_vhost_state *a = sample_scsi(), *b = sample_scsi();
	unsigned int i;

	assert_true(rte_vhost_state_equal(a, b));
	for (i = 0; i < RTE_DIM(changes); i++) {
		b->scsi = a->scsi;
		changes[i](b, NULL);
		assert_false(rte_vhost_state_equal(a, b));
	}
	rte_vhost_state_free(a);
	rte_vhost_state_free(b);
}

int
test_scsi(void)
{
	struct CMUnitTest rows[RTE_DIM(invalid) + RTE_DIM(unfit)];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_of_the_same_units_fits),
		cmocka_unit_test(wrong_bytes_of_the_parts_are_refused),
		cmocka_unit_test(each_field_makes_a_difference),
	};
	int failed;

	tests_of_rows(rows, invalid, test_is_invalid);
	tests_of_rows(rows + RTE_DIM(invalid), unfit, test_does_not_fit);
	failed = cmocka_run_group_tests_name("scsi refusals", rows, NULL, NULL);
	return failed + cmocka_run_group_tests_name("scsi", tests, NULL, NULL);
}

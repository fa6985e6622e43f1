/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vhost_state_test.h"

/* The state of a disk: what it refuses, and where it fits. */

#define BLK_TYPE 0xf010

#define ROW(name, reason, expected, found, change) \
	TEST_REFUSAL(sample_blk, name, reason, expected, found, change)

#define CAPACITY UINT64_C(0x1122334456778)
#define MOST (INT64_MAX / 512)

TEST_CHANGE(small_blocks, st->blk.blk_size = 256)
TEST_CHANGE(large_blocks, st->blk.blk_size = 131072)
TEST_CHANGE(odd_blocks, st->blk.blk_size = 1536)
TEST_CHANGE(no_capacity, st->blk.capacity = 0)
TEST_CHANGE(much_capacity, st->blk.capacity = MOST + UINT64_C(1))
TEST_CHANGE(half_block, st->blk.capacity += 3)
TEST_CHANGE(wrong_read_only, st->blk.read_only = 2)
TEST_CHANGE(wrong_write_cache, st->blk.write_cache = 255)

static const struct test_refusal invalid[] = {
	ROW("block_below_512_bytes_is_refused", BLK_BLOCK_SIZE, 512, 256, small_blocks),
	ROW("block_above_65536_bytes_is_refused", BLK_BLOCK_SIZE, 65536, 131072, large_blocks),
	ROW("block_that_is_no_power_of_two_is_refused", BLK_BLOCK_SIZE, 2048, 1536, odd_blocks),
	ROW("disk_without_sectors_is_refused", BLK_CAPACITY, 1, 0, no_capacity),
	ROW("disk_that_is_too_large_is_refused", BLK_CAPACITY, MOST, MOST + UINT64_C(1),
			much_capacity),
	ROW("disk_that_ends_inside_a_block_is_refused", BLK_CAPACITY, CAPACITY, CAPACITY + 3,
			half_block),
	ROW("read_only_flag_of_2_is_refused", BLK_FLAGS, 1, 2, wrong_read_only),
	ROW("write_cache_flag_of_255_is_refused", BLK_FLAGS, 1, 255, wrong_write_cache),
};

TEST_CHANGE(smaller_disk, lim->blk_capacity -= 8)
TEST_CHANGE(other_blocks, lim->blk_size = 512)
TEST_CHANGE(disk_not_written, lim->blk_read_only = true)
TEST_CHANGE(state_not_written, st->blk.read_only = 1)
TEST_CHANGE(network, lim->device_id = RTE_VHOST_STATE_ID_NET)

static const struct test_refusal unfit[] = {
	ROW("smaller_disk_does_not_fit", FIT_BLK_CAPACITY, CAPACITY - 8, CAPACITY, smaller_disk),
	ROW("other_block_size_does_not_fit", FIT_BLK_BLOCK_SIZE, 512, 4096, other_blocks),
	ROW("read_only_disk_does_not_fit", FIT_BLK_READ_ONLY, 1, 0, disk_not_written),
	ROW("disk_that_writes_does_not_fit_read_only_state", FIT_BLK_READ_ONLY, 0, 1,
			state_not_written),
	ROW("disk_does_not_fit_network_device", FIT_DEVICE_ID, 1, 2, network),
};

static void
larger_disk_fits(void **state)
{
	struct rte_vhost_state *st = sample_blk();
	struct rte_vhost_state_limits lim = sample_blk_limits();
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	lim.blk_capacity += 8;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	/* limits that are not known */
	lim.blk_capacity = 0;
	lim.blk_size = 0;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	/* the driver chooses the write cache */
	st->blk.write_cache = 0;
	assert_int_equal(rte_vhost_state_check_fit(st, &lim, &err), 0);
	rte_vhost_state_free(st);
}

static void
wrong_bytes_of_the_part_are_refused(void **state)
{
	struct rte_vhost_state *st = sample_blk();
	struct rte_vhost_state_error err;
	uint8_t *buf;
	size_t len, at;

	buf = test_encode(st, &len);
	at = test_find_part(buf, len, BLK_TYPE, 0) + 16;
	buf[at + 15] = 1;
	test_seal(buf, len);
	assert_refused(RTE_VHOST_STATE_R_PART_RESERVED, &err,
			test_state_result(rte_vhost_state_decode(buf, len, &err)));
	assert_int_equal(err.offset, at + 15);
	buf[at + 15] = 0;
	buf[at + 12] = 3;
	test_seal(buf, len);
	assert_refused(RTE_VHOST_STATE_R_BLK_FLAGS, &err,
			test_state_result(rte_vhost_state_decode(buf, len, &err)));
	free(buf);
	rte_vhost_state_free(st);
}

static void
each_field_makes_a_difference(void **state)
{
	struct rte_vhost_state *a = sample_blk(), *b = sample_blk();

	assert_true(rte_vhost_state_equal(a, b));
	b->blk.capacity += 8;
	assert_false(rte_vhost_state_equal(a, b));
	b->blk = a->blk;
	b->blk.blk_size = 512;
	assert_false(rte_vhost_state_equal(a, b));
	b->blk = a->blk;
	b->blk.read_only = 1;
	assert_false(rte_vhost_state_equal(a, b));
	b->blk = a->blk;
	b->blk.write_cache = 0;
	assert_false(rte_vhost_state_equal(a, b));
	rte_vhost_state_free(a);
	rte_vhost_state_free(b);
}

int
test_blk(void)
{
	struct CMUnitTest rows[RTE_DIM(invalid) + RTE_DIM(unfit)];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(larger_disk_fits),
		cmocka_unit_test(wrong_bytes_of_the_part_are_refused),
		cmocka_unit_test(each_field_makes_a_difference),
	};
	int failed;

	tests_of_rows(rows, invalid, test_is_invalid);
	tests_of_rows(rows + RTE_DIM(invalid), unfit, test_does_not_fit);
	failed = cmocka_run_group_tests_name("blk refusals", rows, NULL, NULL);
	return failed + cmocka_run_group_tests_name("blk", tests, NULL, NULL);
}

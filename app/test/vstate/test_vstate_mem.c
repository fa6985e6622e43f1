/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include "ut_groups.h"
#include "ut_guest.h"
#include "ring/vstate_mem.h"
#include "vhost/vstate_mem_table.h"

union table {
	struct rte_vhost_memory head;
	uint8_t room[sizeof(struct rte_vhost_memory) +
		(VSTATE_MEM_MAX_REGIONS + 1) * sizeof(struct rte_vhost_mem_region)];
};

static uint8_t backing[64];

static void
row_add(union table *t, uint64_t gpa, uint64_t size)
{
	struct rte_vhost_mem_region *r = &t->head.regions[t->head.nregions++];

	r->guest_phys_addr = gpa;
	r->guest_user_addr = gpa + 0x7000000000;
	r->size = size;
	r->host_user_addr = (uintptr_t)backing + gpa % 64;
}

static void
regions_given_in_any_order_are_sorted(void **state)
{
	union table t = { .room = { 0 } };
	struct vstate_mem mem;
	uint32_t i;

	row_add(&t, 0x30000, 0x1000);
	row_add(&t, 0x10000, 0x1000);
	row_add(&t, 0x20000, 0x1000);
	row_add(&t, 0, 0x1000);
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), 0);
	assert_int_equal(mem.nb_regions, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(mem.regions[i].gpa, i * 0x10000);
}

static void
touching_regions_are_accepted_and_overlapping_ones_refused(void **state)
{
	struct vstate_mem mem;
	union table t;

	memset(&t, 0, sizeof(t));
	row_add(&t, 0x2000, 0x1000);
	row_add(&t, 0x1000, 0x1000);
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), 0);

	memset(&t, 0, sizeof(t));
	row_add(&t, 0x2000, 0x1000);
	row_add(&t, 0x1000, 0x1001);
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), -EINVAL);
}

static void
empty_and_wrapping_regions_are_refused(void **state)
{
	struct vstate_mem mem;
	union table t;

	memset(&t, 0, sizeof(t));
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), -EINVAL);
	row_add(&t, 0x1000, 0);
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), -EINVAL);

	memset(&t, 0, sizeof(t));
	row_add(&t, UINT64_MAX - 0xfff, 0x1001);
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), -EINVAL);

	memset(&t, 0, sizeof(t));
	row_add(&t, 0x1000, 0x1000);
	t.head.regions[0].host_user_addr = 0;
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), -EINVAL);
}

static void
as_many_regions_as_fit_are_taken_and_no_more(void **state)
{
	struct vstate_mem mem;
	union table t = { .room = { 0 } };
	uint32_t i;

	for (i = 0; i < VSTATE_MEM_MAX_REGIONS; i++)
		row_add(&t, i * 0x10000, 0x1000);
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), 0);
	row_add(&t, i * 0x10000, 0x1000);
	assert_int_equal(vstate_mem_table_build(&mem, &t.head), -E2BIG);
}

static void
chunk_ends_at_the_border_of_a_region(void **state)
{
	struct vstate_window win = { 0 };
	struct guest g = { 0 };
	uint32_t len;

	guest_add(&g, 0x1000, 100);
	guest_add(&g, 0x1000 + 100, 50); /* contiguous for the guest only */
	guest_add(&g, 0x5000, 10);

	len = 100;
	assert_ptr_equal(vstate_mem_chunk(&win, &g.mem, 0x1000, &len), guest_at(&g, 0x1000));
	assert_int_equal(len, 100);
	len = 200;
	assert_ptr_equal(vstate_mem_chunk(&win, &g.mem, 0x1000, &len), guest_at(&g, 0x1000));
	assert_int_equal(len, 100);
	len = 2;
	assert_ptr_equal(vstate_mem_chunk(&win, &g.mem, 0x1063, &len), guest_at(&g, 0x1063));
	assert_int_equal(len, 1);
	len = 1;
	assert_ptr_equal(vstate_mem_chunk(&win, &g.mem, 0x1064, &len), guest_at(&g, 0x1064));
	assert_int_equal(len, 1);
	len = UINT32_MAX;
	assert_ptr_equal(vstate_mem_chunk(&win, &g.mem, 0x5009, &len), guest_at(&g, 0x5009));
	assert_int_equal(len, 1);
	guest_free(&g);
}

static void
chunk_outside_all_regions_is_refused(void **state)
{
	static const uint64_t outside[] = { 0, 0xfff, 0x1064, 0x4fff, 0x500a, UINT64_MAX };
	struct vstate_window win = { 0 };
	struct guest g = { 0 };
	uint32_t len;
	size_t i;

	guest_add(&g, 0x1000, 100);
	guest_add(&g, 0x5000, 10);
	for (i = 0; i < RTE_DIM(outside); i++) {
		/* from a fresh window, and from one that was used */
		len = 1;
		assert_null(vstate_mem_chunk(&win, &g.mem, outside[i], &len));
		assert_non_null(vstate_mem_chunk(&win, &g.mem, 0x1000, &len));
		assert_null(vstate_mem_chunk(&win, &g.mem, outside[i], &len));
		memset(&win, 0, sizeof(win));
	}
	guest_free(&g);
}

static void
window_holds_what_lies_inside_and_nothing_else(void **state)
{
	const struct vstate_window win = { .gpa = 0x1000, .size = 0x100 };

	assert_true(vstate_window_holds(&win, 0x1000, 0x100));
	assert_true(vstate_window_holds(&win, 0x10ff, 1));
	assert_false(vstate_window_holds(&win, 0x1000, 0x101));
	assert_false(vstate_window_holds(&win, 0x0fff, 2));
	assert_false(vstate_window_holds(&win, 0x10ff, 2));
	assert_false(vstate_window_holds(&win, 0x1100, 1));
	/* sums that wrap */
	assert_false(vstate_window_holds(&win, UINT64_MAX, 2));
	assert_false(vstate_window_holds(&win, 0x1001, UINT64_MAX));
	assert_false(vstate_window_holds(&win, UINT64_MAX - 0xff, 0x1200));
}

static void
addresses_translate_both_ways(void **state)
{
	struct guest g = { 0 };
	union table t = { .room = { 0 } };

	guest_add(&g, 0x1000, 100);
	guest_add(&g, 0x9000, 10);
	assert_int_equal(vstate_mem_gpa(&g.mem, guest_at(&g, 0x1063)), 0x1063);
	assert_int_equal(vstate_mem_gpa(&g.mem, guest_at(&g, 0x9000)), 0x9000);
	assert_true(vstate_mem_gpa(&g.mem, backing) == UINT64_MAX);
	guest_free(&g);

	row_add(&t, 0x1000, 0x1000);
	assert_int_equal(vstate_mem_table_gpa(&t.head, 0x7000001fff), 0x1fff);
	assert_true(vstate_mem_table_gpa(&t.head, 0x7000002000) == UINT64_MAX);
	assert_true(vstate_mem_table_gpa(&t.head, 0) == UINT64_MAX);
}

int
test_vstate_mem(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_given_in_any_order_are_sorted),
		cmocka_unit_test(touching_regions_are_accepted_and_overlapping_ones_refused),
		cmocka_unit_test(empty_and_wrapping_regions_are_refused),
		cmocka_unit_test(as_many_regions_as_fit_are_taken_and_no_more),
		cmocka_unit_test(chunk_ends_at_the_border_of_a_region),
		cmocka_unit_test(chunk_outside_all_regions_is_refused),
		cmocka_unit_test(window_holds_what_lies_inside_and_nothing_else),
		cmocka_unit_test(addresses_translate_both_ways),
	};

	return cmocka_run_group_tests_name("vstate_mem", tests, NULL, NULL);
}

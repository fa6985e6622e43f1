/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>
#include <string.h>

#include "ut_groups.h"
#include "ring/vstate_dirty.h"

#define PAGE 4096ull

/* The plain way: a bit for each page, one after the other. */
static void
naive_mark(uint8_t *log, uint64_t size, uint64_t gpa, uint64_t len)
{
	uint64_t page;

	for (page = gpa / PAGE; len != 0 && page <= (gpa + len - 1) / PAGE; page++) {
		if (page / 8 < size)
			log[page / 8] |= 1 << page % 8;
	}
}

/* Logs of the same content, each an allocation of exactly its size at base + offset. */
struct logs {
	struct vstate_dirty d;
	uint8_t *naive, *block;
};

static void
logs_open(struct logs *l, uint64_t size, unsigned int offset)
{
	memset(l, 0, sizeof(*l));
	l->naive = calloc(1, size);
	l->block = calloc(1, size + offset);
	assert_non_null(l->naive);
	assert_non_null(l->block);
	l->d.base = l->block + offset;
	l->d.size = size;
}

static void
logs_mark(struct logs *l, uint64_t gpa, uint64_t len)
{
	vstate_dirty_mark(&l->d, gpa, len);
	naive_mark(l->naive, l->d.size, gpa, len);
}

static void
logs_close(struct logs *l)
{
	vstate_dirty_flush(&l->d);
	assert_memory_equal(l->d.base, l->naive, l->d.size);
	assert_int_equal(l->d.nb_words, 0);
	free(l->naive);
	free(l->block);
}

static void
mark_sets_the_bits_of_all_pages_touched(void **state)
{
	struct logs l;

	logs_open(&l, 64, 0);
	logs_mark(&l, 0, 1);
	logs_mark(&l, 3 * PAGE - 1, 2);
	logs_mark(&l, 63 * PAGE, 2 * PAGE);
	logs_mark(&l, 200 * PAGE + 17, 130 * PAGE);
	logs_close(&l);
}

static void
mark_of_nothing_sets_no_bit(void **state)
{
	struct logs l;

	logs_open(&l, 64, 0);
	logs_mark(&l, 5 * PAGE, 0);
	assert_int_equal(l.d.nb_words, 0);
	logs_close(&l);
}

static void
pages_beyond_the_log_are_left_out(void **state)
{
	uint64_t size;
	struct logs l;

	for (size = 1; size < 20; size++) {
		logs_open(&l, size, 0);
		logs_mark(&l, (size * 8 - 3) * PAGE, 500 * PAGE);
		logs_mark(&l, UINT64_MAX - 2 * PAGE, PAGE);
		logs_close(&l);
	}
}

static void
log_at_an_odd_address_is_written_byte_by_byte(void **state)
{
	unsigned int offset;
	struct logs l;

	for (offset = 1; offset < 8; offset++) {
		logs_open(&l, 33, offset);
		logs_mark(&l, 0, 1000 * PAGE);
		logs_close(&l);
	}
}

static void
more_words_than_the_cache_has_are_all_logged(void **state)
{
	struct logs l;
	unsigned int i;

	logs_open(&l, 8 * 3 * VSTATE_DIRTY_WORDS, 0);
	for (i = 0; i < 3 * VSTATE_DIRTY_WORDS; i++)
		logs_mark(&l, i * 64 * PAGE, 1);
	assert_true(l.d.nb_words > 0);
	logs_close(&l);
}

static void
bits_of_others_are_kept(void **state)
{
	struct logs l;

	logs_open(&l, 16, 0);
	l.d.base[3] = l.naive[3] = 0xa5;
	logs_mark(&l, 3 * 8 * PAGE + PAGE, 1);
	logs_close(&l);
}

static void
log_equals_a_naive_one_for_random_ranges(void **state)
{
	unsigned int round, i;
	struct logs l;

	srandom(1);
	for (round = 0; round < 200; round++) {
		logs_open(&l, 1 + random() % 300, random() % 3);
		for (i = 0; i < 100; i++) {
			logs_mark(&l, random() % (3000 * PAGE), random() % (i % 10 == 0 ?
					100 * PAGE : 3000));
			if (random() % 16 == 0)
				vstate_dirty_flush(&l.d);
		}
		logs_close(&l);
	}
}

int
test_vstate_dirty(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(mark_sets_the_bits_of_all_pages_touched),
		cmocka_unit_test(mark_of_nothing_sets_no_bit),
		cmocka_unit_test(pages_beyond_the_log_are_left_out),
		cmocka_unit_test(log_at_an_odd_address_is_written_byte_by_byte),
		cmocka_unit_test(more_words_than_the_cache_has_are_all_logged),
		cmocka_unit_test(bits_of_others_are_kept),
		cmocka_unit_test(log_equals_a_naive_one_for_random_ranges),
	};

	return cmocka_run_group_tests_name("vstate_dirty", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "unit.h"

static void
empty_set_summarizes_to_zero(void **state)
{
	struct stats s = STATS_INIT;
	struct stats_summary sum = { 1, 1, 1, 1 };

	stats_summarize(&s, &sum);
	assert_int_equal(sum.p50 | sum.p99 | sum.p999 | sum.max, 0);
}

static void
one_sample_is_every_percentile(void **state)
{
	struct stats s = STATS_INIT;
	struct stats_summary sum;

	assert_int_equal(stats_add(&s, 7), 0);
	stats_summarize(&s, &sum);
	assert_int_equal(sum.p50, 7);
	assert_int_equal(sum.p999, 7);
	assert_int_equal(sum.max, 7);
	stats_free(&s);
}

static void
percentiles_are_nearest_rank(void **state)
{
	struct stats s = STATS_INIT;
	struct stats_summary sum;
	unsigned int i;

	/* 1 .. 2000, out of order */
	for (i = 0; i < 2000; i++)
		assert_int_equal(stats_add(&s, (i * 7) % 2000 + 1), 0);
	stats_summarize(&s, &sum);
	assert_int_equal(sum.p50, 1000);
	assert_int_equal(sum.p99, 1980);
	assert_int_equal(sum.p999, 1998);
	assert_int_equal(sum.max, 2000);
	assert_int_equal(stats_percentile(&s, 0), 1);
	assert_int_equal(stats_percentile(&s, 250), 500);
	assert_int_equal(stats_percentile(&s, 1000), 2000);
	stats_free(&s);
	assert_int_equal(stats_percentile(&(struct stats)STATS_INIT, 500), 0);
}

static void
outlier_of_a_hundred_is_only_in_the_tail(void **state)
{
	struct stats s = STATS_INIT;
	struct stats_summary sum;
	unsigned int i;

	for (i = 0; i < 99; i++)
		stats_add(&s, 10);
	stats_add(&s, 5000);
	stats_summarize(&s, &sum);
	assert_int_equal(sum.p50, 10);
	assert_int_equal(sum.p99, 10);
	assert_int_equal(sum.p999, 5000);
	stats_free(&s);
}

static void
histogram_counts_every_sample_once(void **state)
{
	static const uint64_t ns[] = { 0, 999, 1000, 1999, 2000, 900000 };
	struct stats s = STATS_INIT;
	uint64_t low, high, count, sum = 0;
	char *text = NULL, *line, *save;
	size_t size, i;
	FILE *f;

	for (i = 0; i < sizeof(ns) / sizeof(ns[0]); i++)
		stats_add(&s, ns[i]);
	f = open_memstream(&text, &size);
	stats_histogram(&s, "t", f);
	fclose(f);
	line = strtok_r(text, "\n", &save);
	assert_string_equal(line, "t, us");
	while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
		assert_int_equal(sscanf(line, "%" SCNu64 " .. %" SCNu64 " %" SCNu64, &low, &high,
				&count), 3);
		if (low == 1)
			assert_int_equal(count, 2);
		sum += count;
	}
	assert_int_equal(sum, 6);
	assert_int_equal(high, 1024);
	free(text);
	stats_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_set_summarizes_to_zero),
		cmocka_unit_test(one_sample_is_every_percentile),
		cmocka_unit_test(percentiles_are_nearest_rank),
		cmocka_unit_test(outlier_of_a_hundred_is_only_in_the_tail),
		cmocka_unit_test(histogram_counts_every_sample_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "number.h"
#include "option.h"

int
option_refuse(const char *cmd, const char *opt, const char *word, const char *want)
{
	fprintf(stderr, "dpdk-test-vdpa %s: %s %s: %s is expected\n", cmd, opt, word, want);
	return -EINVAL;
}

int
option_number(const char *cmd, const char *opt, const char *word, uint64_t min, uint64_t max,
		uint64_t *value)
{
	char want[80];

	if (number_parse(word, min, max, value) == 0)
		return 0;
	if (max < UINT32_MAX)
		snprintf(want, sizeof(want), "a number from %" PRIu64 " to %" PRIu64, min, max);
	else if (min > 0)
		snprintf(want, sizeof(want), "a number from %" PRIu64, min);
	else
		snprintf(want, sizeof(want), "a number");
	return option_refuse(cmd, opt, word, want);
}

int
option_seconds(const char *cmd, const char *opt, const char *word, double *seconds)
{
	if (number_seconds_parse(word, seconds) == 0)
		return 0;
	return option_refuse(cmd, opt, word, "a number of seconds above 0");
}

int
option_choice(const char *cmd, const char *opt, const char *word, const char *no,
		const char *yes, bool *value)
{
	char want[64];

	*value = strcmp(word, yes) == 0;
	if (*value || strcmp(word, no) == 0)
		return 0;
	snprintf(want, sizeof(want), "%s or %s", no, yes);
	return option_refuse(cmd, opt, word, want);
}

int
option_frames(const char *cmd, const char *opt, const char *word, uint32_t *min, uint32_t *max)
{
	uint64_t low, high;

	if (number_range_parse(word, OPTION_FRAME_MIN, OPTION_FRAME_MAX, &low, &high) < 0)
		return option_refuse(cmd, opt, word, "LEN or LEN-LEN of "
			RTE_STR(OPTION_FRAME_MIN) " to " RTE_STR(OPTION_FRAME_MAX));
	*min = low;
	*max = high;
	return 0;
}

int
option_walk(const char *cmd, int argc, char **argv, const struct option *options,
		int (*take)(void *arg, int opt, const char *word), void *arg,
		void (*usage)(FILE *f))
{
	int opt;

	/* 0 begins again, also in the middle of a word */
	optind = 0;
	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h') {
			usage(stdout);
			return 1;
		}
		if (take(arg, opt, optarg) < 0)
			return -EINVAL;
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "dpdk-test-vdpa %s: unexpected argument '%s'\n", cmd, argv[optind]);
	return -EINVAL;
}

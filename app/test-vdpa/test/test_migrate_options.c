/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_vhost_state.h>

#include "guest_features.h"
#include "migrate.h"
#include "migrate_break.h"
#include "migrate_options.h"
#include "number.h"
#include "strvec.h"
#include "unit.h"

static int
options_parse(const char *line, struct migrate_options *opt)
{
	static struct strvec argv = STRVEC_INIT;

	/* Static, because options may point into it until the next call. */
	strvec_free(&argv);
	strvec_push(&argv, "migrate");
	assert_int_equal(strvec_split(&argv, line), 0);
	return migrate_options_parse(opt, argv.nb, argv.v);
}

static void
defaults_are_sane(void **state)
{
	struct migrate_options opt;

	assert_int_equal(options_parse("", &opt), 0);
	assert_true(opt.rounds > 0);
	assert_int_equal(opt.pairs, 1);
	assert_false(opt.packed);
	assert_int_equal(opt.ring_size, 256);
	assert_int_equal(opt.frame_min, 64);
	assert_int_equal(opt.frame_max, 1500);
	assert_int_equal(opt.features, GUEST_FEATURES_DEFAULT);
	assert_null(opt.breakage);
	assert_false(opt.process || opt.vdpa || opt.json || opt.verbose || opt.any_layout);
}

static void
every_option_is_taken(void **state)
{
	struct migrate_options opt;

	assert_int_equal(options_parse("--rounds 1000 --queues 64 --ring packed --size 100 "
		"--seconds 5 --seed 0x10 --frames 60-9000 --rate 100 --process --frontend vdpa "
		"--features mrg,in-order --any-layout --json --break wrap --state-file /x/y "
		"--verbose", &opt), 0);
	assert_int_equal(opt.rounds, 1000);
	assert_int_equal(opt.pairs, 64);
	assert_true(opt.packed);
	assert_int_equal(opt.ring_size, 100);
	assert_int_equal(opt.seconds, 5);
	assert_int_equal(opt.seed, 16);
	assert_int_equal(opt.frame_min, 60);
	assert_int_equal(opt.frame_max, 9000);
	assert_int_equal(opt.rate, 100);
	assert_true(opt.process && opt.vdpa && opt.any_layout && opt.json && opt.verbose);
	assert_true(opt.features == (UINT64_C(1) << 15 | UINT64_C(1) << 35));
	assert_string_equal(opt.breakage->name, "wrap");
	assert_string_equal(opt.state_file, "/x/y");
}

static void
seconds_alone_lift_the_limit_of_rounds(void **state)
{
	struct migrate_options opt;

	assert_int_equal(options_parse("--seconds 3", &opt), 0);
	assert_int_equal(opt.rounds, 0);
}

static void
status_carrier_asks_for_its_feature(void **state)
{
	struct migrate_options opt;

	assert_int_equal(options_parse("--via status", &opt), 0);
	assert_true((opt.features >> RTE_VHOST_STATE_F_SUSPEND & 1) != 0);
	assert_int_equal(options_parse("--via file", &opt), 0);
	assert_true((opt.features >> RTE_VHOST_STATE_F_SUSPEND & 1) == 0);
}

static void
buffers_in_flight_and_kills_are_asked_for(void **state)
{
	struct migrate_options opt;

	assert_int_equal(options_parse("--inflight 32768 --overtake", &opt), 0);
	assert_int_equal(opt.inflight, 32768);
	assert_true(opt.overtake);
	assert_int_equal(options_parse("--inflight 1 --via inflight", &opt), 0);
	assert_false(opt.overtake || opt.kill);
	assert_int_equal(options_parse("--kill --ring packed --break page", &opt), 0);
	assert_true(opt.kill && opt.breakage->state_file);
	assert_int_equal(options_parse("--upgrade --ring packed --queues 16", &opt), 0);
	assert_true(opt.upgrade && !opt.kill && !opt.reconnect);
	assert_int_equal(options_parse("--upgrade=keep", &opt), 0);
	assert_true(opt.upgrade && !opt.reconnect);
	assert_int_equal(options_parse("--upgrade=reconnect", &opt), 0);
	assert_true(opt.upgrade && opt.reconnect);
	assert_int_equal(options_parse("--kill --via inflight --frontend vdpa", &opt), 0);
}

static void
bad_values_are_refused(void **state)
{
	static const char *const bad[] = {
		"--rounds 0", "--rounds -1", "--rounds 1x", "--rounds ''", "--queues 0",
		"--queues 65", "--ring round", "--size 7", "--size 32769", "--size 100",
		"--seconds 0", "--seed x", "--frames 59", "--frames 100-99", "--frames 60-65551",
		"--frames 60-", "--rate 0", "--frontend blk", "--features nonsense",
		"--break nothing", "--break wrap", "--nonsense", "word",
		"--via pigeon", "--via status --frontend vdpa",
		"--via device-state --frontend vdpa",
		"--via vring-base --causal", "--via vring-base --fail-every 2",
		"--via vring-base --break index", "--fail-every 1", "--causal --break index",
		"--inflight 0", "--inflight 32769", "--inflight x", "--overtake",
		"--inflight 1 --overtake", "--inflight 4 --overtake --causal",
		"--inflight 4 --overtake --features in-order", "--via vring-base --inflight 4",
		"--via inflight --inflight 4 --overtake", "--frontend plain --inflight 4",
		"--frontend plain --kill", "--kill --causal", "--kill --inflight 4",
		"--kill --fail-every 3", "--kill --break index", "--break page",
		"--upgrade=maybe", "--upgrade=", "--upgrade --kill", "--upgrade --frontend vdpa",
		"--upgrade --inflight 4",
		"--upgrade --break index", "--upgrade --causal",
		"--break page --kill", "--break page --kill --ring packed --via inflight",
		"--rounds", "--rounds 18446744073709551616",
	};
	struct migrate_options opt;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (options_parse(bad[i], &opt) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

static void
help_is_neither_run_nor_error(void **state)
{
	struct migrate_options opt;

	assert_int_equal(options_parse("--help", &opt), 1);
}

static void
ranges_are_read(void **state)
{
	uint64_t low, high;

	assert_int_equal(number_range_parse("7", 1, 9, &low, &high), 0);
	assert_true(low == 7 && high == 7);
	assert_int_equal(number_range_parse("1-9", 1, 9, &low, &high), 0);
	assert_true(low == 1 && high == 9);
	assert_int_equal(number_range_parse("1-2-3", 1, 9, &low, &high), -EINVAL);
	assert_int_equal(number_range_parse("0-9", 1, 9, &low, &high), -EINVAL);
	assert_int_equal(number_range_parse("010", 1, 10, &low, &high), 0);
	assert_int_equal(low, 10);
}

static void
seconds_are_read(void **state)
{
	static const char *const bad[] = {
		"", "0", "-1", "+1", " 1", "1 ", "1s", "inf", "nan", ".", "1e9", "1e999",
	};
	double seconds = 0;
	unsigned int i;

	assert_int_equal(number_seconds_parse("2", &seconds), 0);
	assert_true(seconds == 2);
	assert_int_equal(number_seconds_parse(".5", &seconds), 0);
	assert_true(seconds == 0.5);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (number_seconds_parse(bad[i], &seconds) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	assert_true(seconds == 0.5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_sane),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(seconds_alone_lift_the_limit_of_rounds),
		cmocka_unit_test(status_carrier_asks_for_its_feature),
		cmocka_unit_test(buffers_in_flight_and_kills_are_asked_for),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(help_is_neither_run_nor_error),
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(seconds_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

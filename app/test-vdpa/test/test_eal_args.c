/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_common.h>

#include "eal_args.h"
#include "strvec.h"
#include "unit.h"

static const struct eal_args_host host = {
	.cpus = "0-1", .huge_free_mb = 0, .memory_mb = 512, .pid = 42,
};

/* Join the words of a vector with blanks, for a simple comparison. */
static const char *
words_join(const struct strvec *sv)
{
	static char text[1024];
	int i;

	text[0] = '\0';
	for (i = 0; i < sv->nb; i++) {
		if (i > 0)
			strcat(text, " ");
		strcat(text, sv->v[i]);
	}
	return text;
}

static void
expect_split(const char *line, int ret, const char *eal_want, const char *cmd_want)
{
	struct strvec argv = STRVEC_INIT, eal = STRVEC_INIT, cmd = STRVEC_INIT;

	assert_int_equal(strvec_split(&argv, line), 0);
	assert_int_equal(eal_args_split(argv.nb, argv.v, &eal, &cmd), ret);
	if (ret == 0) {
		assert_string_equal(words_join(&eal), eal_want);
		assert_string_equal(words_join(&cmd), cmd_want);
	}
	strvec_free(&argv);
	strvec_free(&eal);
	strvec_free(&cmd);
}

static void
words_are_parted_between_eal_and_command(void **state)
{
	expect_split("tool", 0, "", "");
	expect_split("tool migrate --rounds 5", 0, "", "migrate --rounds 5");
	expect_split("tool --vdev a,b=c -- serve --client", 0, "--vdev a,b=c", "serve --client");
	expect_split("tool serve --vdev a -- --client", 0, "--vdev a", "serve --client");
	expect_split("tool -- serve", 0, "", "serve");
	expect_split("tool --eal '-l 0-3 --no-huge' migrate", 0, "-l 0-3 --no-huge", "migrate");
	expect_split("tool migrate --eal=-l0 --json", 0, "-l0", "migrate --json");
	expect_split("tool -m 9 -- migrate --eal -l0", 0, "-l0 -m 9", "migrate");
}

static void
eal_option_without_value_is_refused(void **state)
{
	expect_split("tool migrate --eal", -EINVAL, "", "");
	expect_split("tool --eal=\"'open\" migrate", -EINVAL, "", "");
}

static const char *
args_build(const char *user_line, const struct eal_args_host *h)
{
	struct strvec user = STRVEC_INIT, out = STRVEC_INIT;
	const char *text;

	assert_int_equal(strvec_split(&user, user_line), 0);
	assert_int_equal(eal_args_build(&user, h, &out), 0);
	text = words_join(&out);
	strvec_free(&user);
	strvec_free(&out);
	return text;
}

static void
defaults_need_no_option(void **state)
{
	const char *text = args_build("", &host);

	assert_non_null(strstr(text, "--no-pci"));
	assert_non_null(strstr(text, "--no-huge --no-shconf -m512"));
	assert_null(strstr(text, "--in-memory"));
	assert_non_null(strstr(text, "--lcores=0@(0-1),1@(0-1) -S1"));
	assert_non_null(strstr(text, "--file-prefix=test-vdpa-42"));
	assert_non_null(strstr(text, "--log-level=lib.vhost*:error"));
}

static void
free_hugepages_are_used(void **state)
{
	struct eal_args_host h = host;
	const char *text;

	h.huge_free_mb = 512;
	text = args_build("", &h);
	assert_non_null(strstr(text, "--in-memory"));
	assert_null(strstr(text, "--no-huge"));
	assert_null(strstr(text, "-m512"));
}

static void
users_options_replace_defaults(void **state)
{
	assert_null(strstr(args_build("-l 0-3", &host), "--lcores"));
	assert_null(strstr(args_build("-l 0-3", &host), "-S1"));
	assert_null(strstr(args_build("--lcores 0,1", &host), "--lcores=0@"));
	assert_null(strstr(args_build("--in-memory", &host), "--no-huge"));
	assert_null(strstr(args_build("-m 99", &host), "-m512"));
	assert_non_null(strstr(args_build("-m 99", &host), "--no-huge"));
	assert_null(strstr(args_build("--file-prefix=x", &host), "test-vdpa-42"));
	assert_null(strstr(args_build("-a 0000:01:00.0", &host), "--no-pci"));
	assert_non_null(strstr(args_build("-S 1", &host), "--lcores=0@"));
	assert_null(strstr(args_build("-S 1", &host), "-S1"));
}

static void
users_options_come_last(void **state)
{
	const char *text = args_build("--log-level=8", &host);

	assert_string_equal(text + strlen(text) - strlen("--log-level=8"), "--log-level=8");
}

static void
verbose_leaves_log_levels_alone(void **state)
{
	struct eal_args_host h = host;

	h.verbose = true;
	assert_null(strstr(args_build("", &h), "--log-level"));
}

static void
child_gets_neither_devices_nor_prefix(void **state)
{
	struct strvec user = STRVEC_INIT, out = STRVEC_INIT;

	strvec_split(&user, "--vdev net_x,a=b -m 64 --file-prefix=p -a 0:1.0 --vdev=y --no-huge");
	assert_int_equal(eal_args_for_child(&user, &out), 0);
	assert_string_equal(words_join(&out), "-m 64 --no-huge");
	strvec_free(&user);
	strvec_free(&out);
}

static void
quotes_are_obeyed(void **state)
{
	struct strvec sv = STRVEC_INIT;

	assert_int_equal(strvec_split(&sv, " a 'b c'\"d\"\\ e  '' "), 0);
	assert_int_equal(sv.nb, 3);
	assert_string_equal(sv.v[1], "b cd e");
	assert_string_equal(sv.v[2], "");
	assert_null(sv.v[3]);
	strvec_free(&sv);
	assert_int_equal(strvec_split(&sv, "\"open"), -EINVAL);
	strvec_free(&sv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_parted_between_eal_and_command),
		cmocka_unit_test(eal_option_without_value_is_refused),
		cmocka_unit_test(defaults_need_no_option),
		cmocka_unit_test(free_hugepages_are_used),
		cmocka_unit_test(users_options_replace_defaults),
		cmocka_unit_test(users_options_come_last),
		cmocka_unit_test(verbose_leaves_log_levels_alone),
		cmocka_unit_test(child_gets_neither_devices_nor_prefix),
		cmocka_unit_test(quotes_are_obeyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

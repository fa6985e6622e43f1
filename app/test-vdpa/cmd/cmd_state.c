/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_vhost_state.h>

#include "cmd.h"
#include "cmd_state.h"
#include "report.h"

struct state_options {
	bool json;
	const char *file;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa state [--json] FILE\n"
		"\n"
		"Show the contents of a saved state, or why it is invalid. FILE '-' is standard\n"
		"input.\n"
		"\n"
		"  --json   report as one JSON object\n"
		"  --help   this text\n"
		"\n"
		"Exit status: 0 if the state is valid, 1 if it is invalid or not readable, 2 on\n"
		"wrong usage.\n");
}

static int
options_parse(struct state_options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(opt, 0, sizeof(*opt));
	optind = 0;
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (c == 'h') {
			usage_print(stdout);
			return 1;
		}
		if (c != 'j')
			goto bad;
		opt->json = true;
	}
	if (optind == argc - 1) {
		opt->file = argv[optind];
		return 0;
	}
	fprintf(stderr, "dpdk-test-vdpa state: exactly one FILE is expected\n");
bad:
	fprintf(stderr, "See dpdk-test-vdpa state --help\n");
	return -EINVAL;
}

static void
invalid_report(const struct state_options *opt, const struct rte_vhost_state_error *err, int error)
{
	char why[192];

	if (err->reason == RTE_VHOST_STATE_R_NONE)
		snprintf(why, sizeof(why), "%s", strerror(error));
	else
		rte_vhost_state_error_format(err, why, sizeof(why));
	fprintf(stderr, "dpdk-test-vdpa state: %s: %s\n", opt->file, why);
	if (opt->json)
		report_write(json_pack("{s:b, s:o, s:s, s:o}", "valid", 0,
			"file", report_text(opt->file),
			"reason", rte_vhost_state_reason_name(err->reason),
			"text", report_text(why)), stdout);
}

int
cmd_state(int argc, char **argv)
{
	struct rte_vhost_state_error err = { 0 };
	struct state_options opt;
	struct rte_vhost_state *st;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	if (strcmp(opt.file, "-") == 0)
		st = rte_vhost_state_read(STDIN_FILENO, &err);
	else
		st = rte_vhost_state_load(opt.file, &err);
	if (st == NULL) {
		invalid_report(&opt, &err, rte_errno);
		return CMD_FAILED;
	}
	if (opt.json)
		rte_vhost_state_dump_json(st, stdout);
	else
		rte_vhost_state_dump(st, stdout);
	rte_vhost_state_free(st);
	return CMD_OK;
}

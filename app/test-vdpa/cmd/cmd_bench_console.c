/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "bench_console.h"
#include "cmd.h"
#include "cmd_bench_console.h"
#include "eal.h"
#include "option.h"
#include "report.h"
#include "stop.h"
#include "workdir.h"

#define MEMORY_MB 64

struct console_bench_options {
	uint64_t milliseconds;
	bool json, verbose;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa bench --class console [OPTIONS]\n"
		"\n"
		"Measure one port of a console, in one direction at a time: 10^9 bytes a second\n"
		"through a UNIX socket, and TSC cycles of the device's thread for each byte, with\n"
		"those of the kernel. One more thread is the driver and the peer.\n"
		"\n"
		"  --ms N      time for each case in milliseconds (default 1000)\n"
		"  --json      the report as JSON\n"
		"  --verbose   show the logs of EAL and vhost\n"
		"  --help      this text\n"
		"\n"
		"Exit status: 0; 1 if a case failed, or a byte was missing; 2 on wrong usage.\n");
}

static int
option_take(void *options, int c, const char *word)
{
	struct console_bench_options *opt = options;

	switch (c) {
	case 'm': return option_number("bench", "--ms", word, 20, 1000000, &opt->milliseconds);
	case 'j': opt->json = true; return 0;
	case 'V': opt->verbose = true; return 0;
	case 'c': return 0;
	default: return -EINVAL;
	}
}

static int
options_parse(struct console_bench_options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "ms", required_argument, NULL, 'm' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int ret;

	*opt = (struct console_bench_options){ .milliseconds = 1000 };
	ret = option_walk("bench", argc, argv, long_options, option_take, opt, usage_print);
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa bench --class console --help\n");
	return ret;
}

static void
result_print(json_t *report, const struct bench_console_case *c,
		const struct bench_console_result *r)
{
	if (report != NULL)
		json_array_append_new(report, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "class",
			"console", "case", c->name, "gbytes_median", report_real(r->median, 3),
			"gbytes_max", report_real(r->max, 3), "cycles", report_real(r->cycles, 3),
			"bytes", report_count(r->bytes)));
	else
		printf("%-20s median %5.2f  max %5.2f GB/s, %5.2f cycles a byte\n", c->name,
				r->median, r->max, r->cycles);
	fflush(stdout);
}

static int
bench_main(void *arg, const struct workdir *wd)
{
	const struct console_bench_options *opt = arg;
	json_t *report = opt->json ? json_array() : NULL;
	struct backend_device dev = { .name = "console_vstate0" };
	const struct bench_console_case *cases;
	struct bench_console_result res;
	char port[sizeof(dev.socket)];
	struct backend *be = NULL;
	unsigned int nb, i;
	int ret = -ENAMETOOLONG;

	cases = bench_console_cases(&nb);
	if (workdir_path(wd, "0.sock", dev.socket, sizeof(dev.socket)) == 0 &&
			workdir_path(wd, "port", port, sizeof(port)) == 0 &&
			snprintf(dev.args, sizeof(dev.args), "iface=%s,port0=unix:%s,hold=1",
				dev.socket, port) < (int)sizeof(dev.args)) {
		be = backend_local_create(&dev);
		ret = be != NULL ? 0 : -rte_errno;
	}
	if (ret < 0)
		fprintf(stderr, "dpdk-test-vdpa bench: cannot create a console: %s\n",
				strerror(-ret));
	for (i = 0; i < nb && ret == 0 && stop_requested() == 0; i++) {
		ret = bench_console_run(&cases[i], dev.socket, port, opt->milliseconds / 1e3,
				&res);
		if (ret == 0)
			result_print(report, &cases[i], &res);
	}
	if (be != NULL)
		be->ops->destroy(be);
	if (opt->json && report_write(report, stdout) != 0)
		ret = -EIO;
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

int
cmd_bench_console(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MEMORY_MB, .plugin = true, .no_services = true };
	struct console_bench_options opt;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	stop_install();
	return cmd_in_eal(&need, bench_main, &opt);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "bench_disk.h"
#include "cmd.h"
#include "cmd_bench_disk.h"
#include "eal.h"
#include "guest_disk.h"
#include "option.h"
#include "report.h"
#include "stop.h"
#include "workdir.h"

#define MEMORY_MB 128

struct disk_bench_options {
	uint64_t depth, milliseconds;
	bool json, verbose;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa bench --class blk [OPTIONS]\n"
		"\n"
		"Measure a disk without storage: TSC cycles of the device for each read of 4096\n"
		"bytes. Guest and device run in turn on one core.\n"
		"\n"
		"  --depth N   requests under way, 1 to %u (default 64)\n"
		"  --ms N      time for each case in milliseconds (default 1000)\n"
		"  --json      the report as JSON\n"
		"  --verbose   show the logs of EAL and vhost\n"
		"  --help      this text\n"
		"\n"
		"Exit status: 0; 1 if a case failed; 2 on wrong usage.\n", DISK_MAX_DEPTH);
}

static int
options_parse(struct disk_bench_options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "depth", required_argument, NULL, 'd' },
		{ "ms", required_argument, NULL, 'm' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, ret = 0;

	*opt = (struct disk_bench_options){ .depth = 64, .milliseconds = 1000 };
	optind = 0;
	while (ret == 0 && (c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			break;
		case 'd':
			ret = option_number("bench", "--depth", optarg, 1, DISK_MAX_DEPTH,
					&opt->depth);
			break;
		case 'm':
			ret = option_number("bench", "--ms", optarg, 1, 1000000,
					&opt->milliseconds);
			break;
		case 'j':
			opt->json = true;
			break;
		case 'V':
			opt->verbose = true;
			break;
		case 'h':
			usage_print(stdout);
			return 1;
		default:
			ret = -EINVAL;
		}
	}
	if (ret == 0 && optind == argc)
		return 0;
	if (ret == 0)
		fprintf(stderr, "dpdk-test-vdpa bench: unexpected argument '%s'\n", argv[optind]);
	fprintf(stderr, "See dpdk-test-vdpa bench --class blk --help\n");
	return -EINVAL;
}

static void
result_print(json_t *report, const struct bench_disk_case *c, const struct bench_disk_result *r)
{
	if (report != NULL)
		json_array_append_new(report, json_pack("{s:s, s:o, s:o, s:o}", "case", c->name,
				"min", report_real(r->min, 1), "median", report_real(r->median, 1),
				"requests", report_count(r->requests)));
	else
		printf("%-20s min %6.1f  median %6.1f cycles a request (%" PRIu64 " requests)\n",
				c->name, r->min, r->median, r->requests);
	fflush(stdout);
}

static int
bench_main(void *arg, const struct workdir *wd)
{
	const struct disk_bench_options *opt = arg;
	const struct bench_disk_case *cases;
	struct backend_device dev = { .name = "blk_vstate0" };
	struct bench_disk_result res;
	json_t *report = NULL;
	struct backend *be;
	unsigned int nb, i;
	int ret = 0;

	if (workdir_path(wd, "0.sock", dev.socket, sizeof(dev.socket)) < 0)
		return CMD_FAILED;
	snprintf(dev.args, sizeof(dev.args), "iface=%s,store=null,size=1073741824", dev.socket);
	be = backend_local_create(&dev);
	if (be == NULL)
		return CMD_FAILED;
	cases = bench_disk_cases(&nb);
	if (opt->json)
		report = json_array();
	for (i = 0; i < nb && ret == 0 && stop_requested() == 0; i++) {
		ret = bench_disk_run(&cases[i], be, opt->depth, opt->milliseconds / 1e3, &res);
		if (ret == 0)
			result_print(report, &cases[i], &res);
	}
	if (opt->json && report_write(report, stdout) != 0)
		ret = -EIO;
	be->ops->destroy(be);
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

int
cmd_bench_disk(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MEMORY_MB, .plugin = true, .no_services = true };
	struct disk_bench_options opt;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	stop_install();
	return cmd_in_eal(&need, bench_main, &opt);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <alloca.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_cpu.h"
#include "bench_place.h"
#include "bench_port.h"
#include "bench_report.h"
#include "bench_result.h"
#include "bench_run.h"
#include "bench_sides.h"
#include "bench_socket.h"
#include "bench_stop.h"
#include "bench_stop_vhost.h"
#include "bench_two_core.h"
#include "clock.h"
#include "cmd.h"
#include "cmd_bench.h"
#include "cmd_bench_console.h"
#include "cmd_bench_disk.h"
#include "cmd_bench_socket.h"
#include "eal.h"
#include "option.h"
#include "progress.h"
#include "report.h"
#include "stop.h"
#include "workdir.h"

#define MEMORY_MB 128
#define MAX_RESULTS 128
/* The cases that a testpmd can serve which sends back all that it receives. */
#define SOCKET_CASES "loop/split,loop/packed"
/* Longest wait for a first turn in which all sides got a CPU. */
#define PATIENCE_NS UINT64_C(5000000000)

struct bench_options {
	struct bench_conf conf;
	const char *cases, *json;
	/** The file of the report, opened before the work begins; NULL: no report. */
	FILE *json_file;
	unsigned int mask;
	uint64_t packets, repeat;
	bool list, stop, verbose;
	struct bench_sockets sockets;
	/** Name of the first option that does not apply to other processes; NULL: none. */
	const char *own_only;
	/** With stop: the results of net_vhost. */
	struct bench_stop_result vhost_stops[BENCH_STOP_SIZES];
};

enum {
	OPT_CASE = 1, OPT_LIST, OPT_SECONDS, OPT_SLICE, OPT_MODE, OPT_CPU, OPT_GUEST_CPU, OPT_ONLY,
	OPT_STOP, OPT_REPEAT, OPT_PACKETS, OPT_JSON, OPT_VERBOSE, OPT_HELP,
	OPT_SOCKET,
};

static const struct option long_options[] = {
	{ "case", required_argument, NULL, OPT_CASE },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "slice-us", required_argument, NULL, OPT_SLICE },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "guest-cpu", required_argument, NULL, OPT_GUEST_CPU },
	{ "only", required_argument, NULL, OPT_ONLY },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "stop", no_argument, NULL, OPT_STOP },
	{ "repeat", required_argument, NULL, OPT_REPEAT },
	{ "packets", required_argument, NULL, OPT_PACKETS },
	{ "json", optional_argument, NULL, OPT_JSON },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa bench [OPTIONS]\n"
		"\n"
		"Measure net_vstate, net_vhost and a bare ring loop in turns: TSC cycles of the\n"
		"device for each packet, with the same frames, rings and bursts.\n"
		"\n"
		"  --case LIST       shell patterns of cases, separated by commas (default: all)\n"
		"  --list            list the cases\n"
		"  --seconds S       time for each case (default 1)\n"
		"  --slice-us N      length of a turn, 100 to 100000 (default 1500)\n"
		"  --mode MODE       single-core: guest and device in turn on one core (default)\n"
		"                    two-core: guest and device on a core each\n"
		"  --cpu N           CPU of the device (default: the last)\n"
		"  --guest-cpu N     CPU of the guest in two-core mode\n"
		"  --only NAMES      vstate, vhost, roofline, separated by commas (default: all)\n"
		"  --socket NAME=PATH\n"
		"                    measure back ends of other processes, which listen at PATH;\n"
		"                    up to 8 in turns (default: cases loop/split,loop/packed)\n"
		"  --stop            measure how long a stop takes under load\n"
		"  --repeat N        with --stop: number of stops, 10 to 1000000 (default 1000)\n"
		"  --packets N       send N packets through each case and end, for profilers\n"
		"  --class NAME      measure blk, scsi or console; see --class NAME --help\n"
		"  --json[=FILE]     report as JSON, on standard output or to FILE\n"
		"  --verbose         show the logs of EAL and vhost\n"
		"  --help            this text\n"
		"\n"
		"Exit status: 0 if all cases ran and every frame was accounted for, 1 if not,\n"
		"2 on wrong usage. The figures do not influence it.\n");
}

static int
only_parse(const char *list, unsigned int *mask)
{
	size_t len;
	int kind;

	*mask = 0;
	for (; *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		for (kind = 0; kind < BENCH_KINDS; kind++)
			if (strlen(bench_kind_names[kind]) == len &&
					strncmp(bench_kind_names[kind], list, len) == 0)
				break;
		if (kind == BENCH_KINDS)
			return -EINVAL;
		*mask |= 1u << kind;
	}
	return *mask != 0 ? 0 : -EINVAL;
}

static int
socket_parse(struct bench_options *o, const char *arg)
{
	int ret = bench_socket_add(&o->sockets, arg);

	return ret == 0 ? 0 : option_refuse("bench", "--socket", arg,
		ret == -E2BIG ? "at most 8 times" : ret == -EEXIST ? "another NAME" :
		"NAME=PATH with a NAME of up to 15 characters");
}

static int
cpu_parse(const char *opt, const char *arg, int *cpu)
{
	uint64_t n;
	int ret = option_number("bench", opt, arg, 0, 1023, &n);

	if (ret == 0 && !bench_cpu_usable(n))
		ret = option_refuse("bench", opt, arg, "a CPU that this process may use");
	if (ret == 0)
		*cpu = n;
	return ret;
}

static int
option_parse(struct bench_options *o, int opt, const char *arg)
{
	switch (opt) {
	case OPT_CASE: o->cases = arg; return 0;
	case OPT_LIST: o->list = true; return 0;
	case OPT_STOP: o->stop = true; return 0;
	case OPT_VERBOSE: o->verbose = true; return 0;
	case OPT_JSON: o->json = arg != NULL ? arg : "-"; return 0;
	case OPT_SLICE:
		return option_number("bench", "--slice-us", arg, 100, 100000, &o->conf.slice_us);
	case OPT_REPEAT: return option_number("bench", "--repeat", arg, 10, 1000000, &o->repeat);
	case OPT_PACKETS:
		return option_number("bench", "--packets", arg, 1, UINT64_MAX, &o->packets);
	case OPT_CPU: return cpu_parse("--cpu", arg, &o->conf.cpu);
	case OPT_GUEST_CPU: return cpu_parse("--guest-cpu", arg, &o->conf.guest_cpu);
	case OPT_MODE:
		return option_choice("bench", "--mode", arg, "single-core", "two-core",
			&o->conf.two_core);
	case OPT_SOCKET: return socket_parse(o, arg);
	case OPT_ONLY:
		if (only_parse(arg, &o->mask) == 0)
			return 0;
		return option_refuse("bench", "--only", arg,
			"a list of vstate, vhost and roofline");
	case OPT_SECONDS: return option_seconds("bench", "--seconds", arg, &o->conf.seconds);
	default:
		return -EINVAL;
	}
}

/* Name of an option that applies only to devices in this process; NULL for other options. */
static const char *
own_only_name(int opt)
{
	const struct option *o;

	switch (opt) {
	case OPT_MODE: case OPT_CPU: case OPT_ONLY: case OPT_STOP: case OPT_REPEAT:
	case OPT_PACKETS:
		break;
	default:
		return NULL;
	}
	for (o = long_options; o->val != opt; o++)
		;
	return o->name;
}

/* @return 0; 1 if the help was printed; -EINVAL */
static int
options_parse(struct bench_options *o, int argc, char **argv)
{
	int opt;

	*o = (struct bench_options){
		.conf = { .seconds = 1, .slice_us = 1500, .cpu = -1, .guest_cpu = -1 },
		.mask = (1u << BENCH_KINDS) - 1, .repeat = 1000,
	};
	optind = 0;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == OPT_HELP) {
			usage_print(stdout);
			return 1;
		}
		if (option_parse(o, opt, optarg) < 0)
			goto bad;
		if (o->own_only == NULL)
			o->own_only = own_only_name(opt);
	}
	if (optind < argc)
		fprintf(stderr, "dpdk-test-vdpa bench: unexpected argument '%s'\n", argv[optind]);
	else if (o->sockets.nb > 0 && o->own_only != NULL)
		fprintf(stderr, "dpdk-test-vdpa bench: --%s does not apply to --socket\n",
			o->own_only);
	else
		return 0;
bad:
	fprintf(stderr, "See dpdk-test-vdpa bench --help\n");
	return -EINVAL;
}

static void
cases_list(const char *patterns)
{
	const struct bench_case *c;
	unsigned int i;

	for (i = 0; (c = bench_case_get(i)) != NULL; i++)
		if (bench_case_match(patterns, c->name))
			printf("%s\n", c->name);
}

struct bench_run {
	const struct bench_options *o;
	struct bench_report rep;
	struct rte_mempool *pool;
	struct workdir wd;
	struct bench_helper *helper;
	struct bench_place place;
	struct progress progress;
	/** Cases to measure, and when the first one began. */
	unsigned int nb_cases;
	uint64_t start_ns;
	struct bench_result results[MAX_RESULTS];
	struct bench_stop_result stops[BENCH_STOP_RESULTS];
	FILE *table;
};

static int
slice_run(struct bench_run *run, struct bench_side *s, struct bench_work *work)
{
	uint64_t cycles = run->rep.tsc_hz / 1000000 * run->o->conf.slice_us;

	return run->helper != NULL ? bench_slice_two_core(run->helper, s, cycles, work) :
		bench_slice(s, cycles, work);
}

/* One slice of each side, all at the same place in memory. */
static int
slices_run(struct bench_run *run, struct bench_side sides[BENCH_KINDS],
		struct bench_work work[BENCH_KINDS])
{
	volatile uint8_t *unused;
	int kind, ret = 0;

	bench_place_take(&run->place, run->pool);
	unused = alloca(run->place.stack);
	*unused = 0;
	for (kind = 0; kind < BENCH_KINDS && ret == 0; kind++)
		if (sides[kind].guest != NULL)
			ret = slice_run(run, &sides[kind], &work[kind]);
	bench_place_leave(&run->place);
	return ret;
}

/*
 * On a busy machine the guest's thread may get no CPU for a slice. Then the whole turn is left out,
 * so that neighbours in time stay neighbours in the series.
 */
static int
turn_run(struct bench_run *run, struct bench_side sides[BENCH_KINDS],
		struct bench_series series[BENCH_KINDS])
{
	struct bench_work work[BENCH_KINDS] = { { 0 } };
	int kind, ret;

	ret = slices_run(run, sides, work);
	for (kind = 0; kind < BENCH_KINDS && ret == 0; kind++)
		if (sides[kind].guest != NULL && work[kind].count == 0)
			return 0;
	for (kind = 0; kind < BENCH_KINDS && ret == 0; kind++)
		if (sides[kind].guest != NULL)
			ret = bench_series_add(&series[kind], &work[kind]);
	return ret;
}

/* A B C A B C ... until the time is over, at least once. */
static int
case_slices(struct bench_run *run, const struct bench_case *c,
		struct bench_side sides[BENCH_KINDS], struct bench_series series[BENCH_KINDS])
{
	uint64_t begin = clock_ns(), spent = 0, budget = run->o->conf.seconds * 1e9;
	size_t turns = 0;
	int kind, ret = 0;

	while (ret == 0 && !stop_requested() &&
			(spent < budget || (turns == 0 && spent < budget + PATIENCE_NS))) {
		ret = turn_run(run, sides, series);
		for (kind = 0; kind < BENCH_KINDS; kind++)
			turns = RTE_MAX(turns, series[kind].nb);
		spent = clock_ns() - begin;
	}
	if (ret == 0 && turns == 0 && !stop_requested()) {
		fprintf(stderr, "dpdk-test-vdpa bench: %s: no frames flowed\n", c->name);
		ret = -ETIMEDOUT;
	}
	return ret == 0 && turns == 0 ? -EINTR : ret;
}

static void
case_announce(struct bench_run *run, const struct bench_case *c, unsigned int pos)
{
	const unsigned int left = run->nb_cases - pos;
	double seconds = run->o->conf.seconds;

	/* with the time to set a case up, as soon as it is known */
	if (pos > 0)
		seconds = (clock_ns() - run->start_ns) / 1e9 / pos;
	progress_show(&run->progress, "case %u of %u: %s, %.0f s left", pos + 1, run->nb_cases,
		c->name, seconds * left);
}

static int
case_run(struct bench_run *run, const struct bench_case *c, struct bench_result *r)
{
	struct bench_series series[BENCH_KINDS] = { { NULL } };
	struct bench_side sides[BENCH_KINDS];
	int kind, ret;

	case_announce(run, c, r - run->results);
	ret = bench_sides_open(sides, c, run->o->mask, run->pool, &run->wd);
	if (ret == 0 && run->o->packets > 0) {
		for (kind = 0; kind < BENCH_KINDS && ret == 0; kind++)
			if (sides[kind].guest != NULL)
				ret = bench_fixed(&sides[kind], run->o->packets);
	} else if (ret == 0) {
		ret = case_slices(run, c, sides, series);
		if (ret == 0)
			ret = bench_result_make(r, c, series, run->rep.tsc_hz);
	}
	if (ret == 0 || sides[0].c != NULL)
		bench_sides_close(sides);
	for (kind = 0; kind < BENCH_KINDS; kind++)
		bench_series_free(&series[kind]);
	if (ret < 0) {
		memset(r, 0, sizeof(*r));
		r->c = c;
		r->failed = true;
	}
	return ret;
}

static unsigned int
cases_count(const char *patterns)
{
	const struct bench_case *c;
	unsigned int i, nb = 0;

	for (i = 0; (c = bench_case_get(i)) != NULL; i++)
		nb += bench_case_match(patterns, c->name);
	return nb;
}

static int
cases_run(struct bench_run *run)
{
	const struct bench_case *c;
	unsigned int i, nb = 0;
	int ret = 0, failed = 0;

	run->nb_cases = cases_count(run->o->cases);
	run->start_ns = clock_ns();

	if (run->o->packets == 0) {
		bench_report_head(&run->rep, run->table);
		bench_report_columns(run->table);
	}
	progress_start(&run->progress);
	for (i = 0; (c = bench_case_get(i)) != NULL && !stop_requested(); i++) {
		if (!bench_case_match(run->o->cases, c->name) || nb == MAX_RESULTS)
			continue;
		ret = case_run(run, c, &run->results[nb]);
		progress_end(&run->progress);
		/* a case that was cut off before its first turn has no result */
		if (ret == -EINTR)
			break;
		if (run->o->packets == 0)
			bench_report_row(&run->results[nb], run->table);
		fflush(run->table);
		if (ret < 0)
			failed = ret;
		nb++;
	}
	run->rep.nb_results = nb;
	if (nb == 0 && !stop_requested()) {
		fprintf(stderr, "dpdk-test-vdpa bench: no case matches %s; see --list\n",
			run->o->cases);
		return -ENOENT;
	}
	return failed;
}

/* One size after the other. The results of net_vhost exist already. */
static int
stops_run(struct bench_run *run)
{
	const struct bench_options *o = run->o;
	unsigned int size;
	int ret = 0;

	for (size = 0; size < BENCH_STOP_SIZES && ret == 0 && !stop_requested(); size++) {
		if ((o->mask & (1u << BENCH_VSTATE)) != 0)
			ret = bench_stop(&o->conf, 1u << BENCH_VSTATE, size, o->repeat, run->pool,
				&run->wd, run->stops, &run->rep.nb_stops);
		if (ret == 0 && (o->mask & (1u << BENCH_VHOST)) != 0)
			run->stops[run->rep.nb_stops++] = o->vhost_stops[size];
	}
	return ret;
}

static int
measure_all(struct bench_run *run)
{
	const struct bench_options *o = run->o;
	int ret;

	if (o->stop) {
		ret = stops_run(run);
		bench_report_head(&run->rep, run->table);
		bench_report_stops(&run->rep, run->table);
		return ret;
	}
	if (o->conf.two_core && o->packets == 0) {
		run->helper = bench_helper_start(o->conf.guest_cpu);
		if (run->helper == NULL) {
			fprintf(stderr, "dpdk-test-vdpa bench: cannot use a second lcore: %s\n",
				rte_strerror(rte_errno));
			return -rte_errno;
		}
	}
	ret = cases_run(run);
	bench_helper_stop(run->helper);
	return ret;
}

static int
bench_main(struct bench_options *o)
{
	static struct bench_run run;
	int ret;

	run.o = o;
	run.rep = (struct bench_report){ .conf = &o->conf, .tsc_hz = rte_get_tsc_hz(),
		.results = run.results, .stops = run.stops };
	/* The report may use standard output; then the table goes to standard error. */
	run.table = o->json_file == stdout ? stderr : stdout;
	bench_cpu_name(run.rep.cpu, sizeof(run.rep.cpu));
	ret = bench_cpus_choose(&o->conf);
	if (ret == 0)
		ret = bench_cpu_pin(o->stop ? o->conf.guest_cpu : o->conf.cpu);
	if (ret == 0)
		ret = workdir_create(&run.wd);
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa bench: %s\n", strerror(-ret));
		return ret;
	}
	run.pool = bench_pool_create();
	ret = run.pool != NULL ? measure_all(&run) : -rte_errno;
	if (run.pool == NULL)
		fprintf(stderr, "dpdk-test-vdpa bench: cannot create mbufs: %s\n",
			rte_strerror(-ret));
	if (o->json_file != NULL && o->packets == 0) {
		int err = bench_report_json(&run.rep, o->json_file);

		ret = ret == 0 ? err : ret;
	}
	rte_mempool_free(run.pool);
	workdir_remove(&run.wd);
	return ret;
}

static int
vhost_stops_measure(struct bench_options *o, const struct eal_need *need)
{
	unsigned int deaths = 0;
	int ret = bench_cpus_choose(&o->conf);

	if (ret == 0)
		ret = bench_stop_vhost(&o->conf, o->repeat, need, o->vhost_stops, &deaths);
	if (deaths > 0)
		fprintf(stderr, "dpdk-test-vdpa bench: net_vhost crashed %u times in a stop under "
			"load; the missing stops were measured again\n", deaths);
	if (ret < 0)
		fprintf(stderr, "dpdk-test-vdpa bench: cannot measure net_vhost: %s\n",
			strerror(-ret));
	return ret;
}

static int
bench_all(struct bench_options *o, const struct eal_need *need)
{
	int ret;

	if (o->stop && (o->mask & (1u << BENCH_VHOST)) != 0 && vhost_stops_measure(o, need) < 0)
		return CMD_FAILED;
	if (eal_start(need) < 0)
		return CMD_FAILED;
	ret = o->sockets.nb > 0 ?
		cmd_bench_sockets(&o->sockets, &o->conf, o->cases, o->json_file) : bench_main(o);
	eal_stop();
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

int
cmd_bench(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MEMORY_MB, .plugin = true, .no_services = true };
	struct bench_options o;
	int ret;

	if (cmd_class_is_disk(argc, argv))
		return cmd_bench_disk(argc, argv);
	if (cmd_class_is_console(argc, argv))
		return cmd_bench_console(argc, argv);
	ret = options_parse(&o, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	if (o.cases == NULL)
		o.cases = o.sockets.nb > 0 ? SOCKET_CASES : "*";
	if (o.list) {
		cases_list(o.cases);
		return CMD_OK;
	}
	need.verbose = o.verbose;
	need.plugin = o.sockets.nb == 0;
	stop_install();
	if (o.json != NULL) {
		o.json_file = report_open(o.json);
		if (o.json_file == NULL)
			return CMD_FAILED;
	}
	ret = bench_all(&o, &need);
	return report_close(o.json_file, o.json) == 0 ? ret : CMD_FAILED;
}

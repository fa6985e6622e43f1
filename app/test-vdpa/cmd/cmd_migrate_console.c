/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "backend.h"
#include "cmd.h"
#include "cmd_migrate_class.h"
#include "cmd_migrate_console.h"
#include "eal.h"
#include "guest_console.h"
#include "migrate_console.h"
#include "option.h"
#include "stats.h"
#include "stop.h"
#include "workdir.h"

#define MEMORY_MB 128
/* A device reads so much ahead when it is suspended. */
#define AHEAD 1024
/* Enough that the socket of the port is full while the host's side does not read. */
#define BUF_MAX 65536
/* A device keeps so many bytes of a buffer that must return. */
#define BUF_MAX_BASE 16384

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa migrate --class console [OPTIONS]\n"
		"\n"
		"Move a console back and forth between two back ends while numbered bytes flow\n"
		"between the built-in driver and a peer at the port's socket. Bytes that are\n"
		"lost, doubled, or of no place in the stream are counted.\n"
		"\n"
		"  --rounds N      moves (default 1000)\n"
		"  --depth N       buffers of each queue under way, 1 to %u (default 16)\n"
		"  --packed        packed rings\n"
		"  --via NAME      api: the state, by the library; base: the bases, after all\n"
		"                  buffers returned (default api)\n"
		"  --process       the second back end runs in another process\n"
		"  --kill          the back end is killed and started again\n"
		"  --upgrade       a new process takes the console over in each round\n"
		"  --break NAME    plant a fault in each state; the run must fail. repeat: forget\n"
		"                  the transferred part of a buffer; skip: skip one byte of it;\n"
		"                  ahead: forget bytes that were read ahead\n"
		"  --seed N        seed of the traffic (default 1)\n"
		"  --json          the report as JSON\n"
		"  --verbose       show the logs of EAL and vhost\n"
		"  --help          this text\n"
		"\n"
		"Exit status: 0 if no byte was lost, doubled or wrong; 1 if not; 2 on wrong\n"
		"usage.\n",
		CONSOLE_MAX_DEPTH);
}

static int
fault_parse(const char *name, enum migrate_console_fault *fault)
{
	unsigned int i;

	for (i = CONSOLE_FAULT_NONE + 1; i < CONSOLE_FAULT_MAX; i++) {
		if (strcmp(migrate_console_fault_name(i), name) == 0) {
			*fault = i;
			return 0;
		}
	}
	fprintf(stderr, "dpdk-test-vdpa migrate: --break: no fault '%s' for a console\n", name);
	return -EINVAL;
}

struct parsed {
	struct migrate_console_options *opt;
	uint64_t depth;
};

static int
option_take(void *parsed, int c, const char *word)
{
	struct parsed *p = parsed;

	switch (c) {
	case 'r':
		return option_number("migrate", "--rounds", word, 1, UINT32_MAX, &p->opt->rounds);
	case 'd':
		return option_number("migrate", "--depth", word, 1, CONSOLE_MAX_DEPTH, &p->depth);
	case 's':
		return option_number("migrate", "--seed", word, 0, UINT64_MAX,
				&p->opt->conf.seed);
	case 'v':
		return option_choice("migrate", "--via", word, "api", "base", &p->opt->by_base);
	case 'b': return fault_parse(word, &p->opt->fault);
	case 'p': p->opt->conf.packed = true; return 0;
	case 'P': p->opt->process = true; return 0;
	case 'k': p->opt->kill = true; return 0;
	case 'U': p->opt->upgrade = true; return 0;
	case 'j': p->opt->json = true; return 0;
	case 'V': p->opt->verbose = true; return 0;
	case 'c': return 0;
	default: return -EINVAL;
	}
}

static int
options_finish(struct parsed *p)
{
	struct migrate_console_options *opt = p->opt;
	struct console_conf *conf = &opt->conf;
	const char *why = NULL;

	if (opt->upgrade && (opt->kill || opt->process))
		why = "--upgrade: not with --kill or --process";
	else if (opt->by_base && (opt->kill || opt->upgrade))
		why = "--via: not with --kill or --upgrade";
	else if (opt->fault != CONSOLE_FAULT_NONE && (opt->by_base || opt->kill || opt->upgrade))
		why = "--break: needs a state: --via api";
	if (why != NULL) {
		fprintf(stderr, "dpdk-test-vdpa migrate: %s\n", why);
		return -EINVAL;
	}
	conf->depth = p->depth;
	conf->ring_size = rte_align32pow2(RTE_MAX(conf->depth * 4u, 8u));
	conf->buf_max = opt->by_base ? BUF_MAX_BASE : opt->kill ? BUF_MAX_BASE / 4 : BUF_MAX;
	conf->window = opt->kill || opt->upgrade ? BUF_MAX : AHEAD;
	conf->region = opt->kill;
	return 0;
}

static int
options_parse(struct migrate_console_options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "class", required_argument, NULL, 'c' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "depth", required_argument, NULL, 'd' },
		{ "packed", no_argument, NULL, 'p' },
		{ "via", required_argument, NULL, 'v' },
		{ "process", no_argument, NULL, 'P' },
		{ "kill", no_argument, NULL, 'k' },
		{ "upgrade", no_argument, NULL, 'U' },
		{ "break", required_argument, NULL, 'b' },
		{ "seed", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct parsed p = { .opt = opt, .depth = 16 };
	int ret;

	*opt = (struct migrate_console_options){ .rounds = 1000, .conf.seed = 1 };
	ret = option_walk("migrate", argc, argv, long_options, option_take, &p, usage_print);
	if (ret == 0)
		ret = options_finish(&p);
	if (ret < 0)
		fprintf(stderr, "See dpdk-test-vdpa migrate --class console --help\n");
	return ret;
}

/* ---- the run ---- */

static int
args_make(void *arg, const struct workdir *wd, unsigned int i, const char *keep,
		struct backend_device *dev)
{
	struct migrate_console_options *opt = arg;
	char name[16], state[80] = "";

	snprintf(name, sizeof(name), "%u.port", opt->upgrade ? 0 : i);
	if (workdir_path(wd, name, opt->host[i], sizeof(opt->host[i])) < 0)
		return -ENAMETOOLONG;
	if (opt->kill && snprintf(state, sizeof(state), ",state_dir=%s", wd->path) >=
			(int)sizeof(state))
		return -ENAMETOOLONG;
	return snprintf(dev->args, sizeof(dev->args), "iface=%s,port0=unix:%s,hold=1%s%s",
			dev->socket, opt->host[i], keep, state) < (int)sizeof(dev->args) ? 0 :
		-ENAMETOOLONG;
}

static void
report_print(const struct migrate_console_options *opt, struct migrate_console_result *res)
{
	const struct console_counts *c = &res->counts;
	const struct cmd_migrate_class_row rows[] = {
		{ "rounds", res->rounds },
		{ "to_host", c->to_host }, { "to_guest", c->to_guest },
		{ "kept", res->kept }, { "in_flight", res->in_flight },
		{ "half", res->half }, { "ahead", res->ahead },
		{ "ahead_bytes", res->ahead_bytes },
		{ "lost", c->lost }, { "doubled", c->doubled }, { "wrong", c->wrong },
		{ "foreign", c->foreign },
	};
	const struct cmd_migrate_class_report report = { rows, RTE_DIM(rows), &res->stop,
		&res->blackout, res->failure, opt->json };

	cmd_migrate_class_report(&report, stdout);
}

static int
console_main(void *arg, const struct workdir *wd)
{
	struct migrate_console_options *opt = arg;
	const struct cmd_migrate_class_conf conf = { .class = "console", .kill = opt->kill,
		.upgrade = opt->upgrade, .process = opt->process, .verbose = opt->verbose,
		.args_make = args_make, .arg = opt };
	struct migrate_console_result res = { 0 };
	struct backend *be[2];
	bool held = false;

	if (cmd_migrate_class_open(&conf, wd, be) == 0) {
		held = migrate_console_run(opt, be, &res);
		report_print(opt, &res);
	}
	cmd_migrate_class_close(be);
	stats_free(&res.stop);
	stats_free(&res.blackout);
	return held ? CMD_OK : CMD_FAILED;
}

int
cmd_migrate_console(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MEMORY_MB, .plugin = true };
	struct migrate_console_options opt;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	stop_install();
	return cmd_in_eal(&need, console_main, &opt);
}

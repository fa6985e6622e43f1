/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_string_fns.h>
#include <rte_vdpa.h>

#include "backend.h"
#include "backend_local.h"
#include "cmd.h"
#include "cmd_serve.h"
#include "eal.h"
#include "eal_args.h"
#include "guest.h"
#include "migrate.h"
#include "option.h"
#include "serve_cmdline.h"
#include "serve_port.h"
#include "stop.h"

#define DEFAULT_DEVICE "vdpa_vstate0"

struct serve_options {
	const char *iface;
	uint64_t pairs;
	bool client;
	bool no_prompt;
	bool verbose;
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa serve [OPTIONS]\n"
		"       dpdk-test-vdpa [EAL OPTIONS] -- serve [OPTIONS]\n"
		"\n"
		"Offer the vDPA devices of this process on vhost-user sockets, for QEMU,\n"
		"virtio-user or the guest subcommand, and run commands from a prompt or a pipe\n"
		"(\"help\" lists them). If the EAL options name no vDPA device, %s is\n"
		"created.\n"
		"\n"
		"  --iface PREFIX  open socket PREFIX0 for the first device, PREFIX1 for the next\n"
		"                  ...; without it, \"create\" at the prompt opens sockets\n"
		"  --client        connect to sockets instead of listening on them\n"
		"  --queues N      queue pairs of %s, 1 to %u (default 1)\n"
		"  --no-prompt     read no commands, serve until SIGINT or SIGTERM\n"
		"  --verbose       show the logs of EAL and vhost\n"
		"  --help          this text\n"
		"\n"
		"Exit status: 0; 1 if a device, a socket or a command from a pipe failed; 2 on\n"
		"wrong usage.\n", DEFAULT_DEVICE, DEFAULT_DEVICE, GUEST_MAX_PAIRS);
}

static int
options_parse(struct serve_options *opt, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "iface", required_argument, NULL, 'i' },
		{ "client", no_argument, NULL, 'c' },
		{ "queues", required_argument, NULL, 'q' },
		{ "no-prompt", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	memset(opt, 0, sizeof(*opt));
	opt->pairs = 1;
	optind = 0;
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case 'h':
			usage_print(stdout);
			return 1;
		case 'i':
			opt->iface = optarg;
			break;
		case 'c':
			opt->client = true;
			break;
		case 'q':
			if (option_number("serve", "--queues", optarg, 1, GUEST_MAX_PAIRS,
					&opt->pairs) < 0)
				goto bad;
			break;
		case 'n':
			opt->no_prompt = true;
			break;
		case 'v':
			opt->verbose = true;
			break;
		default:
			goto bad;
		}
	}
	if (optind < argc)
		fprintf(stderr, "dpdk-test-vdpa serve: unexpected argument '%s'\n", argv[optind]);
	else if (opt->no_prompt && opt->iface == NULL)
		fprintf(stderr, "dpdk-test-vdpa serve: --no-prompt needs --iface\n");
	else
		return 0;
bad:
	fprintf(stderr, "See dpdk-test-vdpa serve --help\n");
	return -EINVAL;
}

static unsigned int
devices_count(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	unsigned int nb = 0;

	RTE_DEV_FOREACH(dev, "class=vdpa", &it)
		nb++;
	return nb;
}

/* Create the device that is served if the EAL options created none. */
static int
default_create(const struct serve_options *opt, struct backend **be)
{
	struct backend_device dev = { .name = DEFAULT_DEVICE };

	*be = NULL;
	if (devices_count() > 0)
		return 0;
	snprintf(dev.args, sizeof(dev.args), "queues=%u", (unsigned int)opt->pairs);
	*be = backend_local_create(&dev);
	return *be != NULL ? 0 : -ENODEV;
}

static int
ports_create(const struct serve_options *opt)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	unsigned int pos = 0;
	char path[PATH_MAX];
	int ret = 0;

	if (opt->iface == NULL)
		return 0;
	RTE_DEV_FOREACH(dev, "class=vdpa", &it) {
		/* No break after an error: the end of the walk frees the iterator. */
		if (ret < 0)
			continue;
		snprintf(path, sizeof(path), "%s%u", opt->iface, pos++);
		ret = serve_port_create(rte_dev_name(dev), path, opt->client);
		if (ret == 0)
			fprintf(stderr, "%s on %s\n", rte_dev_name(dev), path);
	}
	return ret;
}

/*
 * A device may use another, started port as its uplink. EAL would close that port first, which its
 * driver refuses while the port runs. Therefore the devices are removed before EAL ends.
 */
static void
devices_remove(void)
{
	char names[SERVE_MAX_PORTS][RTE_DEV_NAME_MAX_LEN];
	struct rte_dev_iterator it;
	struct rte_device *dev;
	unsigned int nb = 0, i;

	RTE_DEV_FOREACH(dev, "class=vdpa", &it) {
		if (nb < RTE_DIM(names))
			strlcpy(names[nb++], rte_dev_name(dev), sizeof(names[0]));
	}
	for (i = 0; i < nb; i++)
		rte_eal_hotplug_remove("vdev", names[i]);
}

static int
serve_run(const struct serve_options *opt)
{
	struct backend *be;
	int ret;

	ret = default_create(opt, &be);
	if (ret == 0)
		ret = ports_create(opt);
	if (ret == 0) {
		if (opt->no_prompt)
			stop_wait();
		else
			ret = serve_prompt(opt->client);
	}
	serve_ports_close();
	if (be != NULL)
		be->ops->destroy(be);
	devices_remove();
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

int
cmd_serve(int argc, char **argv)
{
	struct eal_need need = { .memory_mb = MIGRATE_MEMORY_MB };
	struct serve_options opt;
	int ret;

	ret = options_parse(&opt, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	need.verbose = opt.verbose;
	/* Devices of other drivers can be served without the vstate plugin. */
	need.plugin = !eal_args_has(eal_user_args(), "--vdev") &&
		!eal_args_has(eal_user_args(), "-a") &&
		!eal_args_has(eal_user_args(), "--allow");
	stop_install();
	if (eal_start(&need) < 0)
		return CMD_FAILED;
	ret = serve_run(&opt);
	eal_stop();
	return ret;
}

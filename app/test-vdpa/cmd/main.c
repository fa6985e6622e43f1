/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vhost_state.h>

#include <vstate_compat.h>

#include "backend_process.h"
#include "cmd.h"
#include "cmd_backend_child.h"
#include "cmd_bench.h"
#include "cmd_conformance.h"
#include "cmd_ctl.h"
#include "cmd_guest.h"
#include "cmd_migrate.h"
#include "cmd_serve.h"
#include "cmd_state.h"
#include "eal.h"
#include "stop.h"
#include "strvec.h"

static const struct cmd commands[] = {
	{ "migrate", "move a device's state back and forth under load", cmd_migrate },
	{ "serve", "offer vDPA devices on vhost-user sockets, with a prompt", cmd_serve,
		.until_signal = true },
	{ "guest", "run the built-in virtio guest on a vhost-user socket", cmd_guest },
	{ "conformance", "test suspend and device parts of VIRTIO 1.4", cmd_conformance },
	{ "bench", "compare the device with net_vhost and a bare ring loop", cmd_bench },
	{ "ctl", "control the devices of another process by its socket", cmd_ctl },
	{ "state", "show a saved state, or why it is invalid", cmd_state },
	{ BACKEND_CHILD_COMMAND, NULL, cmd_backend_child },
};

static void
usage_print(FILE *f)
{
	unsigned int i;

	fprintf(f, "Usage: dpdk-test-vdpa [--eal \"OPTIONS\"] COMMAND [OPTIONS]\n"
		"       dpdk-test-vdpa [EAL OPTIONS] -- COMMAND [OPTIONS]\n"
		"       dpdk-test-vdpa COMMAND [EAL OPTIONS] -- [OPTIONS]\n"
		"\n"
		"Test vDPA devices that can be stopped, and whose state can be moved.\n"
		"\n"
		"Commands:\n");
	for (i = 0; i < RTE_DIM(commands); i++)
		if (commands[i].help != NULL)
			fprintf(f, "  %-12s %s\n", commands[i].name, commands[i].help);
	fprintf(f, "\n"
		"dpdk-test-vdpa help COMMAND lists the options of a command. No EAL option is\n"
		"needed; an EAL option replaces its default. The tool loads the driver plugin\n"
		"from $VSTATE_PLUGIN, or from ../drivers next to the tool, or from DPDK's\n"
		"directory of drivers.\n"
		"\n"
		"Exit status: 0 if the test passed, 1 if not, 2 on wrong usage, 130 after SIGINT\n"
		"if nothing had failed until then.\n");
}

/* Inside a DPDK tree the tool has the version of DPDK. */
static void
version_print(void)
{
#ifdef TOOL_VERSION
	printf("dpdk-test-vdpa " TOOL_VERSION ", ");
#else
	printf("dpdk-test-vdpa, ");
#endif
	printf("%s, states of format %u\n", rte_version(), RTE_VHOST_STATE_FORMAT_VERSION);
}

static const struct cmd *
command_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static const struct cmd *
command_known(const char *name)
{
	const struct cmd *cmd = command_find(name);

	if (cmd == NULL)
		fprintf(stderr, "dpdk-test-vdpa: unknown command '%s'\n"
			"See dpdk-test-vdpa --help\n", name);
	return cmd;
}

/* "help", or "help COMMAND". */
static int
help_run(const struct strvec *words)
{
	char option[] = "--help";
	char *argv[] = { words->v[0], option, NULL };
	const struct cmd *cmd;

	if (words->nb == 1) {
		usage_print(stdout);
		return CMD_OK;
	}
	cmd = command_known(words->v[1]);
	return cmd != NULL ? cmd->run(2, argv) : CMD_USAGE;
}

static int
command_run(struct strvec *words)
{
	const struct cmd *cmd;
	char name[64];
	int ret;

	if (words->nb == 0) {
		usage_print(stderr);
		return CMD_USAGE;
	}
	if (strcmp(words->v[0], "--version") == 0) {
		version_print();
		return CMD_OK;
	}
	if (strcmp(words->v[0], "--help") == 0 || strcmp(words->v[0], "-h") == 0 ||
			strcmp(words->v[0], "help") == 0)
		return help_run(words);
	cmd = command_known(words->v[0]);
	if (cmd == NULL)
		return CMD_USAGE;
	/* getopt_long() begins its messages with this word */
	snprintf(name, sizeof(name), "dpdk-test-vdpa %s", words->v[0]);
	free(words->v[0]);
	words->v[0] = strdup(name);
	if (words->v[0] == NULL)
		return CMD_FAILED;
	ret = cmd->run(words->nb, words->v);
	/* what was seen until the signal counts: a failure stays one */
	if (ret == CMD_OK && stop_requested() != 0 && cmd->help != NULL && !cmd->until_signal)
		ret = 128 + stop_requested();
	return ret;
}

/* A report that was not written is no success. */
static int
output_flush(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	fprintf(stderr, "dpdk-test-vdpa: cannot write standard output: %s\n",
		errno != 0 ? strerror(errno) : "some of it is missing");
	return status == CMD_OK ? CMD_FAILED : status;
}

int
main(int argc, char **argv)
{
	struct strvec words = STRVEC_INIT;
	int ret;

	ret = eal_user_args_take(argc, argv, &words);
	if (ret == 0) {
		ret = command_run(&words);
	} else {
		fprintf(stderr, "dpdk-test-vdpa: %s\n", ret == -EINVAL ?
			"--eal needs a value with closed quotes" : strerror(-ret));
		ret = CMD_USAGE;
	}
	ret = output_flush(ret);
	eal_user_args_free();
	strvec_free(&words);
	return ret;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "cmd.h"
#include "cmd_ctl.h"
#include "ctl_link.h"
#include "ctl_show.h"
#include "ctl_watch.h"
#include "option.h"
#include "stop.h"

struct ctl_options {
	const char *path, *file, *device;
	uint64_t timeout_us;
	double seconds;
	bool json;
};

struct ctl_command {
	const char *name;
	/** Request that the command sends; NULL: the command has its own way. */
	const char *request;
	bool takes_device, takes_file;
	int (*run)(struct ctl_link *link, const struct ctl_options *opt,
			const struct ctl_command *cmd);
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa ctl [OPTIONS] PATH COMMAND [FILE]\n"
		"\n"
		"Look at and control the devices of another process of the same user. PATH is\n"
		"the socket that the devarg control=PATH opens there. EAL is not started.\n"
		"\n"
		"  list             devices, with their front ends and states\n"
		"  show             one device, with the durations of its operations\n"
		"  statistics       counters that are not 0\n"
		"  suspend          stop all virtqueues at one instant\n"
		"  resume           resume where suspend stopped\n"
		"  save FILE        save the state of a suspended device; '-' is standard output\n"
		"  load FILE        load a state, before the driver sets DRIVER_OK\n"
		"  release          leave the device to a process that starts later\n"
		"  watch            events as they happen; on a terminal the rates, too\n"
		"\n"
		"  --device NAME    the device; not needed if there is only one\n"
		"  --timeout-us N   bound of suspend, in microseconds (default: the device's)\n"
		"  --seconds N      end watch after this time\n"
		"  --json           print replies and events as JSON\n"
		"  --help           this text\n"
		"\n"
		"Exit status: 0 if done, 1 if refused, 2 on wrong usage, 130 after SIGINT.\n");
}

static int
fault(const char *what, const char *why)
{
	fprintf(stderr, "dpdk-test-vdpa ctl: %s: %s\n", what, why);
	return CMD_FAILED;
}

/* ---- requests ---- */

/* Report a refusal. @return exit status */
static int
reply_check(const json_t *reply, const struct ctl_options *opt, const char *what)
{
	const char *reason, *why;
	char text[512];

	if (reply == NULL)
		return CMD_FAILED;
	if (opt->json) {
		json_dumpf(reply, stdout, 0);
		putchar('\n');
	}
	if (json_is_true(json_object_get(reply, "ok")))
		return CMD_OK;
	reason = ctl_show_text(reply, "reason");
	why = ctl_show_text(reply, "text");
	/* the text of a refusal by a device begins with its reason */
	if (strncmp(why, reason, strlen(reason)) == 0)
		return fault(what, why);
	snprintf(text, sizeof(text), "%s: %s", reason, why);
	return fault(what, text);
}

static json_t *
request_make(const struct ctl_options *opt, const struct ctl_command *cmd)
{
	json_t *request = json_pack("{s:s}", "cmd", cmd->request);

	if (cmd->takes_device)
		json_object_set_new(request, "device", json_string(opt->device));
	if (opt->timeout_us != 0)
		json_object_set_new(request, "timeout_us", json_integer(opt->timeout_us));
	return request;
}

static int
run_request(struct ctl_link *link, const struct ctl_options *opt, const struct ctl_command *cmd)
{
	json_t *reply = ctl_link_ask(link, request_make(opt, cmd), -1);
	int ret = reply_check(reply, opt, cmd->name);

	if (ret != CMD_OK || opt->json)
		;
	else if (strcmp(cmd->name, "list") == 0)
		ctl_show_list(reply, stdout);
	else if (strcmp(cmd->name, "show") == 0)
		ctl_show_device(reply, stdout);
	else if (strcmp(cmd->name, "statistics") == 0)
		ctl_show_statistics(reply, stdout);
	json_decref(reply);
	return ret;
}

/* ---- files ---- */

/* The peer writes to a file without a name; so FILE is complete, or is not touched at all. */
static int
run_save(struct ctl_link *link, const struct ctl_options *opt, const struct ctl_command *cmd)
{
	const bool out = strcmp(opt->file, "-") == 0;
	char temp[PATH_MAX];
	struct stat st;
	json_t *reply;
	int fd, ret;

	if (!out && stat(opt->file, &st) == 0 && !S_ISREG(st.st_mode))
		return fault(opt->file, "not a regular file");
	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", opt->file) >= (int)sizeof(temp))
		return fault(opt->file, strerror(ENAMETOOLONG));
	fd = out ? memfd_create("state", MFD_CLOEXEC) : mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return fault(opt->file, strerror(errno));
	reply = ctl_link_ask(link, request_make(opt, cmd), fd);
	ret = reply_check(reply, opt, cmd->name);
	if (ret == CMD_OK && out) {
		lseek(fd, 0, SEEK_SET);
		if (fstat(fd, &st) != 0 || sendfile(STDOUT_FILENO, fd, NULL, st.st_size) !=
				st.st_size)
			ret = fault("standard output", strerror(errno));
	} else if (ret == CMD_OK && (fsync(fd) != 0 || rename(temp, opt->file) != 0)) {
		ret = fault(opt->file, strerror(errno));
	}
	close(fd);
	if (ret != CMD_OK && !out)
		unlink(temp);
	else if (!opt->json && !out)
		ctl_show_summary(reply, "saved", opt->file, stdout);
	json_decref(reply);
	return ret;
}

/* A pipe is copied, because the peer takes files only. @return a descriptor or -errno */
static int
input_open(const char *file)
{
	int fd = strcmp(file, "-") == 0 ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC), mem;
	char buf[16384];
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd >= 0 ? fd : -errno;
	mem = memfd_create("state", MFD_CLOEXEC);
	while (mem >= 0 && (n = read(fd, buf, sizeof(buf))) > 0 && write(mem, buf, n) == n)
		;
	if (mem >= 0 && n == 0) {
		close(fd);
		lseek(mem, 0, SEEK_SET);
		return mem;
	}
	n = -errno;
	close(fd);
	if (mem >= 0)
		close(mem);
	return n;
}

static int
run_load(struct ctl_link *link, const struct ctl_options *opt, const struct ctl_command *cmd)
{
	int fd = input_open(opt->file), ret;
	json_t *reply;

	if (fd < 0)
		return fault(opt->file, strerror(-fd));
	reply = ctl_link_ask(link, request_make(opt, cmd), fd);
	close(fd);
	ret = reply_check(reply, opt, cmd->name);
	if (ret == CMD_OK && !opt->json)
		ctl_show_summary(reply, "loaded", opt->file, stdout);
	json_decref(reply);
	return ret;
}

static int
run_watch(struct ctl_link *link, const struct ctl_options *opt, const struct ctl_command *cmd)
{
	int ret = ctl_watch(link, opt->json, opt->seconds);

	RTE_SET_USED(cmd);
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

static const struct ctl_command commands[] = {
	{ "list", "list", false, false, run_request },
	{ "show", "show", true, false, run_request },
	{ "statistics", "statistics", true, false, run_request },
	{ "suspend", "suspend", true, false, run_request },
	{ "resume", "resume", true, false, run_request },
	{ "release", "release", true, false, run_request },
	{ "save", "capture", true, true, run_save },
	{ "load", "restore", true, true, run_load },
	{ "watch", NULL, false, false, run_watch },
};

/* ---- the command line ---- */

static const struct ctl_command *
command_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	fprintf(stderr, "dpdk-test-vdpa ctl: unknown command '%s'\n", name);
	return NULL;
}

static int
words_parse(struct ctl_options *opt, const struct ctl_command **cmd, int nb, char **words)
{
	if (nb < 2) {
		fprintf(stderr, "dpdk-test-vdpa ctl: PATH and COMMAND are expected\n");
		return -EINVAL;
	}
	opt->path = words[0];
	*cmd = command_find(words[1]);
	if (*cmd == NULL)
		return -EINVAL;
	opt->file = nb > 2 ? words[2] : NULL;
	if (opt->timeout_us != 0 && strcmp(words[1], "suspend") != 0)
		fprintf(stderr, "dpdk-test-vdpa ctl: --timeout-us is for suspend\n");
	else if ((*cmd)->takes_file && nb == 2)
		fprintf(stderr, "dpdk-test-vdpa ctl: %s: FILE is missing\n", words[1]);
	else if (nb > 2 + (*cmd)->takes_file)
		fprintf(stderr, "dpdk-test-vdpa ctl: unexpected argument '%s'\n",
			words[2 + (*cmd)->takes_file]);
	else
		return 0;
	return -EINVAL;
}

static int
options_parse(struct ctl_options *opt, const struct ctl_command **cmd, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "timeout-us", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, ret = 0;

	*opt = (struct ctl_options){ 0 };
	optind = 0;
	while (ret == 0 && (c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (c) {
		case 'h':
			usage_print(stdout);
			return 1;
		case 'd':
			opt->device = optarg;
			break;
		case 't':
			ret = option_number("ctl", "--timeout-us", optarg, 1, UINT32_MAX,
					&opt->timeout_us);
			break;
		case 's':
			ret = option_seconds("ctl", "--seconds", optarg, &opt->seconds);
			break;
		case 'j':
			opt->json = true;
			break;
		default:
			ret = -EINVAL;
		}
	}
	if (ret == 0)
		ret = words_parse(opt, cmd, argc - optind, argv + optind);
	if (ret != 0)
		fprintf(stderr, "See dpdk-test-vdpa ctl --help\n");
	return ret;
}

/* Without --device: the only one. @return exit status */
static int
device_choose(struct ctl_link *link, struct ctl_options *opt, char *name, size_t size)
{
	json_t *reply = ctl_link_ask(link, json_pack("{s:s}", "cmd", "list"), -1);
	const json_t *devices = json_object_get(reply, "devices");
	struct ctl_options quiet = { 0 };
	int ret = reply_check(reply, &quiet, "list");

	if (ret == CMD_OK && json_array_size(devices) == 1) {
		snprintf(name, size, "%s", ctl_show_text(json_array_get(devices, 0), "device"));
		opt->device = name;
	} else if (ret == CMD_OK) {
		ret = fault(opt->path, json_array_size(devices) == 0 ? "no devices" :
			"there are several devices: --device NAME is needed");
		ctl_show_list(reply, stderr);
	}
	json_decref(reply);
	return ret;
}

int
cmd_ctl(int argc, char **argv)
{
	const struct ctl_command *cmd = NULL;
	struct ctl_options opt;
	struct ctl_link link;
	char name[256];
	int ret;

	ret = options_parse(&opt, &cmd, argc, argv);
	if (ret != 0)
		return ret > 0 ? CMD_OK : CMD_USAGE;
	stop_install();
	ret = ctl_link_open(&link, opt.path) == 0 ? CMD_OK : CMD_FAILED;
	if (ret == CMD_OK && cmd->takes_device && opt.device == NULL)
		ret = device_choose(&link, &opt, name, sizeof(name));
	if (ret == CMD_OK)
		ret = cmd->run(&link, &opt, cmd);
	ctl_link_close(&link);
	return stop_requested() != 0 ? 128 + stop_requested() : ret;
}

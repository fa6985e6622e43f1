/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmdline_rdline.h>
#include <cmdline_parse.h>
#include <cmdline_parse_string.h>
#include <cmdline_socket.h>
#include <cmdline.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_vdpa.h>
#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

#include "number.h"
#include "serve_cmdline.h"
#include "serve_port.h"
#include "stop.h"

#define SUSPEND_US 1000000
/* The queue number that means all queues, as in DPDK's vdpa example. */
#define ALL_QUEUES 0xffff

/* Words of a command. Words that a command does not have are empty. */
struct words {
	cmdline_fixed_string_t action;
	cmdline_fixed_string_t device;
	cmdline_fixed_string_t last;
};

static bool client_sockets;
static bool command_failed;
static bool quit;

static void __rte_format_printf(2, 3)
command_refuse(struct cmdline *cl, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cmdline_printf(cl, "error: %s\n", text);
	command_failed = true;
}

/* Print the result of a state operation. */
static void
state_report(struct cmdline *cl, int ret, const struct rte_vhost_state_error *err)
{
	char why[192];

	if (ret == 0)
		cmdline_printf(cl, "done\n");
	else if (ret == -ENODEV)
		command_refuse(cl, "no such device");
	else if (err->reason == RTE_VHOST_STATE_R_NONE)
		command_refuse(cl, "%s", strerror(-ret));
	else {
		rte_vhost_state_error_format(err, why, sizeof(why));
		command_refuse(cl, "%s", why);
	}
}

static void
do_list(void *words __rte_unused, struct cmdline *cl, void *data __rte_unused)
{
	struct rte_dev_iterator it;
	struct rte_vdpa_device *vdpa;
	struct rte_device *dev;
	uint64_t features;
	uint32_t queues;

	cmdline_printf(cl, "device name\tqueue num\tsupported features\n");
	RTE_DEV_FOREACH(dev, "class=vdpa", &it) {
		const char *name = rte_dev_name(dev);

		vdpa = rte_vdpa_find_device_by_name(name);
		if (vdpa == NULL || rte_vdpa_get_queue_num(vdpa, &queues) < 0 ||
				rte_vdpa_get_features(vdpa, &features) < 0) {
			command_refuse(cl, "%s: cannot read queues and features", name);
			continue;
		}
		cmdline_printf(cl, "%s\t%" PRIu32 "\t\t0x%" PRIx64 "\n", name, queues, features);
	}
}

static void
do_create(void *words, struct cmdline *cl, void *data __rte_unused)
{
	const struct words *w = words;
	int ret;

	ret = serve_port_create(w->device, w->last, client_sockets);
	if (ret < 0)
		command_refuse(cl, "no socket for %s: %s", w->device, strerror(-ret));
	else
		cmdline_printf(cl, "done\n");
}

static int
stats_print(struct cmdline *cl, struct rte_vdpa_device *vdpa, uint32_t queue,
		const struct rte_vdpa_stat_name *names, struct rte_vdpa_stat *values, int nb,
		uint64_t *sums)
{
	int i, got;

	got = rte_vdpa_get_stats(vdpa, queue, values, nb);
	if (got < 0)
		return got;
	for (i = 0; i < got; i++) {
		if (values[i].id >= (uint64_t)nb)
			continue;
		cmdline_printf(cl, "queue %" PRIu32 "\t%-32s %" PRIu64 "\n", queue,
			names[values[i].id].name, values[i].value);
		sums[values[i].id] += values[i].value;
	}
	return 0;
}

/* The values of all queues together. */
static void
sums_print(struct cmdline *cl, const struct rte_vdpa_stat_name *names, const uint64_t *sums,
		int nb)
{
	int i;

	for (i = 0; i < nb; i++)
		cmdline_printf(cl, "all\t%-32s %" PRIu64 "\n", names[i].name, sums[i]);
}

static int
stats_queues(struct cmdline *cl, struct rte_vdpa_device *vdpa, uint32_t first, uint32_t last)
{
	struct rte_vdpa_stat_name *names;
	struct rte_vdpa_stat *values;
	const bool several = first < last;
	uint64_t *sums;
	int nb, ret;

	nb = rte_vdpa_get_stats_names(vdpa, NULL, 0);
	if (nb <= 0)
		return nb < 0 ? nb : -ENOTSUP;
	names = calloc(nb, sizeof(*names));
	values = calloc(nb, sizeof(*values));
	sums = calloc(nb, sizeof(*sums));
	ret = names != NULL && values != NULL && sums != NULL ?
		rte_vdpa_get_stats_names(vdpa, names, nb) : -ENOMEM;
	for (; ret >= 0 && first <= last; first++)
		ret = stats_print(cl, vdpa, first, names, values, nb, sums);
	if (ret >= 0 && several)
		sums_print(cl, names, sums, nb);
	free(names);
	free(values);
	free(sums);
	return ret < 0 ? ret : 0;
}

static void
do_stats(void *words, struct cmdline *cl, void *data __rte_unused)
{
	const struct words *w = words;
	struct rte_vdpa_device *vdpa;
	uint64_t queue = ALL_QUEUES;
	uint32_t pairs;
	int ret;

	vdpa = rte_vdpa_find_device_by_name(w->device);
	if (vdpa == NULL || rte_vdpa_get_queue_num(vdpa, &pairs) < 0) {
		command_refuse(cl, "no vDPA device %s", w->device);
		return;
	}
	if (strcmp(w->last, "all") != 0 && (number_parse(w->last, 0, UINT16_MAX, &queue) < 0 ||
			(queue != ALL_QUEUES && queue >= 2 * pairs))) {
		command_refuse(cl, "%s: a virtqueue below %" PRIu32 " or all is expected", w->last,
			2 * pairs);
		return;
	}
	if (queue == ALL_QUEUES)
		ret = stats_queues(cl, vdpa, 0, 2 * pairs - 1);
	else
		ret = stats_queues(cl, vdpa, queue, queue);
	if (ret < 0)
		command_refuse(cl, "no statistics: %s", rte_strerror(-ret));
}

static const char *
status_name(uint8_t status)
{
	if (status & RTE_VHOST_STATE_S_NEEDS_RESET)
		return "needs reset";
	if (status & RTE_VHOST_STATE_S_SUSPEND)
		return "suspended";
	if (status & RTE_VHOST_STATE_S_DRIVER_OK)
		return "running";
	if (status & RTE_VHOST_STATE_S_FEATURES_OK)
		return "configurable";
	return status != 0 ? "driver" : "reset";
}

/* The names of the bits of a status, for people; "0" if none is set. */
static const char *
status_bits(uint8_t status, char *buf, size_t size)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} bits[] = {
		{ RTE_VHOST_STATE_S_ACKNOWLEDGE, "acknowledge" },
		{ RTE_VHOST_STATE_S_DRIVER, "driver" },
		{ RTE_VHOST_STATE_S_FEATURES_OK, "features_ok" },
		{ RTE_VHOST_STATE_S_DRIVER_OK, "driver_ok" },
		{ RTE_VHOST_STATE_S_SUSPEND, "suspend" },
		{ RTE_VHOST_STATE_S_NEEDS_RESET, "needs_reset" },
		{ RTE_VHOST_STATE_S_FAILED, "failed" },
	};
	size_t len = 0, i;

	snprintf(buf, size, "0");
	for (i = 0; i < RTE_DIM(bits) && len < size; i++)
		if (status & bits[i].bit)
			len += snprintf(buf + len, size - len, "%s%s", len > 0 ? ", " : "",
				bits[i].name);
	return buf;
}

static void
timing_print(struct cmdline *cl, const char *what, const struct rte_vhost_state_timing *t)
{
	if (t->count > 0)
		cmdline_printf(cl, "  %-8s %" PRIu64 " times, last %.1f us, mean %.1f us, "
			"max %.1f us\n", what, t->count, t->last_ns / 1e3,
			(double)t->sum_ns / t->count / 1e3, t->max_ns / 1e3);
}

static void
device_show(struct cmdline *cl, const char *name)
{
	const struct serve_port *port = serve_port_find(name);
	struct rte_vhost_state_info info;
	char bits[96];
	int ret;

	ret = rte_vhost_state_info_get(name, &info);
	if (ret < 0) {
		command_refuse(cl, "%s: %s", name,
			ret == -ENODEV ? "no such device" : strerror(-ret));
		return;
	}
	cmdline_printf(cl, "%s: %s (%s)\n  front end %sconnected, up to %u virtqueues\n", name,
		status_name(info.status), status_bits(info.status, bits, sizeof(bits)),
		info.connected ? "" : "not ", info.limits.max_vqs);
	if (port != NULL)
		cmdline_printf(cl, "  socket %s, %s\n", port->path,
			serve_port_connected(port) ? "in use" : "idle");
	cmdline_printf(cl, "  features 0x%" PRIx64 ", negotiated 0x%" PRIx64 ", mtu %u\n",
		info.limits.device_features, info.limits.driver_features, info.limits.max_mtu);
	timing_print(cl, "suspend", &info.suspend);
	timing_print(cl, "capture", &info.capture);
	timing_print(cl, "restore", &info.restore);
	timing_print(cl, "resume", &info.resume);
}

static void
do_show(void *words, struct cmdline *cl, void *data __rte_unused)
{
	device_show(cl, ((const struct words *)words)->device);
}

static void
do_show_all(void *words __rte_unused, struct cmdline *cl, void *data __rte_unused)
{
	char name[RTE_VHOST_STATE_NAME_SIZE];
	unsigned int pos;

	for (pos = 0; rte_vhost_state_name_get(pos, name) == 0; pos++)
		device_show(cl, name);
}

static void
do_suspend(void *words, struct cmdline *cl, void *data __rte_unused)
{
	const struct words *w = words;
	struct rte_vhost_state_error err = { 0 };

	state_report(cl, rte_vhost_state_suspend(w->device, SUSPEND_US, &err), &err);
}

static void
do_resume(void *words, struct cmdline *cl, void *data __rte_unused)
{
	const struct words *w = words;
	struct rte_vhost_state_error err = { 0 };

	state_report(cl, rte_vhost_state_resume(w->device, &err), &err);
}

static void
do_save(void *words, struct cmdline *cl, void *data __rte_unused)
{
	const struct words *w = words;
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;
	int ret;

	st = rte_vhost_state_capture(w->device, &err);
	ret = st != NULL ? rte_vhost_state_save(st, w->last, &err) : -rte_errno;
	rte_vhost_state_free(st);
	state_report(cl, ret, &err);
}

static void
do_load(void *words, struct cmdline *cl, void *data __rte_unused)
{
	const struct words *w = words;
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st;
	int ret;

	st = rte_vhost_state_load(w->last, &err);
	ret = st != NULL ? rte_vhost_state_restore(w->device, st, &err) : -rte_errno;
	rte_vhost_state_free(st);
	state_report(cl, ret, &err);
}

static void
do_quit(void *words __rte_unused, struct cmdline *cl, void *data __rte_unused)
{
	quit = true;
	cmdline_quit(cl);
}

static void do_help(void *words, struct cmdline *cl, void *data);

static cmdline_parse_token_string_t word_device =
	TOKEN_STRING_INITIALIZER(struct words, device, NULL);
static cmdline_parse_token_string_t word_last =
	TOKEN_STRING_INITIALIZER(struct words, last, NULL);

/*
 * One list gives the grammar and the help: identifier, word, function, help, further words.
 * The same action with fewer words is another command.
 */
#define COMMANDS(X) \
	X(help, "help", do_help, "help: this list") \
	X(list, "list", do_list, "list: vDPA devices, their queues and features") \
	X(create, "create", do_create, "create DEVICE SOCKET: attach a vDPA device to a socket", \
		(void *)&word_device, (void *)&word_last) \
	X(stats, "stats", do_stats, "stats DEVICE QUEUE|all: statistics of virtqueues", \
		(void *)&word_device, (void *)&word_last) \
	X(show_all, "show", do_show_all, "show: status and latencies of all devices") \
	X(show, "show", do_show, "show DEVICE: status and latencies of one device", \
		(void *)&word_device) \
	X(suspend, "suspend", do_suspend, "suspend DEVICE: stop all virtqueues at one instant", \
		(void *)&word_device) \
	X(resume, "resume", do_resume, "resume DEVICE: let all virtqueues run again", \
		(void *)&word_device) \
	X(save, "save", do_save, "save DEVICE FILE: save the state of a suspended device", \
		(void *)&word_device, (void *)&word_last) \
	X(load, "load", do_load, "load DEVICE FILE: restore a state before DRIVER_OK", \
		(void *)&word_device, (void *)&word_last) \
	X(quit, "quit", do_quit, "quit: close all sockets and exit")

#define COMMAND_DEFINE(id, word, fn, help, ...) \
	static cmdline_parse_token_string_t word_##id = \
		TOKEN_STRING_INITIALIZER(struct words, action, word); \
	static cmdline_parse_inst_t inst_##id = { \
		.f = fn, \
		.help_str = help, \
		.tokens = { (void *)&word_##id, ##__VA_ARGS__, NULL }, \
	};
COMMANDS(COMMAND_DEFINE)

#define COMMAND_REF(id, ...) &inst_##id,
static cmdline_parse_ctx_t commands[] = {
	COMMANDS(COMMAND_REF)
	NULL,
};

static void
do_help(void *words __rte_unused, struct cmdline *cl, void *data __rte_unused)
{
	unsigned int i;

	/* "create DEVICE SOCKET: what it does" becomes two columns */
	for (i = 0; commands[i] != NULL; i++) {
		const char *help = commands[i]->help_str, *text = strstr(help, ": ");

		cmdline_printf(cl, "  %-24.*s %s\n", (int)(text - help), help, text + 2);
	}
}

static void
terminal_serve(void)
{
	struct cmdline *cl;

	cl = cmdline_stdin_new(commands, "vdpa> ");
	if (cl == NULL)
		return;
	cmdline_interact(cl);
	cmdline_stdin_exit(cl);
	printf("\n");
}

/* Input from a pipe or a file: no prompt and no echo. */
static void
pipe_serve(void)
{
	struct cmdline *cl;
	char *line = NULL;
	size_t size = 0;

	cl = cmdline_new(commands, "", STDIN_FILENO, STDOUT_FILENO);
	if (cl == NULL) {
		command_failed = true;
		return;
	}
	while (!quit && stop_requested() == 0 && getline(&line, &size, stdin) > 0) {
		if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
			continue;
		if (cmdline_parse(cl, line) < 0)
			command_refuse(cl, "not understood: %.*s", (int)strcspn(line, "\n"), line);
	}
	free(line);
	cmdline_free(cl);
}

int
serve_prompt(bool client)
{
	client_sockets = client;
	command_failed = false;
	quit = false;
	if (isatty(STDIN_FILENO)) {
		terminal_serve();
		return 0;
	}
	pipe_serve();
	return command_failed ? -EIO : 0;
}

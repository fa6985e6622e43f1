/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of what a user writes: device arguments, and the parameters of telemetry commands. What is
 * accepted must be in its documented range. Bytes from 0x80 on stand for the keys and for numbers.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_memory.h>
#include <rte_telemetry.h>

#include "fuzz_in.h"
#include "vstate_devargs.h"
#include "vstate_probe.h"
#include "block/vstate_blk_class.h"
#include "block/vstate_blk_conf.h"
#include "dev/vstate_class.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_watch.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"
#include "ring/vstate_lease.h"

#define COMMANDS 16
#define TEXT_MAX 4096

static const struct vstate_class *const classes[] = { &vstate_net_class, &vstate_blk_class };

/* ---- telemetry ---- */

static struct {
	const char *name;
	telemetry_cb run;
} commands[COMMANDS];
static unsigned int nb_commands;

/* In place of lib/telemetry's: the driver registers its commands before main(). */
int
rte_telemetry_register_cmd(const char *cmd, telemetry_cb fn, const char *help)
{
	RTE_SET_USED(help);
	if (strncmp(cmd, "/vstate", 7) != 0 || nb_commands == COMMANDS)
		return 0;
	commands[nb_commands].name = cmd;
	commands[nb_commands++].run = fn;
	return 0;
}

/* lib/telemetry frees what a dictionary contains when it sends the answer. Nothing is sent here. */
static struct {
	struct rte_tel_data *of[256];
	unsigned int nb;
} answers;

struct rte_tel_data *
rte_tel_data_alloc(void)
{
	static struct rte_tel_data *(*alloc)(void);

	if (alloc == NULL)
		*(void **)&alloc = dlsym(RTLD_NEXT, "rte_tel_data_alloc");
	fuzz_require(alloc != NULL && answers.nb < RTE_DIM(answers.of), "an answer has room");
	answers.of[answers.nb] = alloc();
	return answers.of[answers.nb++];
}

static void
telemetry_try(uint8_t which, const char *text)
{
	struct rte_tel_data *d = rte_tel_data_alloc();

	fuzz_require(d != NULL && nb_commands > 0, "there are commands");
	which %= nb_commands;
	/* a client sends no parameters, too */
	commands[which].run(commands[which].name, *text != '\0' ? text : NULL, d);
	while (answers.nb > 0)
		rte_tel_data_free(answers.of[--answers.nb]);
}

/* ---- device arguments ---- */

static const char *const tokens[] = {
	"iface=", "socket-mode=", "socket-group=0", "client=", "postcopy-support=",
	"iommu-support=", "queues=", "device-state=", "numa=", "takeover=", "keep-connection=",
	"state_dir=/", "service=", "class=", "net", "blk", "mtu=", "mac=", "tso=", "linear-buffer=",
	"uplink=", "count-multicast=", "file=", "size=", "store=", "serial=", "block-size=", "ro=",
	"cache=", "fsync=", "discard=", "delay=", "ram", "null", "uring", "threads", "=", ",", "[",
	"]", "0", "1", "64", "65", "65535", "65536", "-1", "00:11:22:33:44:55", "0x", "M", "fuzz0",
	"fuzz0,", "18446744073709551616", "9000", "4096", "0777",
};

static void
text_draw(struct fuzz_in *in, char *text)
{
	size_t n = 0, len;
	uint8_t c;

	while (fuzz_has_more(in) && n < TEXT_MAX - 64) {
		c = fuzz_u8(in);
		if (c < 0x80) {
			text[n++] = c;
			continue;
		}
		len = strlen(tokens[(c - 0x80) % RTE_DIM(tokens)]);
		memcpy(text + n, tokens[(c - 0x80) % RTE_DIM(tokens)], len);
		n += len;
	}
	text[n] = '\0';
}

static void
conf_check(const struct vstate_conf *conf, const struct vstate_class *class)
{
	fuzz_require(conf->queues >= 1 && conf->queues <= VSTATE_MAX_QUEUES, "queues");
	fuzz_require(memchr(conf->iface, '\0', sizeof(conf->iface)) != NULL, "iface");
	fuzz_require(memchr(conf->state_dir, '\0', sizeof(conf->state_dir)) != NULL, "state_dir");
	fuzz_require(conf->socket_mode >= -1 && conf->socket_mode <= 0777, "socket-mode");
	fuzz_require(conf->state_dir[0] == '\0' || conf->state_dir[0] == '/', "an absolute path");
	fuzz_require(conf->numa >= SOCKET_ID_ANY && conf->numa < RTE_MAX_NUMA_NODES, "numa");
	if (class == &vstate_blk_class)
		fuzz_require(memchr(vstate_blk_conf_const(conf)->serial, '\0',
				sizeof(vstate_blk_conf_const(conf)->serial)) != NULL, "serial");
}

static void
devargs_try(uint8_t how, const char *text)
{
	const struct vstate_class *class = classes[how & 1];
	struct vstate_conf conf;

	memset(&conf, 0xa5, sizeof(conf));
	if (how & 2)
		class = vstate_devargs_class(classes, RTE_DIM(classes), "fuzz", text);
	if (class != NULL && vstate_devargs_parse(class, how & 4 ? VSTATE_KIND_VDPA :
			VSTATE_KIND_SOCKET, "fuzz", text, &conf) == 0)
		conf_check(&conf, class);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct vstate_conf conf = { .queues = 2, .numa = SOCKET_ID_ANY, .socket_mode = -1,
		.socket_group = -1 };

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_lasting(true);
	fuzz_eal_start();
	vstate_lease_init();
	fuzz_require(vstate_watch_get() == 0, "the watch thread starts");
	vstate_net_conf(&conf)->mtu = 1500;
	fuzz_require(vstate_probe_make("fuzz0", &conf, &vstate_net_class, SOCKET_ID_ANY) != NULL,
			"a device can be made");
	fuzz_lasting(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TEXT_MAX];
	struct fuzz_in in = { data, data + size };
	const uint8_t how = fuzz_u8(&in);

	text_draw(&in, text);
	if (how & 0x80)
		telemetry_try(how, text);
	else
		devargs_try(how, text);
	return 0;
}

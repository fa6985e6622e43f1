/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "cmd.h"
#include "cmd_conformance_console.h"
#include "conform_console.h"
#include "report.h"
#include "stop.h"
#include "workdir.h"

struct tally {
	unsigned int passed, failed;
	/** The report as JSON, or NULL. */
	json_t *items;
};

static int
paths_make(struct conform_console *c, unsigned int i, const struct workdir *wd, char *path,
		size_t size)
{
	char name[32];
	uint16_t port;

	snprintf(name, sizeof(name), "%u.sock", i);
	if (workdir_path(wd, name, path, size) < 0)
		return -1;
	for (port = 0; port < CONFORM_CONSOLE_PORTS; port++) {
		snprintf(name, sizeof(name), "%u.port%u", i, port);
		if (workdir_path(wd, name, c->hosts[i][port].path,
				sizeof(c->hosts[i][port].path)) < 0)
			return -1;
	}
	return 0;
}

/* @return 0, or -1 after a message on stderr */
static int
device_make(struct conform_console *c, unsigned int i, const struct workdir *wd)
{
	struct backend_device dev = { 0 };
	int len;

	snprintf(dev.name, sizeof(dev.name), "console_vstate%u", i);
	len = paths_make(c, i, wd, dev.socket, sizeof(dev.socket)) < 0 ? INT_MAX :
		snprintf(dev.args, sizeof(dev.args), "iface=%s,ports=%u,port0=pty:%s,port1=unix:%s,"
			"port2=unix:%s,name1=%s", dev.socket, CONFORM_CONSOLE_PORTS,
			c->hosts[i][0].path, c->hosts[i][1].path, c->hosts[i][2].path,
			CONFORM_CONSOLE_NAME);
	if (len >= (int)sizeof(dev.args)) {
		fprintf(stderr, "dpdk-test-vdpa: %s is too long for the paths of sockets\n",
				wd->path);
		return -1;
	}
	c->be[i] = backend_local_create(&dev);
	if (c->be[i] == NULL)
		fprintf(stderr, "dpdk-test-vdpa: cannot create device %s: %s\n", dev.name,
				strerror(rte_errno));
	return c->be[i] != NULL ? 0 : -1;
}

static void
item_run(struct conform_console *c, const struct conform_console_item *item, struct tally *t)
{
	const char *ring = c->packed ? "packed" : "split";
	int ret;

	c->why[0] = '\0';
	ret = conform_console_run(c, item);
	if (t->items != NULL)
		json_array_append_new(t->items, json_pack("{s:s, s:s, s:b, s:o}", "item",
			item->name, "ring", ring, "pass", ret == 0, "why", report_text(c->why)));
	else
		printf("%s %s %s: %s%s%s\n", ret == 0 ? "PASS" : "FAIL", item->name, ring,
				item->text, ret == 0 ? "" : ": ", c->why);
	fflush(stdout);
	if (ret == 0)
		t->passed++;
	else
		t->failed++;
}

static void
items_run(struct conform_console *c, const struct conform_console_item *item, const char *only,
		struct tally *t)
{
	unsigned int ring;

	for (; item->name != NULL; item++) {
		if (only != NULL && strcmp(only, item->name) != 0)
			continue;
		for (ring = 0; ring < 2 && stop_requested() == 0; ring++) {
			c->packed = ring == 1;
			item_run(c, item, t);
		}
	}
}

int
cmd_conformance_console(const char *only, bool json, const struct workdir *wd)
{
	struct conform_console c = { .be = { NULL } };
	struct tally t = { .items = json ? json_array() : NULL };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < RTE_DIM(c.be) && ret == 0; i++)
		ret = device_make(&c, i, wd);
	if (ret == 0) {
		items_run(&c, conform_console_items, only, &t);
		items_run(&c, conform_console_state_items, only, &t);
	}
	for (i = 0; i < RTE_DIM(c.be); i++)
		if (c.be[i] != NULL)
			c.be[i]->ops->destroy(c.be[i]);
	if (ret < 0) {
		json_decref(t.items);
		return CMD_FAILED;
	}
	if (json)
		report_write(json_pack("{s:o, s:i, s:i}", "items", t.items, "passed",
				(int)t.passed, "failed", (int)t.failed), stdout);
	else
		printf("%u of %u passed\n", t.passed, t.passed + t.failed);
	if (t.passed + t.failed == 0 && stop_requested() == 0)
		fprintf(stderr, "dpdk-test-vdpa: no item is named %s\n", only);
	return t.failed == 0 && t.passed > 0 ? CMD_OK : CMD_FAILED;
}

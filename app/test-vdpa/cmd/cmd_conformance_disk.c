/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "cmd.h"
#include "cmd_conformance_disk.h"
#include "conform_disk.h"
#include "guest_disk_codec.h"
#include "workdir.h"

const struct conform_disk_class *
cmd_conformance_disk_find(const char *name)
{
	if (strcmp(name, conform_blk.codec->name) == 0)
		return &conform_blk;
	return strcmp(name, conform_scsi.codec->name) == 0 ? &conform_scsi : NULL;
}

/* @param file  of @p size bytes: written, the path. @return NULL after a message on stderr */
static struct backend *
disk_make(const struct conform_disk_class *class, const struct workdir *wd, char *file, size_t size)
{
	struct backend_device dev = { 0 };
	struct backend *be = NULL;
	int fd, len;

	snprintf(dev.name, sizeof(dev.name), "%s_vstate0", class->codec->name);
	if (workdir_path(wd, "disk", file, size) < 0 ||
			workdir_path(wd, "0.sock", dev.socket, sizeof(dev.socket)) < 0) {
		fprintf(stderr, "dpdk-test-vdpa: %s is too long for the path of a socket\n",
				wd->path);
		return NULL;
	}
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, CONFORM_DISK_SIZE) != 0) {
		fprintf(stderr, "dpdk-test-vdpa: cannot make %s: %s\n", file, strerror(errno));
	} else {
		len = snprintf(dev.args, sizeof(dev.args), "iface=%s,%s=%s", dev.socket,
				class->codec->file_arg, file);
		rte_errno = ENAMETOOLONG;
		if (len < (int)sizeof(dev.args))
			be = backend_local_create(&dev);
		if (be == NULL)
			fprintf(stderr, "dpdk-test-vdpa: cannot create device %s: %s\n", dev.name,
					strerror(rte_errno));
	}
	if (fd >= 0)
		close(fd);
	return be;
}

static int
item_run(struct conform_disk *c, const struct conform_disk_item *item, bool json, bool first)
{
	const char *ring = c->packed ? "packed" : "split";
	int ret;

	c->why[0] = '\0';
	ret = conform_disk_run(c, item);

	if (json)
		printf("%s{\"item\": \"%s\", \"ring\": \"%s\", \"pass\": %s, \"why\": \"%s\"}",
				first ? "" : ", ", item->name, ring, ret == 0 ? "true" : "false",
				c->why);
	else
		printf("%s %s %s: %s%s%s\n", ret == 0 ? "PASS" : "FAIL", item->name, ring,
				item->text, ret == 0 ? "" : ": ", c->why);
	fflush(stdout);
	return ret;
}

int
cmd_conformance_disk(const struct conform_disk_class *class, const char *only, bool json,
		const struct workdir *wd)
{
	char file[128];
	struct conform_disk c = { .class = class, .file = file };
	const struct conform_disk_item *item;
	unsigned int passed = 0, failed = 0, ring;

	c.be = disk_make(class, wd, file, sizeof(file));
	if (c.be == NULL)
		return CMD_FAILED;
	if (json)
		printf("{\"items\": [");
	for (item = class->items; item->name != NULL; item++) {
		if (only != NULL && strcmp(only, item->name) != 0)
			continue;
		for (ring = 0; ring < 2; ring++) {
			c.packed = ring == 1;
			if (item_run(&c, item, json, passed + failed == 0) == 0)
				passed++;
			else
				failed++;
		}
	}
	if (json)
		printf("], \"passed\": %u, \"failed\": %u}\n", passed, failed);
	else
		printf("%u of %u passed\n", passed, passed + failed);
	c.be->ops->destroy(c.be);
	if (passed + failed == 0)
		fprintf(stderr, "dpdk-test-vdpa: no item is named %s\n", only);
	return failed == 0 && passed > 0 ? CMD_OK : CMD_FAILED;
}

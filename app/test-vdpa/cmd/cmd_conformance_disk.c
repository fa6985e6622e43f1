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
#include "workdir.h"

/* @return NULL after a message on stderr */
static struct backend *
disk_make(const struct workdir *wd)
{
	struct backend_device dev = { .name = "blk_vstate0" };
	struct backend *be = NULL;
	char file[128];
	int fd, len;

	if (workdir_path(wd, "disk", file, sizeof(file)) < 0 ||
			workdir_path(wd, "0.sock", dev.socket, sizeof(dev.socket)) < 0) {
		fprintf(stderr, "dpdk-test-vdpa: %s is too long for the path of a socket\n",
				wd->path);
		return NULL;
	}
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, CONFORM_DISK_SIZE) != 0) {
		fprintf(stderr, "dpdk-test-vdpa: cannot make %s: %s\n", file, strerror(errno));
	} else {
		len = snprintf(dev.args, sizeof(dev.args), "iface=%s,path=%s", dev.socket, file);
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
item_run(struct backend *be, const struct conform_disk_item *item, bool packed, bool json,
		bool first)
{
	struct conform_disk c = { .be = be, .packed = packed };
	const char *ring = packed ? "packed" : "split";
	int ret = conform_disk_run(&c, item);

	if (json)
		printf("%s{\"item\": \"%s\", \"ring\": \"%s\", \"pass\": %s, \"why\": \"%s\"}",
				first ? "" : ", ", item->name, ring, ret == 0 ? "true" : "false",
				c.why);
	else
		printf("%s %s %s: %s%s%s\n", ret == 0 ? "PASS" : "FAIL", item->name, ring,
				item->text, ret == 0 ? "" : ": ", c.why);
	fflush(stdout);
	return ret;
}

int
cmd_conformance_disk(const char *only, bool json, const struct workdir *wd)
{
	const struct conform_disk_item *item;
	unsigned int passed = 0, failed = 0, ring;
	struct backend *be = disk_make(wd);

	if (be == NULL)
		return CMD_FAILED;
	if (json)
		printf("{\"items\": [");
	for (item = conform_disk_items; item->name != NULL; item++) {
		if (only != NULL && strcmp(only, item->name) != 0)
			continue;
		for (ring = 0; ring < 2; ring++) {
			if (item_run(be, item, ring == 1, json, passed + failed == 0) == 0)
				passed++;
			else
				failed++;
		}
	}
	if (json)
		printf("], \"passed\": %u, \"failed\": %u}\n", passed, failed);
	else
		printf("%u of %u passed\n", passed, passed + failed);
	be->ops->destroy(be);
	if (passed + failed == 0)
		fprintf(stderr, "dpdk-test-vdpa: no item is named %s\n", only);
	return failed == 0 && passed > 0 ? CMD_OK : CMD_FAILED;
}

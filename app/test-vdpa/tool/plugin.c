/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_build_config.h>

#include "plugin.h"

#define PLUGIN_NAME "librte_vdpa_vstate.so"
/* Folder of the installed plugin. A build inside a DPDK tree has no other than DPDK's. */
#ifndef PLUGIN_DIR
#define PLUGIN_DIR RTE_EAL_PMD_PATH
#endif

/* Places in the order of the search. An empty path means that there is no such place. */
enum plugin_place {
	PLACE_ENVIRONMENT,
	PLACE_BESIDE,
	PLACE_INSTALLED,
	PLACE_MAX
};

static void
beside_path(char *buf, size_t size)
{
	char exe[PATH_MAX];
	ssize_t len;
	char *slash;

	buf[0] = '\0';
	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (len <= 0)
		return;
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	if (snprintf(buf, size, "%s/../drivers/%s", exe, PLUGIN_NAME) >= (int)size)
		buf[0] = '\0';
}

static void
place_path(enum plugin_place place, char *buf, size_t size)
{
	const char *env;

	switch (place) {
	case PLACE_ENVIRONMENT:
		env = getenv("VSTATE_PLUGIN");
		snprintf(buf, size, "%s", env != NULL ? env : "");
		break;
	case PLACE_BESIDE:
		beside_path(buf, size);
		break;
	default:
		snprintf(buf, size, "%s/%s", PLUGIN_DIR, PLUGIN_NAME);
		break;
	}
}

static int
plugin_open(const char *path)
{
	if (dlopen(path, RTLD_NOW) != NULL)
		return 0;
	fprintf(stderr, "dpdk-test-vdpa: cannot load the driver plugin: %s\n", dlerror());
	return -ELIBBAD;
}

static void
plugin_missing(void)
{
	char path[PATH_MAX];
	int place;

	fprintf(stderr, "dpdk-test-vdpa: driver plugin not found; searched:\n");
	for (place = PLACE_BESIDE; place < PLACE_MAX; place++) {
		place_path(place, path, sizeof(path));
		if (path[0] != '\0')
			fprintf(stderr, "  %s\n", path);
	}
	fprintf(stderr, "Build it (ninja), or set VSTATE_PLUGIN to its path.\n");
}

int
plugin_load(bool must)
{
	char path[PATH_MAX];
	int place;

	/* A tool that is linked statically has the driver, and must not load DPDK a second time. */
	if (dlsym(RTLD_DEFAULT, "net_vstate_pmd_info") != NULL)
		return 0;
	for (place = 0; place < PLACE_MAX; place++) {
		place_path(place, path, sizeof(path));
		if (path[0] == '\0')
			continue;
		/* If the user names a path, no other place is tried. */
		if (place == PLACE_ENVIRONMENT || access(path, F_OK) == 0)
			return plugin_open(path);
	}
	if (must)
		plugin_missing();
	return -ENOENT;
}

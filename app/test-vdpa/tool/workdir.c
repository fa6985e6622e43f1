/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_common.h>

#include "workdir.h"

int
workdir_create(struct workdir *wd)
{
	/* Memory before disk, because saving a state waits until it is on the medium. */
	const char *const bases[] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/dev/shm",
		"/tmp" };
	unsigned int i;
	int err = ENOENT;

	for (i = 0; i < RTE_DIM(bases); i++) {
		if (bases[i] == NULL || bases[i][0] == '\0')
			continue;
		/* Such a long path leaves no room for the name of a socket. */
		if (snprintf(wd->path, sizeof(wd->path), "%s/dpdk-test-vdpa-XXXXXX",
				bases[i]) >= (int)sizeof(wd->path)) {
			err = ENAMETOOLONG;
			continue;
		}
		if (mkdtemp(wd->path) != NULL)
			return 0;
		err = errno;
	}
	wd->path[0] = '\0';
	return -err;
}

int
workdir_path(const struct workdir *wd, const char *name, char *buf, size_t size)
{
	return snprintf(buf, size, "%s/%s", wd->path, name) < (int)size ? 0 : -ENAMETOOLONG;
}

void
workdir_remove(struct workdir *wd)
{
	struct dirent *e;
	DIR *d;

	if (wd->path[0] == '\0')
		return;
	d = opendir(wd->path);
	if (d != NULL) {
		while ((e = readdir(d)) != NULL)
			if (e->d_type != DT_DIR)
				unlinkat(dirfd(d), e->d_name, 0);
		closedir(d);
	}
	rmdir(wd->path);
	wd->path[0] = '\0';
}

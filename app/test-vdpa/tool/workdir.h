/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef WORKDIR_H
#define WORKDIR_H

#include <stddef.h>

/** A private directory for sockets and states, gone with its files at the end. */
struct workdir {
	char path[80];
};

/** Make one below $XDG_RUNTIME_DIR, $TMPDIR, /dev/shm or /tmp, the first that can be written. */
int workdir_create(struct workdir *wd);
/** Path of file @p name in it. @return 0 or -ENAMETOOLONG */
int workdir_path(const struct workdir *wd, const char *name, char *buf, size_t size);
/** Remove the directory and the files in it. */
void workdir_remove(struct workdir *wd);

#endif /* WORKDIR_H */

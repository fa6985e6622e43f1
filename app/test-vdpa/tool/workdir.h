/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef WORKDIR_H
#define WORKDIR_H

#include <stddef.h>

/** A private directory for sockets and states. It is removed at the end, with its files. */
struct workdir {
	char path[80];
};

/**
 * Create a directory below $XDG_RUNTIME_DIR, $TMPDIR, /dev/shm or /tmp: the first one that can be
 * written. @return 0 or -errno
 */
int workdir_create(struct workdir *wd);
/** Path of file @p name in the directory. @return 0 or -ENAMETOOLONG */
int workdir_path(const struct workdir *wd, const char *name, char *buf, size_t size);
/** Remove the directory and the files in it. */
void workdir_remove(struct workdir *wd);

#endif /* WORKDIR_H */

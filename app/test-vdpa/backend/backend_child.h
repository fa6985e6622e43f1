/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_CHILD_H
#define BACKEND_CHILD_H

#include "backend.h"

/** The child's side of a back end in another process. */
struct backend_child {
	/** How it makes its device. */
	struct backend *(*create)(const struct backend_device *dev);
	struct backend *be;
};

/**
 * Answer requests on @p fd until it is told to end or the other side is gone, then
 * remove the device.
 * @return 0 if told to, else -errno
 */
int backend_child_serve(struct backend_child *bc, int fd);

#endif /* BACKEND_CHILD_H */

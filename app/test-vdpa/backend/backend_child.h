/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_CHILD_H
#define BACKEND_CHILD_H

#include "backend.h"

/** The child's side of a back end in another process. */
struct backend_child {
	/** Creates the device. @return NULL with rte_errno */
	struct backend *(*create)(const struct backend_device *dev);
	struct backend *be;
};

/**
 * Answer requests on @p fd until BACKEND_MSG_DESTROY comes or the tool closes the connection. Then
 * remove the device.
 * @return 0 after BACKEND_MSG_DESTROY, else -errno
 */
int backend_child_serve(struct backend_child *bc, int fd);

#endif /* BACKEND_CHILD_H */

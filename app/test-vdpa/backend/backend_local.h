/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_LOCAL_H
#define BACKEND_LOCAL_H

struct backend;
struct backend_device;

/** Create a device in this process. @return NULL with rte_errno, reported on stderr */
struct backend *backend_local_create(const struct backend_device *dev);

#endif /* BACKEND_LOCAL_H */

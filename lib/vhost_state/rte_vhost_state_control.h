/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef _RTE_VHOST_STATE_CONTROL_H_
#define _RTE_VHOST_STATE_CONTROL_H_

/**
 * @file
 * Control sockets of the state library: other processes of the same user see and control the
 * registered devices of this process.
 *
 * @warning
 * @b EXPERIMENTAL: this API may change, or be removed, without prior notice.
 */

#include <stdint.h>

#include <rte_common.h>
#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Take the path over from a process that listens there. That process keeps its clients. */
#define RTE_VHOST_STATE_CONTROL_F_REPLACE 0x1

/**
 * Open a control socket: a UNIX stream socket of mode 0600 on which other processes of the same
 * user see and control all registered devices of this process. The library's guide describes the
 * protocol: one JSON object a line.
 *
 * The first call for a path opens the socket, further calls count. A control thread of EAL accepts
 * clients, and each of at most 16 clients has a control thread. A client that does not read what it
 * asked for is disconnected and counted. EAL must be initialised. Thread-safe.
 *
 * @param path
 *   Path of the socket, shorter than sun_path of struct sockaddr_un.
 * @param flags
 *   RTE_VHOST_STATE_CONTROL_F_* or 0.
 * @return
 *   - 0: success.
 *   - -ENOTSUP: the library was built without jansson.
 *   - -EADDRINUSE: another process listens there, or the file is not a socket.
 *   - -ENAMETOOLONG: the path is empty or too long.
 *   - -EINVAL: unknown flags, or @p path is NULL.
 *   - other: the error of the system. The reason is logged.
 */
__rte_experimental
int rte_vhost_state_control_open(const char *path, uint32_t flags);

/**
 * Close a control socket, when this was called as often as rte_vhost_state_control_open(). Waits
 * for operations that clients have begun. No operation of a device may call it.
 *
 * @param path
 *   Path of the socket.
 * @return
 *   - 0: success.
 *   - -ENOENT: there is no control socket at this path.
 */
__rte_experimental
int rte_vhost_state_control_close(const char *path);

#ifdef __cplusplus
}
#endif

#endif /* _RTE_VHOST_STATE_CONTROL_H_ */

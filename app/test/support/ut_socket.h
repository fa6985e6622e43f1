/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_SOCKET_H
#define UT_SOCKET_H

/** @file The front end's end of a vhost-user socket. */

/** Connect to the socket at @p path. The test fails if no process listens there. */
int socket_connect(const char *path);

#endif /* UT_SOCKET_H */

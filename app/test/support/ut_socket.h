/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_SOCKET_H
#define UT_SOCKET_H

/** @file The front end's end of a vhost-user socket. */

/** Connect to the socket at @p path; fails the test if nobody listens. */
int socket_connect(const char *path);

#endif /* UT_SOCKET_H */

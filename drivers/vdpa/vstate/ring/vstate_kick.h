/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_KICK_H
#define VSTATE_KICK_H

/**
 * @file
 * Kicks: the eventfd by which the driver wakes a device that sleeps. A device that polls asks the
 * driver for no kicks.
 *
 * The eventfd is only watched by an epoll instance, edge-triggered, and never read: the front end
 * has the same open file and could make a read block.
 */

struct vstate_vq;

/**
 * Watch a duplicate of @p fd from now on; none if it is negative. Control lock held.
 * @return 0; -errno: kicks are not seen
 */
int vstate_kick_fd_set(struct vstate_vq *vq, int fd);

/**
 * Let epoll instance @p epfd watch the kicks of the queue from now on, in place of an earlier one;
 * none if -1. An event has the queue's index as data. Control lock held.
 * @return 0; -errno: kicks are not seen
 */
int vstate_kick_watch(struct vstate_vq *vq, int epfd);

#endif /* VSTATE_KICK_H */

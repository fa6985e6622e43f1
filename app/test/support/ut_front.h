/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_FRONT_H
#define UT_FRONT_H

/** @file A vhost-user front end that sends one message at a time. A failure fails the test. */

#include <stdint.h>

#include "vhost/vstate_vhost_user.h"

struct vstate_conf;

#define FRONT_DIR_BYTES 64

/**
 * Make a directory, name in @p conf a socket in it, and start what a device with a socket needs.
 * The caller ends that by vstate_watch_put().
 */
void front_dir_make(char dir[FRONT_DIR_BYTES], struct vstate_conf *conf);

/** @return 1: a byte or the end can be read from @p fd; 0: nothing comes within @p ms */
int front_wait(int fd, int ms);
/** Send a message with descriptors, which stay the caller's. */
void front_send(int front, struct msg *msg, const int *fds, unsigned int nb_fds);
/** Read the answer to @p msg into @p msg. */
void front_answer(int front, struct msg *msg);

/** Send a message that rte_vhost or the device acknowledges. @return 0: accepted */
uint64_t front_message(int front, struct msg *msg, const int *fds, unsigned int nb_fds);
/** The same, of a number. */
uint64_t front_u64(int front, uint32_t request, uint64_t value);
/** The same, of the number of a ring and another one. */
uint64_t front_state(int front, uint32_t request, uint32_t index, uint32_t num);
/** Set a new eventfd of a ring. The message must be accepted. */
void front_ring_fd(int front, uint32_t request, uint32_t ring);

/** Ask for a number. @return the answer */
uint64_t front_question(int front, uint32_t request);

#endif /* UT_FRONT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_LOG_H
#define VSTATE_MSG_LOG_H

/**
 * @file
 * The message log of a connection: the messages of the front end that still hold. Another process
 * processes them without the front end. The thread that serves the front end writes the log. It is
 * offered while that thread processes no message.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vstate_vhost_user.h"

struct vstate_handover_msg;
struct vstate_msg_log;

/** @return NULL without memory */
struct vstate_msg_log *vstate_msg_log_create(uint16_t nb_vqs);
/** NULL is ignored. */
void vstate_msg_log_free(struct vstate_msg_log *log);

/** A connection begins: messages of the previous connection are dropped. NULL is ignored. */
void vstate_msg_log_begin(struct vstate_msg_log *log);
/**
 * A message is about to be processed. @p fds stay the caller's: copies are kept. NULL is ignored.
 */
void vstate_msg_log_note(struct vstate_msg_log *log, const struct msg *msg, const int *fds,
		int nb_fds);
/** The message noted last was processed and not refused: it holds. NULL is ignored. */
void vstate_msg_log_hold(struct vstate_msg_log *log);
/** The device runs again after the last GET_VRING_BASE. NULL is ignored. */
void vstate_msg_log_run(struct vstate_msg_log *log);
/**
 * Change the base that SET_VRING_BASE is replayed with.
 * @param base where the ring is now, in the form of SET_VRING_BASE
 */
void vstate_msg_log_rebase(struct vstate_msg_log *log, uint16_t qid, uint32_t base);

/** Whether a replay sets up a whole device, and the front end is not about to stop it. */
bool vstate_msg_log_is_whole(const struct vstate_msg_log *log);
/**
 * Add copies of all messages to a handover message, in the order of the replay.
 * @return 0; -ENOTCONN: the log is not whole; or an error of vstate_handover_msg_add()
 */
int vstate_msg_log_offer(const struct vstate_msg_log *log, struct vstate_handover_msg *to);

#endif /* VSTATE_MSG_LOG_H */

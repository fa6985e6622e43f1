/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_LOG_H
#define VSTATE_MSG_LOG_H

/**
 * @file
 * What a front end has said on its connection and what still holds: enough for another process to
 * say it again to its own rte_vhost, without the front end. Noted by the thread that talks to it,
 * taken out when that does so no more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handover/vstate_handover_msg.h"
#include "vstate_vhost_user.h"

struct vstate_msg_log;

/** NULL without memory. */
struct vstate_msg_log *vstate_msg_log_create(uint16_t nb_vqs);
/** NULL is ignored. */
void vstate_msg_log_free(struct vstate_msg_log *s);

/** A connection begins: what was said on the one before is forgotten. NULL is ignored. */
void vstate_msg_log_begin(struct vstate_msg_log *s);
/** How many have begun so far. Any thread. */
unsigned int vstate_msg_log_number(const struct vstate_msg_log *s);
/** A message, before it is processed; @p fds stay whose they are. NULL is ignored. */
void vstate_msg_log_note(struct vstate_msg_log *s, const struct msg *msg, const int *fds,
		int nb_fds);
/** It was not refused: it holds. NULL is ignored. */
void vstate_msg_log_hold(struct vstate_msg_log *s);
/** The device runs; it stopped with the last GET_VRING_BASE. NULL is ignored. */
void vstate_msg_log_run(struct vstate_msg_log *s);
/** A ring is at @p base, in the form of SET_VRING_BASE, and not where it was set to. */
void vstate_msg_log_rebase(struct vstate_msg_log *s, uint16_t qid, uint32_t base);

/** Whether it is all that was said, and enough to run a device that is not about to stop. */
bool vstate_msg_log_is_whole(const struct vstate_msg_log *s);
/**
 * Take all of it out, in an order in which it can be said again.
 * @return 0; -ENOTCONN: it is not whole; -ENOMEM
 */
int vstate_msg_log_pack(struct vstate_msg_log *s, struct vstate_handover_msg *parcel);

/** One message of a packed session. */
struct vstate_msg_log_entry {
	uint32_t request;
	uint32_t size;
	const uint8_t *payload;
	const int *fds;
	unsigned int nb_fds;
};

/** Where in a parcel; all zero at its begin. */
struct vstate_msg_log_cursor {
	size_t at;
	unsigned int fd;
};

/** @return 1: there is one more; 0: that was all; -EBADMSG: it is no packed session */
int vstate_msg_log_next(const struct vstate_handover_msg *parcel, struct vstate_msg_log_cursor *cursor,
		struct vstate_msg_log_entry *msg);

#endif /* VSTATE_MSG_LOG_H */

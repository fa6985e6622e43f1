/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_H
#define VSTATE_MSG_H

/**
 * @file
 * The table of vhost-user requests: one row has all that a request means to the device. The check
 * of a message, the quiescing of queues, the handlers and the message log read it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_bitops.h>

#include "vstate_msg_refused.h"
#include "vstate_vhost_user.h"

/** Where the payload names a queue. */
enum vstate_msg_queue {
	/** Nowhere: the message concerns the device. */
	MSG_QUEUE_NONE,
	/** In its first 32 bits, before the rest of a vring state or of ring addresses. */
	MSG_QUEUE_U32,
	/** In the low byte of its 64 bits, next to MSG_VRING_FD_NONE. */
	MSG_QUEUE_LOW_BYTE,
};

/** How many descriptors the message brings. */
enum vstate_msg_fds_rule {
	/** The range in the row. */
	MSG_FDS_RANGE,
	/** One for each region of the memory table. */
	MSG_FDS_REGIONS,
	/** One, or none with MSG_VRING_FD_NONE. */
	MSG_FDS_NONE_BIT,
};

/** In vstate_msg_row::needs: this device never offers what the request belongs to. */
#define MSG_NEEDS_NEVER RTE_BIT64(63)

/** Which queues must be quiescent while rte_vhost processes the message. */
enum vstate_msg_quiesce {
	MSG_QUIESCE_NONE,
	/** The queue named: rte_vhost reports it as stopped while it replaces a descriptor. */
	MSG_QUIESCE_VQ,
	/** All: the message remaps memory or rings. */
	MSG_QUIESCE_ALL,
};

/** Memory of the front end that rte_vhost unmaps while it processes the message. */
enum vstate_msg_remap {
	MSG_REMAP_NONE,
	/** All of it, and nothing is mapped in its place. */
	MSG_REMAP_AWAY,
	/** The guest's memory: the message brings another table. */
	MSG_REMAP_TABLE,
	/** The dirty log: the message brings another one. */
	MSG_REMAP_LOG,
};

/** Which side processes and answers the request. */
enum vstate_msg_answer {
	/** rte_vhost; it refuses what it does not know. */
	MSG_ANSWER_RTE_VHOST,
	/** The device; rte_vhost never sees the request. */
	MSG_ANSWER_DEVICE,
	/** The device, after rte_vhost has processed the request. */
	MSG_ANSWER_DEVICE_AFTER,
};

/** What the message log does when the message was processed. */
enum vstate_msg_note {
	MSG_NOTE_NONE,
	/** Keep the last message of each queue, or of the device. */
	MSG_NOTE_KEEP,
	/** The same, until MSG_NOTE_RING_STOPPED for the same queue. */
	MSG_NOTE_KEEP_UNTIL_STOP,
	/** The ring stopped: rte_vhost has closed the descriptors of that queue. */
	MSG_NOTE_RING_STOPPED,
	/** Nothing that was kept is valid any more. */
	MSG_NOTE_FORGET_ALL,
	/** Guest pages arrive on a way that another process cannot take over. */
	MSG_NOTE_POSTCOPY_BEGIN,
	MSG_NOTE_POSTCOPY_END,
};

/** What the device does before rte_vhost sees the message. */
enum vstate_msg_before {
	MSG_BEFORE_NOTHING,
	MSG_BEFORE_GET_FEATURES,
	MSG_BEFORE_SET_FEATURES,
	MSG_BEFORE_SET_PROTOCOL_FEATURES,
	MSG_BEFORE_GET_PROTOCOL_FEATURES,
	MSG_BEFORE_GET_QUEUE_NUM,
	MSG_BEFORE_SEND_RARP,
	MSG_BEFORE_GET_INFLIGHT_FD,
	MSG_BEFORE_SET_INFLIGHT_FD,
	MSG_BEFORE_GET_STATUS,
	MSG_BEFORE_GET_CONFIG,
	MSG_BEFORE_SET_CONFIG,
	MSG_BEFORE_SET_DEVICE_STATE_FD,
	MSG_BEFORE_CHECK_DEVICE_STATE,
	MSG_BEFORE_RESET_DEVICE,
	MSG_BEFORE_SET_BACKEND_REQ_FD,
	MSG_BEFORE_MAX
};

/** What the device does after the message was processed. */
enum vstate_msg_after {
	MSG_AFTER_NOTHING,
	MSG_AFTER_SET_FEATURES,
	MSG_AFTER_SET_VRING_NUM,
	MSG_AFTER_SET_VRING_ADDR,
	MSG_AFTER_SET_VRING_BASE,
	MSG_AFTER_GET_VRING_BASE,
	MSG_AFTER_NET_SET_MTU,
	MSG_AFTER_SET_STATUS,
	MSG_AFTER_MAX
};

/** Places in the order in which kept messages are replayed, 1 to this. */
#define VSTATE_MSG_PLACES 17

struct vstate_msg_row {
	/** As the specification has it, without VHOST_USER_; NULL: no such request. */
	const char *name;
	/** Fewer bytes of payload are refused. */
	uint32_t min_size;
	enum vstate_msg_fds_rule fds;
	/** The range of MSG_FDS_RANGE. */
	uint8_t fds_min, fds_max;
	/** Reason for which another number is refused; VSTATE_MSG_R_NONE stands for R_FDS. */
	enum vstate_msg_refusal fds_refused;
	/** Protocol features that must be negotiated, or MSG_NEEDS_NEVER. */
	uint64_t needs;
	/** A queue that no device has (VSTATE_MAX_VQS) is refused. */
	enum vstate_msg_queue queue;
	/** More checks of the payload, after all others but that of the queue; or NULL. */
	enum vstate_msg_refusal (*payload_check)(const struct msg *msg, const int *fds);
	enum vstate_msg_quiesce quiesce;
	enum vstate_msg_remap remap;
	/** The front end takes all rings back. */
	bool stops;
	enum vstate_msg_answer answer;
	/** rte_vhost answers with a payload. It only acknowledges other requests. */
	bool answer_payload;
	enum vstate_msg_note note;
	/** Place in the replay; 0: the message is not replayed. */
	uint8_t replay;
	enum vstate_msg_before before;
	enum vstate_msg_after after;
};

/** The row of a request; a row without a name and with nothing to do if there is no such one. */
const struct vstate_msg_row *vstate_msg_find(uint32_t request);
/** The row whose messages are replayed in this place, 1 to VSTATE_MSG_PLACES. */
const struct vstate_msg_row *vstate_msg_find_replay(unsigned int place);

/** Room for the name of any request. */
#define VSTATE_MSG_NAME_SIZE 32
/** The name of a request, as "SET_VRING_ADDR" or "request 77", in @p buf. @return @p buf */
const char *vstate_msg_name(uint32_t request, char buf[static VSTATE_MSG_NAME_SIZE]);

/**
 * The queue that a message names, in the range of the device or not.
 * @return false: the request names none, or the payload is too short
 */
bool vstate_msg_queue_get(const struct vstate_msg_row *row, const struct msg *msg, uint32_t *qid);
/**
 * How many descriptors come with a message.
 * @return false: the payload does not say it in a valid way
 */
bool vstate_msg_fds_range(const struct vstate_msg_row *row, const struct msg *msg, int *min,
		int *max);

/** A message that is processed, and its descriptors. */
struct vstate_msg_context {
	/** The request; the answer takes its place. */
	struct msg *msg;
	/** Room for MSG_MAX_FDS descriptors; the context owns those that are there. */
	int *fds;
	unsigned int nb_fds;
};

/** Close the descriptors of a message. */
void vstate_msg_close_fds(struct vstate_msg_context *context);
/** Take the one descriptor of a message. @return it; -1: there is not exactly one */
int vstate_msg_take_fd(struct vstate_msg_context *context);

#endif /* VSTATE_MSG_H */

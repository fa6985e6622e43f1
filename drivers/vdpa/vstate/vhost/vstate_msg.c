/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "vstate_msg.h"
#include "vstate_msg_payload.h"
#include "vstate_vhost_user.h"

#define U64_SIZE 8
#define STATE_SIZE 8
#define ADDR_SIZE 40
#define LOG_SIZE 16
#define MEM_TABLE_SIZE 8
#define MOVE_SIZE 8

#define ROW(request, ...) [MSG_##request] = { .name = #request, __VA_ARGS__ }
#define ONE_FD .fds_min = 1, .fds_max = 1
#define KEEP(place) .note = MSG_NOTE_KEEP, .replay = place
#define KEEP_UNTIL_STOP(place) .note = MSG_NOTE_KEEP_UNTIL_STOP, .replay = place
#define NEEDS(feature) .needs = VSTATE_PROTOCOL_F_##feature
#define NEVER .needs = MSG_NEEDS_NEVER

/*
 * Payloads have a minimum size where rte_vhost does not look at it in all releases.
 *
 * The replay has this order: memory before addresses, positions before the descriptor that starts
 * a ring, and the status last. vstate_msg_log.c replays requests of neighbouring places that name
 * a queue together, one queue after the other.
 */
static const struct vstate_msg_row rows[MSG_REQUEST_MAX] = {
	ROW(GET_FEATURES, .answer = MSG_ANSWER_DEVICE, .before = MSG_BEFORE_GET_FEATURES),
	ROW(SET_FEATURES, .min_size = U64_SIZE, .quiesce = MSG_QUIESCE_ALL, KEEP(4),
			.before = MSG_BEFORE_SET_FEATURES, .after = MSG_AFTER_SET_FEATURES),
	ROW(SET_OWNER, KEEP(1)),
	ROW(RESET_OWNER, .quiesce = MSG_QUIESCE_ALL, .remap = MSG_REMAP_AWAY, .stops = true,
			.note = MSG_NOTE_FORGET_ALL),
	ROW(SET_MEM_TABLE, .min_size = MEM_TABLE_SIZE, .fds = MSG_FDS_REGIONS,
			.fds_refused = VSTATE_MSG_R_MEM_FDS,
			.payload_check = vstate_msg_payload_mem_table,
			.quiesce = MSG_QUIESCE_ALL, .remap = MSG_REMAP_TABLE, KEEP(5)),
	ROW(SET_LOG_BASE, .min_size = LOG_SIZE, ONE_FD, .fds_refused = VSTATE_MSG_R_LOG_FDS,
			.payload_check = vstate_msg_payload_log,
			.quiesce = MSG_QUIESCE_ALL, .remap = MSG_REMAP_LOG,
			.answer_payload = true, KEEP(6)),
	ROW(SET_LOG_FD, ONE_FD, KEEP(7)),
	ROW(SET_VRING_NUM, .min_size = STATE_SIZE, .queue = MSG_QUEUE_U32,
			.payload_check = vstate_msg_payload_vring_num,
			.quiesce = MSG_QUIESCE_ALL, KEEP(10), .after = MSG_AFTER_SET_VRING_NUM),
	ROW(SET_VRING_ADDR, .min_size = ADDR_SIZE, .queue = MSG_QUEUE_U32,
			.quiesce = MSG_QUIESCE_ALL, KEEP(12), .after = MSG_AFTER_SET_VRING_ADDR),
	ROW(SET_VRING_BASE, .min_size = STATE_SIZE, .queue = MSG_QUEUE_U32,
			.quiesce = MSG_QUIESCE_ALL, KEEP(11), .after = MSG_AFTER_SET_VRING_BASE),
	ROW(GET_VRING_BASE, .min_size = STATE_SIZE, .queue = MSG_QUEUE_U32, .stops = true,
			.answer = MSG_ANSWER_DEVICE_AFTER, .note = MSG_NOTE_RING_STOPPED,
			.after = MSG_AFTER_GET_VRING_BASE),
	ROW(SET_VRING_KICK, .min_size = U64_SIZE, .fds = MSG_FDS_NONE_BIT,
			.queue = MSG_QUEUE_LOW_BYTE, .quiesce = MSG_QUIESCE_VQ,
			KEEP_UNTIL_STOP(15)),
	ROW(SET_VRING_CALL, .min_size = U64_SIZE, .fds = MSG_FDS_NONE_BIT,
			.queue = MSG_QUEUE_LOW_BYTE, .quiesce = MSG_QUIESCE_VQ,
			KEEP_UNTIL_STOP(14)),
	ROW(SET_VRING_ERR, .min_size = U64_SIZE, .fds = MSG_FDS_NONE_BIT,
			.queue = MSG_QUEUE_LOW_BYTE, KEEP(13)),
	ROW(GET_PROTOCOL_FEATURES, .answer = MSG_ANSWER_DEVICE,
			.before = MSG_BEFORE_GET_PROTOCOL_FEATURES),
	ROW(SET_PROTOCOL_FEATURES, .min_size = U64_SIZE, KEEP(2),
			.before = MSG_BEFORE_SET_PROTOCOL_FEATURES),
	ROW(GET_QUEUE_NUM, .answer = MSG_ANSWER_DEVICE, .before = MSG_BEFORE_GET_QUEUE_NUM),
	ROW(SET_VRING_ENABLE, .min_size = STATE_SIZE, .queue = MSG_QUEUE_U32, KEEP(16)),
	ROW(SEND_RARP, .min_size = U64_SIZE, .before = MSG_BEFORE_SEND_RARP),
	ROW(NET_SET_MTU, .min_size = U64_SIZE, KEEP(8), .after = MSG_AFTER_NET_SET_MTU),
	ROW(SET_BACKEND_REQ_FD, ONE_FD, NEEDS(BACKEND_REQ), KEEP(3),
			.before = MSG_BEFORE_SET_BACKEND_REQ_FD),
	ROW(IOTLB_MSG, NEVER),
	ROW(SET_VRING_ENDIAN, .queue = MSG_QUEUE_U32, NEVER),
	ROW(GET_CONFIG, .min_size = MSG_CONFIG_HEADER_SIZE,
			.payload_check = vstate_msg_payload_config, NEEDS(CONFIG),
			.answer = MSG_ANSWER_DEVICE, .before = MSG_BEFORE_GET_CONFIG),
	ROW(SET_CONFIG, .min_size = MSG_CONFIG_HEADER_SIZE,
			.payload_check = vstate_msg_payload_config, NEEDS(CONFIG),
			.answer = MSG_ANSWER_DEVICE, .before = MSG_BEFORE_SET_CONFIG),
	ROW(CREATE_CRYPTO_SESSION, NEVER),
	ROW(CLOSE_CRYPTO_SESSION, NEVER),
	ROW(POSTCOPY_ADVISE, NEEDS(PAGEFAULT), .answer_payload = true,
			.note = MSG_NOTE_POSTCOPY_BEGIN),
	ROW(POSTCOPY_LISTEN, NEEDS(PAGEFAULT)),
	ROW(POSTCOPY_END, NEEDS(PAGEFAULT), .answer_payload = true,
			.note = MSG_NOTE_POSTCOPY_END),
	ROW(GET_INFLIGHT_FD, .min_size = MSG_INFLIGHT_SIZE, NEEDS(INFLIGHT),
			.answer = MSG_ANSWER_DEVICE, .before = MSG_BEFORE_GET_INFLIGHT_FD),
	ROW(SET_INFLIGHT_FD, .min_size = MSG_INFLIGHT_SIZE, ONE_FD,
			.fds_refused = VSTATE_MSG_R_INFLIGHT_FDS, NEEDS(INFLIGHT),
			.quiesce = MSG_QUIESCE_ALL, .answer = MSG_ANSWER_DEVICE, KEEP(9),
			.before = MSG_BEFORE_SET_INFLIGHT_FD),
	ROW(GPU_SET_SOCKET, ONE_FD, NEVER),
	ROW(RESET_DEVICE, NEEDS(RESET_DEVICE), .answer = MSG_ANSWER_DEVICE,
			.before = MSG_BEFORE_RESET_DEVICE),
	ROW(VRING_KICK, .queue = MSG_QUEUE_U32, NEVER),
	ROW(GET_MAX_MEM_SLOTS, NEVER),
	ROW(ADD_MEM_REG, ONE_FD, NEVER, .quiesce = MSG_QUIESCE_ALL),
	ROW(REM_MEM_REG, .fds_max = 1, NEVER, .quiesce = MSG_QUIESCE_ALL),
	ROW(SET_STATUS, .min_size = U64_SIZE, KEEP(17), .after = MSG_AFTER_SET_STATUS),
	ROW(GET_STATUS, .answer = MSG_ANSWER_DEVICE, .before = MSG_BEFORE_GET_STATUS),
	ROW(GET_SHARED_OBJECT, NEVER),
	ROW(SET_DEVICE_STATE_FD, .min_size = MOVE_SIZE, ONE_FD, NEEDS(DEVICE_STATE),
			.answer = MSG_ANSWER_DEVICE, .before = MSG_BEFORE_SET_DEVICE_STATE_FD),
	ROW(CHECK_DEVICE_STATE, NEEDS(DEVICE_STATE), .answer = MSG_ANSWER_DEVICE,
			.before = MSG_BEFORE_CHECK_DEVICE_STATE),
	ROW(GET_SHMEM_CONFIG, NEVER),
};

/* For a request that the specification does not have. */
static const struct vstate_msg_row unknown;

const struct vstate_msg_row *
vstate_msg_find(uint32_t request)
{
	return request < RTE_DIM(rows) ? &rows[request] : &unknown;
}

const struct vstate_msg_row *
vstate_msg_find_replay(unsigned int place)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		if (rows[i].replay == place)
			return &rows[i];
	}
	return &unknown;
}

const char *
vstate_msg_name(uint32_t request, char buf[static VSTATE_MSG_NAME_SIZE])
{
	const struct vstate_msg_row *row = vstate_msg_find(request);

	if (row->name != NULL)
		snprintf(buf, VSTATE_MSG_NAME_SIZE, "%s", row->name);
	else
		snprintf(buf, VSTATE_MSG_NAME_SIZE, "request %u", request);
	return buf;
}

bool
vstate_msg_queue_get(const struct vstate_msg_row *row, const struct msg *msg, uint32_t *qid)
{
	switch (row->queue) {
	case MSG_QUEUE_U32:
		if (msg->size < sizeof(msg->state))
			return false;
		*qid = msg->state.index;
		return true;
	case MSG_QUEUE_LOW_BYTE:
		if (msg->size < sizeof(msg->u64))
			return false;
		*qid = msg->u64 & MSG_VRING_FD_INDEX;
		return true;
	default:
		return false;
	}
}

bool
vstate_msg_fds_range(const struct vstate_msg_row *row, const struct msg *msg, int *min, int *max)
{
	switch (row->fds) {
	case MSG_FDS_REGIONS:
		*min = *max = vstate_msg_payload_regions(msg);
		return *min > 0;
	case MSG_FDS_NONE_BIT:
		*min = *max = (msg->u64 & MSG_VRING_FD_NONE) == 0;
		return msg->size >= sizeof(msg->u64);
	default:
		*min = row->fds_min;
		*max = row->fds_max;
		return true;
	}
}

void
vstate_msg_close_fds(struct vstate_msg_context *context)
{
	while (context->nb_fds > 0)
		close(context->fds[--context->nb_fds]);
}

int
vstate_msg_take_fd(struct vstate_msg_context *context)
{
	if (context->nb_fds != 1)
		return -1;
	context->nb_fds = 0;
	return context->fds[0];
}

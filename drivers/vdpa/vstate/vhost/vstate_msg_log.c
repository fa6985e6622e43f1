/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "handover/vstate_handover_msg.h"
#include "vstate_msg.h"
#include "vstate_msg_log.h"


/** A message that still holds, with descriptors of its own. */
struct kept_msg {
	uint32_t request;
	uint32_t size;
	unsigned int nb_fds;
	int fds[MSG_MAX_FDS];
	uint8_t payload[];
};

struct vstate_msg_log {
	uint16_t nb_vqs;
	/** A message could not be kept: there was no memory or no descriptor. */
	bool gap;
	/** Guest pages arrive on a way that another process cannot take over. */
	bool postcopy;
	/** The front end is about to take all rings back. */
	bool stopped;
	/** The message being processed: its row, its queue, its copy and the place for the copy. */
	const struct vstate_msg_row *row;
	uint32_t qid;
	struct kept_msg *coming, **slot;
	/** By queue, and place in the replay less 1. Messages of the device are at queue 0. */
	struct kept_msg *kept[][VSTATE_MSG_PLACES];
};

struct vstate_msg_log *
vstate_msg_log_create(uint16_t nb_vqs)
{
	struct vstate_msg_log *log = calloc(1, sizeof(*log) + nb_vqs * sizeof(log->kept[0]));

	if (log != NULL)
		log->nb_vqs = nb_vqs;
	return log;
}

static void
kept_free(struct kept_msg **slot)
{
	unsigned int i;

	if (*slot == NULL)
		return;
	for (i = 0; i < (*slot)->nb_fds; i++)
		close((*slot)->fds[i]);
	free(*slot);
	*slot = NULL;
}

void
vstate_msg_log_begin(struct vstate_msg_log *log)
{
	unsigned int q, i;

	if (log == NULL)
		return;
	for (q = 0; q < log->nb_vqs; q++) {
		for (i = 0; i < VSTATE_MSG_PLACES; i++)
			kept_free(&log->kept[q][i]);
	}
	kept_free(&log->coming);
	log->slot = NULL;
	log->row = NULL;
	log->gap = log->postcopy = log->stopped = false;
}

void
vstate_msg_log_free(struct vstate_msg_log *log)
{
	vstate_msg_log_begin(log);
	free(log);
}

/* ---- note ---- */

/* NULL: there is no memory or no descriptor, or the message is too long. */
static struct kept_msg *
kept_create(const struct msg *msg, const int *fds, int nb_fds)
{
	struct kept_msg *kept;
	int fd;

	if (msg->size > MSG_PAYLOAD_MAX || nb_fds > MSG_MAX_FDS)
		return NULL;
	kept = calloc(1, sizeof(*kept) + msg->size);
	if (kept == NULL)
		return NULL;
	kept->request = msg->request;
	kept->size = msg->size;
	memcpy(kept->payload, &msg->u64, msg->size);
	while ((int)kept->nb_fds < nb_fds) {
		fd = fcntl(fds[kept->nb_fds], F_DUPFD_CLOEXEC, 0);
		if (fd < 0) {
			kept_free(&kept);
			return NULL;
		}
		kept->fds[kept->nb_fds++] = fd;
	}
	return kept;
}

/* Of a request that is kept. */
static unsigned int
slot_index(uint32_t request)
{
	return vstate_msg_find(request)->replay - 1;
}

/* NULL: the message is not kept, or names no queue of the device. */
static struct kept_msg **
slot_find(struct vstate_msg_log *log, const struct msg *msg)
{
	const struct vstate_msg_row *row = vstate_msg_find(msg->request);
	uint32_t qid = 0;

	if (row->replay == 0)
		return NULL;
	if (row->queue != MSG_QUEUE_NONE && !vstate_msg_queue_get(row, msg, &qid))
		return NULL;
	return qid < log->nb_vqs ? &log->kept[qid][slot_index(msg->request)] : NULL;
}

void
vstate_msg_log_note(struct vstate_msg_log *log, const struct msg *msg, const int *fds, int nb_fds)
{
	if (log == NULL)
		return;
	/* A copy that is still here belongs to a message that was refused. */
	kept_free(&log->coming);
	log->row = vstate_msg_find(msg->request);
	log->slot = slot_find(log, msg);
	if (log->slot != NULL)
		log->coming = kept_create(msg, fds, nb_fds);
	if (log->row->note != MSG_NOTE_RING_STOPPED)
		return;
	log->stopped = true;
	if (!vstate_msg_queue_get(log->row, msg, &log->qid))
		log->qid = UINT32_MAX;
}

static void
ring_stopped(struct vstate_msg_log *log)
{
	unsigned int i;

	if (log->qid >= log->nb_vqs)
		return;
	for (i = 0; i < VSTATE_MSG_PLACES; i++) {
		if (vstate_msg_find_replay(i + 1)->note == MSG_NOTE_KEEP_UNTIL_STOP)
			kept_free(&log->kept[log->qid][i]);
	}
}

void
vstate_msg_log_hold(struct vstate_msg_log *log)
{
	if (log == NULL || log->row == NULL)
		return;
	if (log->slot != NULL) {
		kept_free(log->slot);
		*log->slot = log->coming;
		log->gap |= log->coming == NULL;
		log->coming = NULL;
		log->slot = NULL;
	}
	switch (log->row->note) {
	case MSG_NOTE_RING_STOPPED:
		ring_stopped(log);
		break;
	case MSG_NOTE_FORGET_ALL:
		vstate_msg_log_begin(log);
		break;
	case MSG_NOTE_POSTCOPY_BEGIN:
		log->postcopy = true;
		break;
	case MSG_NOTE_POSTCOPY_END:
		log->postcopy = false;
		break;
	default:
		break;
	}
	log->row = NULL;
}

void
vstate_msg_log_run(struct vstate_msg_log *log)
{
	if (log != NULL)
		log->stopped = false;
}

/* ---- offer ---- */

bool
vstate_msg_log_is_whole(const struct vstate_msg_log *log)
{
	return !log->gap && !log->postcopy && !log->stopped &&
		log->kept[0][slot_index(MSG_SET_FEATURES)] != NULL &&
		log->kept[0][slot_index(MSG_SET_MEM_TABLE)] != NULL;
}

void
vstate_msg_log_rebase(struct vstate_msg_log *log, uint16_t qid, uint32_t base)
{
	struct kept_msg *kept = NULL;

	if (qid < log->nb_vqs)
		kept = log->kept[qid][slot_index(MSG_SET_VRING_BASE)];
	/* The base follows the queue index. */
	if (kept != NULL && kept->size >= 2 * sizeof(base))
		memcpy(kept->payload + sizeof(base), &base, sizeof(base));
}

static int
kept_offer(const struct kept_msg *kept, struct vstate_handover_msg *to)
{
	return kept == NULL ? 0 : vstate_handover_msg_add(to, kept->request, kept->payload,
			kept->size, kept->fds, kept->nb_fds);
}

static bool
place_is_ring(unsigned int i)
{
	return vstate_msg_find_replay(i + 1)->queue != MSG_QUEUE_NONE;
}

/*
 * The queues come one after the other, each with all of its messages, and the first pair comes
 * last. Without SET_STATUS, rte_vhost starts the device when the first pair is complete. A ring
 * that came later would make the device quiesce all queues once more.
 */
int
vstate_msg_log_offer(const struct vstate_msg_log *log, struct vstate_handover_msg *to)
{
	unsigned int first, end, q, i;
	int ret = 0;

	if (!vstate_msg_log_is_whole(log))
		return -ENOTCONN;
	for (first = 0; first < VSTATE_MSG_PLACES && ret == 0; first = end) {
		for (end = first; end < VSTATE_MSG_PLACES && !place_is_ring(end) && ret == 0; end++)
			ret = kept_offer(log->kept[0][end], to);
		for (first = end; end < VSTATE_MSG_PLACES && place_is_ring(end); end++)
			;
		for (q = log->nb_vqs; q-- > 0;) {
			for (i = first; i < end && ret == 0; i++)
				ret = kept_offer(log->kept[q][i], to);
		}
	}
	return ret;
}

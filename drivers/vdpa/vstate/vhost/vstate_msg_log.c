/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "vstate_log.h"
#include "vstate_msg_log.h"

/* The longest that is noted is a memory table. */
#define PAYLOAD_MAX 512

/* Which queue a message is about. */
enum scope {
	SCOPE_DEVICE,
	/** Its payload begins with the queue. */
	SCOPE_RING,
	/** Its payload begins with the queue, and whether a descriptor comes. */
	SCOPE_RING_FD,
};

/*
 * The last of each holds. They are said again in this order, rings one after the other: memory
 * before addresses, positions before the descriptor that starts a ring, and the status last.
 * The first pair comes last: where no status is said, rte_vhost starts the device with it, and
 * each ring that comes later has all of them rest once more.
 */
static const struct {
	uint32_t request;
	enum scope scope;
} kinds[] = {
	{ MSG_SET_OWNER, SCOPE_DEVICE },
	{ MSG_SET_PROTOCOL_FEATURES, SCOPE_DEVICE },
	{ MSG_SET_BACKEND_REQ_FD, SCOPE_DEVICE },
	{ MSG_SET_FEATURES, SCOPE_DEVICE },
	{ MSG_SET_MEM_TABLE, SCOPE_DEVICE },
	{ MSG_SET_LOG_BASE, SCOPE_DEVICE },
	{ MSG_SET_LOG_FD, SCOPE_DEVICE },
	{ MSG_NET_SET_MTU, SCOPE_DEVICE },
	{ MSG_SET_INFLIGHT_FD, SCOPE_DEVICE },
	{ MSG_SET_VRING_NUM, SCOPE_RING },
	{ MSG_SET_VRING_BASE, SCOPE_RING },
	{ MSG_SET_VRING_ADDR, SCOPE_RING },
	{ MSG_SET_VRING_ERR, SCOPE_RING_FD },
	{ MSG_SET_VRING_CALL, SCOPE_RING_FD },
	{ MSG_SET_VRING_KICK, SCOPE_RING_FD },
	{ MSG_SET_VRING_ENABLE, SCOPE_RING },
	{ MSG_SET_STATUS, SCOPE_DEVICE },
};

#define NB_KINDS RTE_DIM(kinds)

struct said {
	uint32_t request;
	uint32_t size;
	unsigned int nb_fds;
	int fds[MSG_MAX_FDS];
	uint8_t payload[];
};

struct vstate_msg_log {
	uint16_t nb_vqs;
	unsigned int number;
	/** Something was said that could not be kept. */
	bool gap;
	/** Pages of the guest come by a way that another process has no part in. */
	bool postcopy;
	/** The front end takes the rings back. */
	bool stopped;
	/** What is being processed: its request, and what is to be kept of it, and where. */
	uint32_t request;
	uint32_t qid;
	struct said *coming, **slot;
	/** By kind, and queue; those of the device are at queue 0. */
	struct said *said[][NB_KINDS];
};

struct vstate_msg_log *
vstate_msg_log_create(uint16_t nb_vqs)
{
	struct vstate_msg_log *s = calloc(1, sizeof(*s) + nb_vqs * sizeof(s->said[0]));

	if (s != NULL)
		s->nb_vqs = nb_vqs;
	return s;
}

static void
forget(struct said **slot)
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
vstate_msg_log_begin(struct vstate_msg_log *s)
{
	unsigned int q, k;

	if (s == NULL)
		return;
	for (q = 0; q < s->nb_vqs; q++) {
		for (k = 0; k < NB_KINDS; k++)
			forget(&s->said[q][k]);
	}
	forget(&s->coming);
	s->slot = NULL;
	s->request = 0;
	s->gap = s->postcopy = s->stopped = false;
	__atomic_add_fetch(&s->number, 1, __ATOMIC_RELEASE);
}

unsigned int
vstate_msg_log_number(const struct vstate_msg_log *s)
{
	return __atomic_load_n(&s->number, __ATOMIC_ACQUIRE);
}

void
vstate_msg_log_free(struct vstate_msg_log *s)
{
	vstate_msg_log_begin(s);
	free(s);
}

/* ---- note ---- */

/* NULL: without memory, or descriptors. */
static struct said *
said_new(const struct msg *msg, const int *fds, int nb_fds)
{
	struct said *said;
	int fd;

	if (msg->size > PAYLOAD_MAX || nb_fds > MSG_MAX_FDS)
		return NULL;
	said = calloc(1, sizeof(*said) + msg->size);
	if (said == NULL)
		return NULL;
	said->request = msg->request;
	said->size = msg->size;
	memcpy(said->payload, &msg->u64, msg->size);
	while ((int)said->nb_fds < nb_fds) {
		fd = fcntl(fds[said->nb_fds], F_DUPFD_CLOEXEC, 0);
		if (fd < 0) {
			forget(&said);
			return NULL;
		}
		said->fds[said->nb_fds++] = fd;
	}
	return said;
}

/* NB_KINDS: nothing of it is kept. */
static unsigned int
kind_of(uint32_t request)
{
	unsigned int k;

	for (k = 0; k < NB_KINDS && kinds[k].request != request; k++)
		;
	return k;
}

static struct said **
slot_of(struct vstate_msg_log *s, const struct msg *msg)
{
	const unsigned int k = kind_of(msg->request);
	uint32_t q = 0;

	if (k == NB_KINDS)
		return NULL;
	if (kinds[k].scope == SCOPE_RING)
		q = msg->size >= sizeof(msg->state) ? msg->state.index : UINT32_MAX;
	else if (kinds[k].scope == SCOPE_RING_FD)
		q = msg->size >= sizeof(msg->u64) ? msg->u64 & MSG_VRING_FD_INDEX : UINT32_MAX;
	return q < s->nb_vqs ? &s->said[q][k] : NULL;
}

void
vstate_msg_log_note(struct vstate_msg_log *s, const struct msg *msg, const int *fds, int nb_fds)
{
	if (s == NULL)
		return;
	/* the one before was refused, if it is still here */
	forget(&s->coming);
	s->request = msg->request;
	s->slot = slot_of(s, msg);
	if (s->slot != NULL)
		s->coming = said_new(msg, fds, nb_fds);
	if (msg->request != MSG_GET_VRING_BASE)
		return;
	s->stopped = true;
	s->qid = msg->state.index;
}

/* GET_VRING_BASE stops a ring; rte_vhost then has its descriptors no more. */
static void
ring_stopped(struct vstate_msg_log *s)
{
	if (s->qid >= s->nb_vqs)
		return;
	forget(&s->said[s->qid][kind_of(MSG_SET_VRING_KICK)]);
	forget(&s->said[s->qid][kind_of(MSG_SET_VRING_CALL)]);
}

void
vstate_msg_log_hold(struct vstate_msg_log *s)
{
	if (s == NULL)
		return;
	if (s->slot != NULL) {
		forget(s->slot);
		*s->slot = s->coming;
		s->gap |= s->coming == NULL;
		s->coming = NULL;
		s->slot = NULL;
	}
	switch (s->request) {
	case MSG_GET_VRING_BASE:
		ring_stopped(s);
		break;
	case MSG_RESET_OWNER:
		vstate_msg_log_begin(s);
		break;
	case MSG_POSTCOPY_ADVISE:
		s->postcopy = true;
		break;
	case MSG_POSTCOPY_END:
		s->postcopy = false;
		break;
	default:
		break;
	}
	s->request = 0;
}

void
vstate_msg_log_run(struct vstate_msg_log *s)
{
	if (s != NULL)
		s->stopped = false;
}

/* ---- pack ---- */

/** Before each payload. */
struct record {
	uint32_t request, size, nb_fds;
};

static void
said_pack(struct said **slot, struct vstate_handover_msg *p)
{
	const struct said *said = *slot;
	struct record r;

	if (said == NULL)
		return;
	r = (struct record){ said->request, said->size, said->nb_fds };
	memcpy(p->bytes + p->len, &r, sizeof(r));
	memcpy(p->bytes + p->len + sizeof(r), said->payload, said->size);
	p->len += sizeof(r) + said->size;
	memcpy(p->fds + p->nb_fds, said->fds, said->nb_fds * sizeof(said->fds[0]));
	p->nb_fds += said->nb_fds;
	/* the parcel has its descriptors */
	free(*slot);
	*slot = NULL;
}

static void
count(const struct vstate_msg_log *s, size_t *bytes, unsigned int *fds)
{
	const struct said *said;
	unsigned int q, k;

	for (q = 0; q < s->nb_vqs; q++) {
		for (k = 0; k < NB_KINDS; k++) {
			said = s->said[q][k];
			if (said == NULL)
				continue;
			*bytes += sizeof(struct record) + said->size;
			*fds += said->nb_fds;
		}
	}
}

bool
vstate_msg_log_is_whole(const struct vstate_msg_log *s)
{
	return !s->gap && !s->postcopy && !s->stopped &&
		s->said[0][kind_of(MSG_SET_FEATURES)] != NULL &&
		s->said[0][kind_of(MSG_SET_MEM_TABLE)] != NULL;
}

void
vstate_msg_log_rebase(struct vstate_msg_log *s, uint16_t qid, uint32_t base)
{
	struct said *said = qid < s->nb_vqs ? s->said[qid][kind_of(MSG_SET_VRING_BASE)] : NULL;

	/* after the queue */
	if (said != NULL && said->size >= 2 * sizeof(base))
		memcpy(said->payload + sizeof(base), &base, sizeof(base));
}

int
vstate_msg_log_pack(struct vstate_msg_log *s, struct vstate_handover_msg *parcel)
{
	unsigned int first, end, q, k, fds = 0;
	size_t bytes = 0;

	if (!vstate_msg_log_is_whole(s))
		return -ENOTCONN;
	count(s, &bytes, &fds);
	if (vstate_handover_msg_alloc(parcel, bytes, fds) != 0)
		return -ENOMEM;
	for (first = 0; first < NB_KINDS; first = end) {
		for (end = first; end < NB_KINDS && kinds[end].scope == SCOPE_DEVICE; end++)
			said_pack(&s->said[0][end], parcel);
		for (first = end; end < NB_KINDS && kinds[end].scope != SCOPE_DEVICE; end++)
			;
		for (q = s->nb_vqs; q-- > 0;) {
			for (k = first; k < end; k++)
				said_pack(&s->said[q][k], parcel);
		}
	}
	return 0;
}

int
vstate_msg_log_next(const struct vstate_handover_msg *parcel, struct vstate_msg_log_cursor *cursor,
		struct vstate_msg_log_entry *msg)
{
	const size_t left = parcel->len - cursor->at;
	struct record r;

	if (left == 0)
		return 0;
	if (left < sizeof(r))
		return -EBADMSG;
	memcpy(&r, parcel->bytes + cursor->at, sizeof(r));
	if (r.size > PAYLOAD_MAX || r.size > left - sizeof(r) || r.nb_fds > MSG_MAX_FDS ||
			r.nb_fds > parcel->nb_fds - cursor->fd)
		return -EBADMSG;
	*msg = (struct vstate_msg_log_entry){
		.request = r.request,
		.size = r.size,
		.payload = parcel->bytes + cursor->at + sizeof(r),
		.fds = parcel->fds + cursor->fd,
		.nb_fds = r.nb_fds,
	};
	cursor->at += sizeof(r) + r.size;
	cursor->fd += r.nb_fds;
	return 1;
}

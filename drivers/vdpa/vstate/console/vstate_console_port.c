/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "dev/vstate_dev.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_marks.h"
#include "vstate_console_port.h"

/* Most buffers and bytes of a queue in one turn: other queues and devices wait for it. */
#define TURN_BUFFERS 64
#define TURN_BYTES (256u << 10)

struct vstate_console_kept_port *
vstate_console_port_kept(const struct vstate_console_port *p)
{
	struct vstate_console_kept *kept = p->dev->kept;

	return &kept->ports[p->index];
}

void
vstate_console_port_keep(const struct vstate_console_port *p)
{
	struct vstate_console_kept_port *kept = vstate_console_port_kept(p);

	kept->guest_open = p->guest_open;
	kept->ready = p->ready;
	kept->due = p->due;
	kept->reported_open = p->reported_open;
}

static struct vstate_console_stream *
stream_of(const struct vstate_console_port *p, const struct vstate_console_vq *q)
{
	struct vstate_console_kept_port *kept = vstate_console_port_kept(p);

	return q == p->to_guest ? &kept->to_guest : &kept->to_host;
}

int
vstate_console_port_vq_init(struct vstate_console_vq *q)
{
	q->pieces = calloc(VSTATE_CONSOLE_PIECES, sizeof(*q->pieces));
	if (q->pieces == NULL)
		return -ENOMEM;
	q->req.max_pieces = VSTATE_CONSOLE_PIECES;
	q->req.pieces = q->pieces;
	return 0;
}

void
vstate_console_port_vq_fini(struct vstate_console_vq *q)
{
	free(q->pieces);
	q->pieces = NULL;
}

/* ---- a buffer ---- */

/* Begin a record of the buffer that is being transferred. @return it */
static struct vstate_console_record *
record_begin(struct vstate_console_port *p, struct vstate_console_vq *q, uint32_t ahead)
{
	struct vstate_console_stream *s = stream_of(p, q);
	const struct vstate_console_record *now = vstate_console_record_now(s);
	const struct vstate_console_record next = {
		.base = q->done,
		.ahead_done = now->ahead_done + ahead,
		.ahead_at = now->ahead_at,
		.id = q->req.id,
		.idx = q->vq.used.idx,
		.wrap = q->vq.used.wrap,
		.valid = 1,
	};

	return vstate_console_record_set(s, &next);
}

/* Bytes of the buffer that was just popped which are transferred already. */
static uint64_t
done_get(struct vstate_console_port *p, struct vstate_console_vq *q)
{
	const struct vstate_console_record *r = vstate_console_record_now(stream_of(p, q));
	const struct vstate_console_transfer stopped = q->stopped;
	const bool from_kept = q->from_kept;

	q->stopped.valid = false;
	q->from_kept = false;
	if (stopped.valid && stopped.id == q->req.id &&
			(stopped.any_pos || vstate_pos_same(stopped.used, q->vq.used)))
		return stopped.done;
	if (from_kept && vstate_console_record_is_of(r, q->req.id, q->vq.used))
		return vstate_console_record_done(r);
	return 0;
}

/* To the host: @p n more bytes of the buffer are transferred. */
static void
pieces_skip(struct vstate_console_vq *q, uint64_t n)
{
	struct iovec *piece;
	size_t part;

	q->done += n;
	for (; n > 0 && q->piece < q->req.nb_readable; n -= part) {
		piece = &q->pieces[q->piece];
		part = RTE_MIN(n, (uint64_t)piece->iov_len);
		piece->iov_base = (uint8_t *)piece->iov_base + part;
		piece->iov_len -= part;
		if (piece->iov_len == 0)
			q->piece++;
	}
}

/* @return 0, -EAGAIN or -EIO as vstate_request_pop() */
static int
buffer_begin(struct vstate_console_port *p, struct vstate_console_vq *q)
{
	uint64_t done, room;
	int ret;

	ret = vstate_request_pop(&q->vq, &q->req);
	if (ret != 0)
		return ret;
	q->busy = true;
	q->done = 0;
	q->piece = 0;
	room = q == p->to_guest ? q->req.writable_bytes : q->req.readable_bytes;
	done = RTE_MIN(done_get(p, q), room);
	if (done > 0)
		q->counters.resumed++;
	if (room == 0)
		q->counters.malformed++;
	if (q == p->to_guest)
		q->done = done;
	else
		pieces_skip(q, done);
	record_begin(p, q, 0);
	return 0;
}

/* The driver gets the buffer back at once: the record says how far only this one is. */
static void
buffer_end(struct vstate_console_port *p, struct vstate_console_vq *q)
{
	q->busy = false;
	q->counters.buffers++;
	vstate_request_push(&q->vq, &q->req, q == p->to_guest ? q->done : 0);
	vstate_request_publish(&q->vq);
}

/* ---- to the host ---- */

static void
rest_drop(struct vstate_console_port *p)
{
	p->rest_dropped += p->rest_nb - p->rest_done;
	p->rest_nb = p->rest_done = 0;
}

bool
vstate_console_port_rest_send(struct vstate_console_port *p)
{
	struct mmsghdr msg;
	struct iovec iov;
	ssize_t n;

	while (p->rest_done < p->rest_nb) {
		msg = (struct mmsghdr){ 0 };
		iov = (struct iovec){ p->rest + p->rest_done, p->rest_nb - p->rest_done };
		n = vstate_console_host_send(&p->host, &msg, &iov, 1);
		if (n == -ENOTCONN && !p->hold)
			rest_drop(p);
		else if (n < 0)
			return false;
		else
			p->rest_done += n;
	}
	p->rest_nb = p->rest_done = 0;
	return true;
}

int
vstate_console_port_rest_add(struct vstate_console_port *p, const uint8_t *bytes, uint32_t nb)
{
	if (nb > VSTATE_CONSOLE_REST - p->rest_nb)
		return -EINVAL;
	if (p->rest == NULL)
		p->rest = malloc(VSTATE_CONSOLE_REST);
	if (p->rest == NULL)
		return -ENOMEM;
	memcpy(p->rest + p->rest_nb, bytes, nb);
	p->rest_nb += nb;
	return 0;
}

/* Keep the rest of a buffer, so that the driver can get it back. @return false: no room */
static bool
rest_keep(struct vstate_console_port *p, struct vstate_console_vq *q)
{
	const struct iovec *piece;

	if (q->req.readable_bytes - q->done > VSTATE_CONSOLE_REST - p->rest_nb)
		return false;
	while (q->piece < q->req.nb_readable) {
		piece = &q->pieces[q->piece];
		if (vstate_console_port_rest_add(p, piece->iov_base, piece->iov_len) != 0)
			return false;
		pieces_skip(q, piece->iov_len);
	}
	return true;
}

/* Send what is left of the buffer. @return whether the driver can have it back */
static bool
buffer_send(struct vstate_console_port *p, struct vstate_console_vq *q)
{
	struct vstate_console_record *r;
	ssize_t n;

	while (q->done < q->req.readable_bytes) {
		r = record_begin(p, q, 0);
		n = vstate_console_host_send(&p->host, &r->msg, &q->pieces[q->piece],
				q->req.nb_readable - q->piece);
		if (n == -EFAULT) {
			vstate_vq_break(&q->vq, VSTATE_FAULT_MEMORY_LOST);
			return false;
		}
		if (n == -ENOTCONN && !p->hold) {
			q->counters.dropped_bytes += q->req.readable_bytes - q->done;
			return true;
		}
		if (n < 0)
			return false;
		q->counters.bytes += n;
		pieces_skip(q, n);
	}
	return true;
}

static enum vstate_console_turn
to_host_move(struct vstate_console_port *p)
{
	struct vstate_console_vq *q = p->to_host;
	const uint64_t bytes = q->counters.bytes;
	unsigned int i;

	for (i = 0; i < TURN_BUFFERS && q->counters.bytes - bytes < TURN_BYTES; i++) {
		if (!q->busy) {
			if (p->hold && !p->host.is_open)
				return VSTATE_CONSOLE_TURN_HOST;
			if (buffer_begin(p, q) != 0)
				return VSTATE_CONSOLE_TURN_RING;
		}
		if (!buffer_send(p, q))
			return VSTATE_CONSOLE_TURN_HOST;
		buffer_end(p, q);
	}
	return VSTATE_CONSOLE_TURN_AGAIN;
}

enum vstate_console_turn
vstate_console_port_to_host(struct vstate_console_port *p)
{
	struct vstate_vq *vq = &p->to_host->vq;
	enum vstate_console_turn turn;

	if (!vstate_lease_take(&vq->lease))
		return VSTATE_CONSOLE_TURN_STOPPED;
	turn = vstate_console_port_rest_send(p) ? to_host_move(p) : VSTATE_CONSOLE_TURN_HOST;
	vstate_request_publish(vq);
	vstate_lease_give(&vq->lease);
	return turn;
}

/* ---- to the guest ---- */

/* Copy bytes that were read ahead to the buffer. */
static void
ahead_put(struct vstate_console_port *p, struct vstate_console_vq *q, const uint8_t *from,
		uint32_t left)
{
	const struct iovec *piece = &q->pieces[q->req.nb_readable];
	const struct iovec *end = piece + q->req.nb_writable;
	uint32_t nb = 0, part;

	for (; piece < end && nb < left; piece++, nb += part) {
		part = RTE_MIN((size_t)(left - nb), piece->iov_len);
		memcpy(piece->iov_base, from + nb, part);
	}
	q->done += nb;
	q->counters.bytes += nb;
	/* one store makes the bytes those of the buffer, and no more those read ahead */
	record_begin(p, q, nb);
}

/* @return whether the buffer has bytes */
static bool
buffer_receive(struct vstate_console_port *p, struct vstate_console_vq *q)
{
	uint8_t *first = NULL;
	const uint32_t ahead = vstate_console_ahead_left(vstate_console_port_kept(p), &first);
	struct vstate_console_record *r;
	ssize_t n;

	if (q->done > 0)
		return true;
	if (ahead > 0) {
		ahead_put(p, q, first, ahead);
		return true;
	}
	r = record_begin(p, q, 0);
	n = vstate_console_host_recv(&p->host, &r->msg, &q->pieces[q->req.nb_readable],
			q->req.nb_writable);
	if (n == -EFAULT)
		vstate_vq_break(&q->vq, VSTATE_FAULT_MEMORY_LOST);
	if (n < 0)
		return false;
	q->done += n;
	q->counters.bytes += n;
	return true;
}

/*
 * A buffer is popped only if there are bytes for it. So none is held while the host's side is
 * silent, and a stop has nothing to wait for.
 */
static bool
has_bytes(struct vstate_console_port *p)
{
	const struct vstate_console_vq *q = p->to_guest;
	uint8_t *first;

	/* a killed process may have put bytes to the buffer */
	if (q->vq.inflight != NULL && (q->stopped.valid || q->from_kept))
		return true;
	return vstate_console_ahead_left(vstate_console_port_kept(p), &first) > 0 ||
		vstate_console_host_has_input(&p->host);
}

static enum vstate_console_turn
to_guest_move(struct vstate_console_port *p)
{
	struct vstate_console_vq *q = p->to_guest;
	const uint64_t bytes = q->counters.bytes;
	unsigned int i;

	for (i = 0; i < TURN_BUFFERS && q->counters.bytes - bytes < TURN_BYTES; i++) {
		if (!p->guest_open || (!q->busy && !has_bytes(p)))
			return VSTATE_CONSOLE_TURN_HOST;
		if (!q->busy && buffer_begin(p, q) != 0)
			return VSTATE_CONSOLE_TURN_RING;
		if (q->req.writable_bytes > 0 && !buffer_receive(p, q))
			return VSTATE_CONSOLE_TURN_HOST;
		buffer_end(p, q);
	}
	return VSTATE_CONSOLE_TURN_AGAIN;
}

enum vstate_console_turn
vstate_console_port_to_guest(struct vstate_console_port *p)
{
	struct vstate_vq *vq = &p->to_guest->vq;
	enum vstate_console_turn turn;

	if (!vstate_lease_take(&vq->lease))
		return VSTATE_CONSOLE_TURN_STOPPED;
	turn = to_guest_move(p);
	vstate_request_publish(vq);
	vstate_lease_give(&vq->lease);
	return turn;
}

/* ---- a stop ---- */

/* @return whether the driver can have the buffer back */
static bool
buffer_finish(struct vstate_console_port *p, struct vstate_console_vq *q, bool drop)
{
	/* a buffer that a killed process took for bytes that it did not read: it returns empty */
	if (q == p->to_guest)
		return true;
	if ((vstate_console_port_rest_send(p) && buffer_send(p, q)) || rest_keep(p, q))
		return true;
	if (drop)
		q->counters.dropped_bytes += q->req.readable_bytes - q->done;
	return drop;
}

static bool
buffers_finish(struct vstate_console_port *p, struct vstate_console_vq *q, bool drop)
{
	bool done = true;

	/* never set up */
	if (q->vq.marks == NULL)
		return true;
	while (done && q->vq.fault == VSTATE_FAULT_NONE && (q->busy || q->vq.inflight != NULL)) {
		if (!q->busy && buffer_begin(p, q) != 0)
			break;
		done = buffer_finish(p, q, drop);
		if (done)
			buffer_end(p, q);
	}
	vstate_request_publish(&q->vq);
	/* the chains of a broken queue cannot be walked again */
	return done || q->vq.fault != VSTATE_FAULT_NONE;
}

bool
vstate_console_port_end(struct vstate_console_port *p, struct vstate_console_vq *q,
		enum vstate_console_end end)
{
	if (end != VSTATE_CONSOLE_END_WAIT &&
			!buffers_finish(p, q, end == VSTATE_CONSOLE_END_DROP))
		return false;
	if (!q->busy)
		return true;
	q->stopped = (struct vstate_console_transfer){
		.valid = true,
		.id = q->req.id,
		.used = q->vq.used,
		.done = q->done,
	};
	q->busy = false;
	vstate_request_wait(&q->vq, &q->req);
	return true;
}

/* ---- the host's side ahead of the guest ---- */

/* Look for bytes, whatever the events said: the thread may not have processed them yet. */
static bool
host_has_input_now(struct vstate_console_port *p)
{
	unsigned int i;

	/* behind a peer that has left there may be the next one */
	for (i = 0; i < 2; i++) {
		p->host.can_accept = true;
		vstate_console_host_look(&p->host);
		p->host.can_read = p->host.is_open;
		if (vstate_console_host_has_input(&p->host))
			return true;
	}
	return false;
}

void
vstate_console_port_read_ahead(struct vstate_console_port *p)
{
	struct vstate_console_kept_port *kept = vstate_console_port_kept(p);
	struct vstate_console_ahead *ahead;
	uint8_t *first = NULL;
	uint32_t left;
	struct iovec iov;

	if (!host_has_input_now(p))
		return;
	/* the rest of what was read ahead before comes first */
	left = vstate_console_ahead_left(kept, &first);
	vstate_console_port_ahead_set(p, first, left);
	if (left == VSTATE_CONSOLE_AHEAD)
		return;
	ahead = &kept->ahead[vstate_console_record_now(&kept->to_guest)->ahead_at & 1];
	iov = (struct iovec){ ahead->bytes + left, VSTATE_CONSOLE_AHEAD - left };
	vstate_console_host_recv(&p->host, &ahead->msg, &iov, 1);
	/* the address is of this process */
	ahead->msg.msg_hdr = (struct msghdr){ 0 };
}

void
vstate_console_port_ahead_set(struct vstate_console_port *p, const uint8_t *bytes, uint32_t nb)
{
	struct vstate_console_kept_port *kept = vstate_console_port_kept(p);
	struct vstate_console_record r = *vstate_console_record_now(&kept->to_guest);
	struct vstate_console_ahead *ahead;

	r.base = vstate_console_record_done(&r);
	r.ahead_done = 0;
	r.ahead_at = (r.ahead_at & 1) ^ 1;
	/* the other place, until the record says that it is this one */
	ahead = &kept->ahead[r.ahead_at];
	ahead->msg = (struct mmsghdr){ 0 };
	ahead->base = nb;
	if (nb > 0)
		memcpy(ahead->bytes, bytes, nb);
	vstate_console_record_set(&kept->to_guest, &r);
}

void
vstate_console_port_reset(struct vstate_console_port *p)
{
	struct vstate_console_vq *queues[] = { p->to_guest, p->to_host };
	struct vstate_console_record r;
	unsigned int i;

	for (i = 0; i < RTE_DIM(queues); i++) {
		queues[i]->stopped.valid = false;
		queues[i]->from_kept = false;
		r = *vstate_console_record_now(stream_of(p, queues[i]));
		r.base = 0;
		r.valid = 0;
		vstate_console_record_set(stream_of(p, queues[i]), &r);
	}
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "ring/vstate_lease.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_request.h"
#include "vstate_blk_order.h"
#include "vstate_blk_queue.h"
#include "vstate_blk_request.h"
#include "vstate_blk_store.h"
#include "vstate_blk_vq.h"

/* Operations that the store returns at once. */
#define REAP_MAX 64

/* ---- requests ---- */

int
vstate_blk_queue_init(struct vstate_blk_vq *q, const struct vstate_blk_protocol *protocol,
		struct vstate_blk_store *const *stores, uint16_t nb_stores)
{
	struct vstate_blk_req *req;
	uint16_t i;

	q->protocol = protocol;
	q->reqs = calloc(VSTATE_BLK_DEPTH, protocol->req_size);
	q->popped_pieces = calloc(VSTATE_BLK_PIECES, sizeof(*q->popped_pieces));
	if (q->reqs == NULL || q->popped_pieces == NULL)
		return -ENOMEM;
	q->popped.max_pieces = VSTATE_BLK_PIECES;
	q->popped.pieces = q->popped_pieces;
	for (i = 0; i < VSTATE_BLK_DEPTH; i++) {
		req = vstate_blk_vq_req(q, i);
		req->next = q->free;
		q->free = req;
	}
	for (; q->nb_chans < nb_stores; q->nb_chans++) {
		q->chans[q->nb_chans] = stores[q->nb_chans]->ops->chan_open(stores[q->nb_chans],
				VSTATE_BLK_DEPTH);
		if (q->chans[q->nb_chans] == NULL)
			return -rte_errno;
	}
	return 0;
}

void
vstate_blk_queue_fini(struct vstate_blk_vq *q)
{
	uint16_t i;

	for (i = 0; i < q->nb_chans; i++)
		q->chans[i]->store->ops->chan_close(q->chans[i]);
	for (i = 0; q->reqs != NULL && i < VSTATE_BLK_DEPTH; i++)
		free(vstate_blk_vq_req(q, i)->many);
	free(q->reqs);
	free(q->popped_pieces);
	q->nb_chans = 0;
	q->reqs = NULL;
	q->popped_pieces = NULL;
}

/* Copy the popped request. @return false: no memory for its pieces */
static bool
popped_copy(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	const uint32_t nb = q->popped.nb_readable + q->popped.nb_writable;
	uint32_t i;

	req->ring = q->popped;
	req->ring.pieces = req->few;
	if (unlikely(nb > VSTATE_BLK_FEW_PIECES)) {
		if (req->many == NULL)
			req->many = calloc(VSTATE_BLK_PIECES, sizeof(*req->many));
		req->ring.pieces = req->many;
		if (req->many == NULL)
			return false;
	}
	for (i = 0; i < nb; i++)
		req->ring.pieces[i] = q->popped_pieces[i];
	return true;
}

static void
req_free(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	req->out = false;
	req->aborted = false;
	req->next = q->free;
	q->free = req;
}

/* The driver gets the request back with its answer, at the next publication. */
static void
req_return(struct vstate_blk_vq *q, struct vstate_blk_req *req, int res)
{
	vstate_request_push(&q->vq, &req->ring, q->protocol->finish(q, req, res));
	req_free(q, req);
}

/* The request was not done: it waits to be submitted again, unless the driver gave it up. */
static void
req_wait(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	if (unlikely(req->aborted)) {
		req_return(q, req, -ECANCELED);
		return;
	}
	if (q->protocol->drop != NULL)
		q->protocol->drop(req);
	vstate_request_wait(&q->vq, &req->ring);
	req_free(q, req);
}

/* ---- to the store and back ---- */

static void store_submit(struct vstate_blk_vq *q, struct vstate_blk_req *req);

/* An operation is done, and the store does not have it any more. */
static void
store_done(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	struct vstate_blk_req *flush = NULL, *next;

	q->nb_out--;
	if (req->io.op != VSTATE_BLK_FLUSH)
		flush = vstate_blk_order_end(q, req);
	if (unlikely(req->io.res == -ECANCELED))
		req_wait(q, req);
	else
		req_return(q, req, req->io.res);
	for (; flush != NULL; flush = next) {
		next = flush->next;
		q->nb_out--;
		store_submit(q, flush);
	}
}

static void
store_submit(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	struct vstate_blk_chan *chan = q->chans[req->unit];

	q->nb_out++;
	if (chan->store->ops->submit(chan, &req->io))
		store_done(q, req);
}

static void
req_submit(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	req->io.again = false;
	req->out = true;
	if (req->io.op != VSTATE_BLK_FLUSH)
		vstate_blk_order_begin(q, req);
	else if (!vstate_blk_order_flush(q, req)) {
		q->nb_out++;
		return;
	}
	store_submit(q, req);
}

/* The store gave up an operation. It keeps its place among the others. */
static void
store_again(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	struct vstate_blk_chan *chan = q->chans[req->unit];

	if (chan->store->ops->submit(chan, &req->io))
		store_done(q, req);
}

/*
 * An operation that was cancelled waits only at a stop. The answer to a cancellation may be late:
 * after a stop that took too long, so that the queue runs on.
 */
static uint16_t
chan_reap(struct vstate_blk_vq *q, struct vstate_blk_chan *chan, bool stopping)
{
	struct vstate_blk_io *done[REAP_MAX];
	uint16_t i, n;

	n = chan->store->ops->reap(chan, done, REAP_MAX);
	for (i = 0; i < n; i++) {
		struct vstate_blk_req *req = container_of(done[i], struct vstate_blk_req, io);

		if (unlikely(req->io.res == -ECANCELED && !stopping && !req->aborted))
			store_again(q, req);
		else
			store_done(q, req);
	}
	return n;
}

/* @return operations that are done, of all stores */
static uint16_t
store_reap(struct vstate_blk_vq *q, bool stopping)
{
	uint16_t i, n = 0;

	for (i = 0; i < q->nb_chans; i++)
		n += chan_reap(q, q->chans[i], stopping);
	return n;
}

static void
store_kick(struct vstate_blk_vq *q)
{
	uint16_t i;

	for (i = 0; i < q->nb_chans; i++) {
		if (q->chans[i]->store->ops->kick != NULL)
			q->chans[i]->store->ops->kick(q->chans[i]);
	}
}

static void
store_cancel(struct vstate_blk_vq *q)
{
	uint16_t i;

	for (i = 0; i < q->nb_chans; i++) {
		if (q->chans[i]->store->ops->cancel != NULL)
			q->chans[i]->store->ops->cancel(q->chans[i]);
	}
}

static void
answers_publish(struct vstate_blk_vq *q)
{
	vstate_request_publish(&q->vq);
	if (q->protocol->published != NULL)
		q->protocol->published(q);
}

/* ---- from the ring ---- */

static void
popped_begin(struct vstate_blk_vq *q)
{
	struct vstate_blk_req *req = q->free;
	const bool copied = popped_copy(q, req);

	q->nb_popped++;
	q->free = req->next;
	/* without memory its pieces are in the popped request, so that it must end at once */
	if (unlikely(!copied))
		req->ring.pieces = q->popped_pieces;
	if (likely(q->protocol->parse(q, req) && copied))
		req_submit(q, req);
	else
		req_return(q, req, copied ? 0 : -ENOMEM);
}

static bool
can_begin(const struct vstate_blk_vq *q)
{
	return q->free != NULL && vstate_blk_order_has_room(q);
}

/* Requests that wait come first, and are counted. */
static uint16_t
waiting_begin(struct vstate_blk_vq *q)
{
	uint16_t n = 0;

	while (q->vq.inflight != NULL && n < VSTATE_BURST && can_begin(q) &&
			vstate_request_pop_waiting(&q->vq, &q->popped) == 0) {
		q->counters.resubmitted++;
		popped_begin(q);
		n++;
	}
	return n;
}

uint32_t
vstate_blk_queue_poll(struct vstate_blk_vq *q)
{
	struct vstate_vq *vq = &q->vq;
	uint32_t n = 0, nb;

	if (!vstate_lease_take(&vq->lease))
		return 0;
	/* a stop may have unlocked the file before this thread entered */
	if (unlikely(!vstate_blk_store_is_locked(q->chans[0]->store))) {
		vstate_lease_give(&vq->lease);
		return 0;
	}
	if (q->nb_out != 0)
		n = store_reap(q, false);
	if (n != 0 || !vstate_vq_is_empty(vq)) {
		n += waiting_begin(q);
		for (nb = 0; nb < VSTATE_BURST && can_begin(q) && vq->inflight == NULL &&
				vstate_request_pop(vq, &q->popped) == 0; nb++)
			popped_begin(q);
		n += nb;
		store_kick(q);
		answers_publish(q);
	}
	vstate_lease_give(&vq->lease);
	return n;
}

/* ---- a stop ---- */

static void
flushes_cancel(struct vstate_blk_vq *q)
{
	struct vstate_blk_req *req, *next;

	for (req = vstate_blk_order_drop(q); req != NULL; req = next) {
		next = req->next;
		q->nb_out--;
		req_wait(q, req);
	}
}

bool
vstate_blk_queue_drain(struct vstate_blk_vq *q, bool finish)
{
	struct vstate_vq *vq = &q->vq;

	if (q->nb_out == 0 && (!finish || vq->inflight == NULL))
		return true;
	if (finish) {
		if (vstate_blk_store_is_locked(q->chans[0]->store))
			waiting_begin(q);
		store_kick(q);
	} else {
		flushes_cancel(q);
		if (q->nb_out != 0)
			store_cancel(q);
	}
	while (q->nb_out != 0 && store_reap(q, !finish) >= REAP_MAX)
		;
	answers_publish(q);
	/* the chains of a broken queue cannot be walked again */
	return q->nb_out == 0 &&
		(!finish || vq->inflight == NULL || vq->fault != VSTATE_FAULT_NONE);
}

void
vstate_blk_queue_oldest(const struct vstate_blk_vq *q, char *buf, uint32_t size)
{
	const struct vstate_marks *m = q->vq.marks;
	const struct vstate_blk_req *oldest = NULL, *r;
	uint16_t i;

	for (i = 0; i < VSTATE_BLK_DEPTH; i++) {
		r = vstate_blk_vq_req(q, i);
		if (r->out && m != NULL && (oldest == NULL || m->marks[r->ring.slot].counter <
				m->marks[oldest->ring.slot].counter))
			oldest = r;
	}
	if (oldest == NULL)
		snprintf(buf, size, "none");
	else
		snprintf(buf, size, "%s of %" PRIu64 " bytes at byte %" PRIu64,
				vstate_blk_request_name(oldest->io.op), oldest->io.len,
				oldest->io.offset);
}

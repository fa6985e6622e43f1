/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <liburing.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_errno.h>

#include "vstate_blk_conf.h"
#include "vstate_blk_file.h"
#include "vstate_blk_store.h"
#include "vstate_blk_uring.h"

struct uring_chan {
	struct vstate_blk_chan chan;
	struct io_uring ring;
	/** Prepared since the last kick. */
	uint16_t nb_new;
};

/* vstate_blk_io::step. What the kernel does not do at once, it does in steps. */
enum {
	STEP_OPERATION,
	/** The file system cannot write zeroes itself: zeroes are written, io->due bytes so far. */
	STEP_ZEROES,
	/** A range that was changed becomes stable. */
	STEP_SYNC,
};

/* One write of STEP_ZEROES. */
#define ZEROES_SIZE 65536
/* A copy of so many bytes from or to the page cache would hold the poll thread for long. */
#define ASYNC_SIZE (1u << 20)

static alignas(4096) uint8_t zeroes[ZEROES_SIZE];

static struct vstate_blk_chan *
chan_open(struct vstate_blk_store *store, uint16_t depth)
{
	struct uring_chan *c = calloc(1, sizeof(*c));
	int ret;

	if (c == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	/* a request, and its cancellation */
	ret = io_uring_queue_init(2 * depth, &c->ring, 0);
	if (ret == 0) {
		ret = io_uring_register_files(&c->ring, &store->fd, 1);
		if (ret != 0)
			io_uring_queue_exit(&c->ring);
	}
	if (ret == 0) {
		c->chan.store = store;
		return &c->chan;
	}
	free(c);
	rte_errno = -ret;
	return NULL;
}

static void
chan_close(struct vstate_blk_chan *chan)
{
	struct uring_chan *c = (struct uring_chan *)chan;

	io_uring_queue_exit(&c->ring);
	free(c);
}

static void
operation_fill(struct io_uring_sqe *sqe, const struct vstate_blk_io *io)
{
	switch (io->op) {
	case VSTATE_BLK_READ:
		if (io->nb_iov == 1)
			io_uring_prep_read(sqe, 0, io->iov->iov_base, io->iov->iov_len,
					io->offset);
		else
			io_uring_prep_readv(sqe, 0, io->iov, io->nb_iov, io->offset);
		break;
	case VSTATE_BLK_WRITE:
		if (io->nb_iov == 1)
			io_uring_prep_write(sqe, 0, io->iov->iov_base, io->iov->iov_len,
					io->offset);
		else
			io_uring_prep_writev(sqe, 0, io->iov, io->nb_iov, io->offset);
		sqe->rw_flags = io->stable ? RWF_DSYNC : 0;
		break;
	case VSTATE_BLK_FLUSH:
		io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
		break;
	case VSTATE_BLK_DISCARD:
	case VSTATE_BLK_WRITE_ZEROES:
		io_uring_prep_fallocate(sqe, 0, vstate_blk_file_mode(io), io->offset, io->len);
		break;
	}
	if (io->nb_iov > 0 && io->len >= ASYNC_SIZE)
		sqe->flags |= IOSQE_ASYNC;
}

/* Prepare the next step of an operation. False: the ring has no room. */
static bool
step_prepare(struct uring_chan *c, struct vstate_blk_io *io)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

	if (unlikely(sqe == NULL))
		return false;
	switch (io->step) {
	case STEP_ZEROES:
		io_uring_prep_write(sqe, 0, zeroes, RTE_MIN(io->len - io->due, sizeof(zeroes)),
				io->offset + io->due);
		break;
	case STEP_SYNC:
		io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
		break;
	default:
		operation_fill(sqe, io);
	}
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, io);
	c->nb_new++;
	return true;
}

static void
chan_kick(struct vstate_blk_chan *chan)
{
	struct uring_chan *c = (struct uring_chan *)chan;

	/* -EAGAIN, -EBUSY: the kernel takes the rest at the next kick */
	if (c->nb_new != 0 && io_uring_submit(&c->ring) >= 0)
		c->nb_new = io_uring_sq_ready(&c->ring);
}

static bool
io_submit(struct vstate_blk_chan *chan, struct vstate_blk_io *io)
{
	struct uring_chan *c = (struct uring_chan *)chan;

	io->step = STEP_OPERATION;
	/*
	 * The ring holds twice the requests of a queue. It has no room only if the kernel takes
	 * nothing for a long time.
	 */
	if (likely(step_prepare(c, io)))
		return false;
	io->res = -EIO;
	return true;
}

/* Apply the result of one step to a range operation. @return whether there is another step */
static bool
range_continue(struct vstate_blk_io *io, int res)
{
	/* the driver must not rely on the content of a discarded range */
	if ((res == -EOPNOTSUPP || res == -EINVAL) && io->step == STEP_OPERATION) {
		if (io->op == VSTATE_BLK_WRITE_ZEROES) {
			io->step = STEP_ZEROES;
			io->due = 0;
			return true;
		}
		res = 0;
	}
	if (io->step == STEP_ZEROES && res >= 0) {
		io->due += res;
		if (res > 0 && io->due < io->len)
			return true;
		res = res > 0 ? 0 : -EIO;
	}
	if (res == 0 && io->stable && io->step != STEP_SYNC) {
		io->step = STEP_SYNC;
		return true;
	}
	io->res = vstate_blk_file_result(res);
	return false;
}

/* @return whether the operation is done */
static bool
step_end(struct uring_chan *c, struct vstate_blk_io *io, int res)
{
	switch (io->op) {
	case VSTATE_BLK_READ:
	case VSTATE_BLK_WRITE:
		io->res = vstate_blk_file_transferred(io, res);
		return true;
	case VSTATE_BLK_FLUSH:
		io->res = vstate_blk_file_result(res);
		return true;
	default:
		if (!range_continue(io, res))
			return true;
	}
	if (likely(step_prepare(c, io)))
		return false;
	io->res = -EIO;
	return true;
}

static uint16_t
io_reap(struct vstate_blk_chan *chan, struct vstate_blk_io **done, uint16_t max)
{
	struct uring_chan *c = (struct uring_chan *)chan;
	struct io_uring_cqe *cqe;
	struct vstate_blk_io *io;
	unsigned int head, seen = 0;
	uint16_t n = 0;

	io_uring_for_each_cqe(&c->ring, head, cqe) {
		if (n == max)
			break;
		seen++;
		io = io_uring_cqe_get_data(cqe);
		/* NULL: the answer to a cancellation */
		if (io != NULL && step_end(c, io, cqe->res))
			done[n++] = io;
	}
	io_uring_cq_advance(&c->ring, seen);
	if (c->nb_new != 0)
		chan_kick(chan);
	return n;
}

static void
io_cancel(struct vstate_blk_chan *chan)
{
	struct uring_chan *c = (struct uring_chan *)chan;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&c->ring);

	if (sqe == NULL)
		return;
	io_uring_prep_cancel(sqe, NULL, IORING_ASYNC_CANCEL_ANY);
	io_uring_sqe_set_data(sqe, NULL);
	c->nb_new++;
	chan_kick(chan);
}

static const struct vstate_blk_store_ops uring_ops = {
	.name = "io_uring",
	.chan_open = chan_open,
	.chan_close = chan_close,
	.submit = io_submit,
	.kick = chan_kick,
	.reap = io_reap,
	.cancel = io_cancel,
	.close = vstate_blk_file_close,
};

struct vstate_blk_store *
vstate_blk_uring_open(const char *dev_name, const struct vstate_blk_conf *conf)
{
	struct io_uring ring;
	int ret;

	/* the sysctl kernel.io_uring_disabled, or a filter of system calls, may forbid it */
	ret = io_uring_queue_init(1, &ring, 0);
	if (ret != 0) {
		rte_errno = ret == -EACCES ? EPERM : -ret;
		return NULL;
	}
	io_uring_queue_exit(&ring);
	return vstate_blk_file_open(dev_name, conf, &uring_ops);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_random.h>

#include "vstate_blk_conf.h"
#include "vstate_blk_delay.h"
#include "vstate_blk_file.h"
#include "vstate_blk_mem.h"
#include "vstate_blk_store.h"

struct delay_store {
	struct vstate_blk_store store;
	struct vstate_blk_store *inner;
	uint64_t delay;
	bool reorder;
};

struct delay_chan {
	struct vstate_blk_chan chan;
	bool cancelling;
	uint16_t nb;
	struct vstate_blk_io *waiting[];
};

static struct vstate_blk_chan *
chan_open(struct vstate_blk_store *store, uint16_t depth)
{
	struct delay_chan *c = calloc(1, sizeof(*c) + depth * sizeof(c->waiting[0]));

	if (c == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	c->chan.store = store;
	return &c->chan;
}

static void
chan_close(struct vstate_blk_chan *chan)
{
	free(chan);
}

static bool
io_submit(struct vstate_blk_chan *chan, struct vstate_blk_io *io)
{
	const struct delay_store *s = (struct delay_store *)chan->store;
	struct delay_chan *c = (struct delay_chan *)chan;

	io->due = rte_rdtsc() + (s->reorder ? rte_rand_max(2 * s->delay) : s->delay);
	c->waiting[c->nb++] = io;
	return false;
}

static void
io_do(const struct delay_store *s, struct vstate_blk_io *io)
{
	if (s->inner->fd >= 0)
		vstate_blk_file_do(s->inner, io);
	else
		vstate_blk_mem_do(s->inner, io);
}

static uint16_t
io_reap(struct vstate_blk_chan *chan, struct vstate_blk_io **done, uint16_t max)
{
	const struct delay_store *s = (struct delay_store *)chan->store;
	struct delay_chan *c = (struct delay_chan *)chan;
	const uint64_t now = rte_rdtsc();
	uint16_t i, n = 0, left = 0;

	for (i = 0; i < c->nb; i++) {
		struct vstate_blk_io *io = c->waiting[i];

		if (n == max || (!c->cancelling && io->due > now)) {
			c->waiting[left++] = io;
			continue;
		}
		if (c->cancelling)
			io->res = -ECANCELED;
		else
			io_do(s, io);
		done[n++] = io;
	}
	c->nb = left;
	c->cancelling &= left > 0;
	return n;
}

static void
io_cancel(struct vstate_blk_chan *chan)
{
	((struct delay_chan *)chan)->cancelling = true;
}

static void
store_close(struct vstate_blk_store *store)
{
	struct delay_store *s = (struct delay_store *)store;

	s->inner->fd = store->fd;
	s->inner->ops->close(s->inner);
	free(s);
}

static const struct vstate_blk_store_ops delay_ops = {
	.name = "delay",
	.chan_open = chan_open,
	.chan_close = chan_close,
	.submit = io_submit,
	.reap = io_reap,
	.cancel = io_cancel,
	.close = store_close,
};

struct vstate_blk_store *
vstate_blk_delay_open(const struct vstate_blk_conf *conf, struct vstate_blk_store *inner)
{
	struct delay_store *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	s->store = *inner;
	s->store.ops = &delay_ops;
	s->inner = inner;
	s->delay = conf->delay_us * rte_get_tsc_hz() / US_PER_S;
	s->reorder = conf->reorder;
	return &s->store;
}

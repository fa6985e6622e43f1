/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "vstate_blk_conf.h"
#include "vstate_blk_mem.h"
#include "vstate_blk_store.h"

struct mem_store {
	struct vstate_blk_store store;
	/** NULL: nothing is stored. */
	uint8_t *bytes;
};

static void
bytes_move(uint8_t *at, const struct vstate_blk_io *io)
{
	uint16_t i;

	for (i = 0; i < io->nb_iov; i++) {
		if (io->op == VSTATE_BLK_READ)
			memcpy(io->iov[i].iov_base, at, io->iov[i].iov_len);
		else
			memcpy(at, io->iov[i].iov_base, io->iov[i].iov_len);
		at += io->iov[i].iov_len;
	}
}

void
vstate_blk_mem_do(const struct vstate_blk_store *store, struct vstate_blk_io *io)
{
	const struct mem_store *s = (const struct mem_store *)store;

	io->res = 0;
	if (s->bytes == NULL)
		return;
	switch (io->op) {
	case VSTATE_BLK_READ:
	case VSTATE_BLK_WRITE:
		bytes_move(s->bytes + io->offset, io);
		break;
	case VSTATE_BLK_DISCARD:
	case VSTATE_BLK_WRITE_ZEROES:
		memset(s->bytes + io->offset, 0, io->len);
		break;
	case VSTATE_BLK_FLUSH:
		break;
	}
}

static struct vstate_blk_chan *
chan_open(struct vstate_blk_store *store, uint16_t depth)
{
	struct vstate_blk_chan *chan = calloc(1, sizeof(*chan));

	RTE_SET_USED(depth);
	if (chan == NULL)
		rte_errno = ENOMEM;
	else
		chan->store = store;
	return chan;
}

static void
chan_close(struct vstate_blk_chan *chan)
{
	free(chan);
}

static bool
io_submit(struct vstate_blk_chan *chan, struct vstate_blk_io *io)
{
	vstate_blk_mem_do(chan->store, io);
	return true;
}

static uint16_t
io_reap(struct vstate_blk_chan *chan, struct vstate_blk_io **done, uint16_t max)
{
	RTE_SET_USED(chan);
	RTE_SET_USED(done);
	RTE_SET_USED(max);
	return 0;
}

static void
store_close(struct vstate_blk_store *store)
{
	struct mem_store *s = (struct mem_store *)store;

	if (s->bytes != NULL)
		munmap(s->bytes, store->size);
	free(s);
}

static const struct vstate_blk_store_ops mem_ops = {
	.name = "memory",
	.chan_open = chan_open,
	.chan_close = chan_close,
	.submit = io_submit,
	.reap = io_reap,
	.close = store_close,
};

struct vstate_blk_store *
vstate_blk_mem_open(const struct vstate_blk_conf *conf)
{
	struct mem_store *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	s->store.ops = &mem_ops;
	s->store.fd = -1;
	s->store.size = conf->size;
	s->store.blk_size = conf->blk_size;
	s->store.phys_size = conf->blk_size;
	s->store.ro = conf->ro;
	s->store.can_discard = !conf->ro;
	if (conf->store == VSTATE_BLK_STORE_NULL)
		return &s->store;
	s->bytes = mmap(NULL, conf->size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->bytes != MAP_FAILED)
		return &s->store;
	rte_errno = errno;
	free(s);
	return NULL;
}

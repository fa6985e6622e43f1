/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_ring.h>

#include <vstate_compat.h>

#include "vstate_blk_conf.h"
#include "vstate_blk_file.h"
#include "vstate_blk_store.h"
#include "vstate_blk_threads.h"
#include "vstate_log.h"

/* Threads of one channel: so many operations are under way in the kernel at once. */
#define NB_THREADS 4

/*
 * A channel has a queue to the threads and one back. The poll thread takes no lock: both are rings
 * of pointers, and a semaphore wakes a thread.
 */
struct thread_chan {
	struct vstate_blk_chan chan;
	sem_t wake;
	bool cancelling, ending;
	unsigned int nb_threads;
	struct vstate_thread threads[NB_THREADS];
	/** Submitted since the last kick. */
	uint16_t nb_new;
	struct rte_ring *to_do, *done;
};

static void *
thread_main(void *arg)
{
	struct thread_chan *c = arg;
	struct vstate_blk_io *io;

	for (;;) {
		if (sem_wait(&c->wake) != 0)
			continue;
		if (rte_atomic_load_explicit(&c->ending, rte_memory_order_acquire))
			return NULL;
		if (rte_ring_mc_dequeue(c->to_do, (void **)&io) != 0)
			continue;
		if (rte_atomic_load_explicit(&c->cancelling, rte_memory_order_acquire))
			io->res = -ECANCELED;
		else
			vstate_blk_file_do(c->chan.store, io);
		rte_ring_mp_enqueue(c->done, io);
	}
}

static void
chan_close(struct vstate_blk_chan *chan)
{
	struct thread_chan *c = (struct thread_chan *)chan;
	unsigned int i;

	rte_atomic_store_explicit(&c->ending, true, rte_memory_order_release);
	for (i = 0; i < c->nb_threads; i++)
		sem_post(&c->wake);
	for (i = 0; i < c->nb_threads; i++)
		vstate_thread_join(&c->threads[i]);
	sem_destroy(&c->wake);
	free(c->to_do);
	free(c->done);
	free(c);
}

static struct rte_ring *
ring_make(unsigned int count)
{
	ssize_t size = rte_ring_get_memsize(count);
	void *ring = NULL;

	if (size < 0 || posix_memalign(&ring, RTE_CACHE_LINE_SIZE, size) != 0)
		return NULL;
	if (rte_ring_init(ring, "vstate blk", count, 0) == 0)
		return ring;
	free(ring);
	return NULL;
}

static struct vstate_blk_chan *
chan_open(struct vstate_blk_store *store, uint16_t depth)
{
	const unsigned int count = rte_align32pow2(depth + 1);
	struct thread_chan *c = calloc(1, sizeof(*c));
	int ret = -ENOMEM;

	if (c == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	c->chan.store = store;
	sem_init(&c->wake, 0, 0);
	c->to_do = ring_make(count);
	c->done = ring_make(count);
	if (c->to_do != NULL && c->done != NULL)
		ret = 0;
	while (ret == 0 && c->nb_threads < NB_THREADS) {
		ret = vstate_thread_create(&c->threads[c->nb_threads], "vstate-blk", thread_main,
				c);
		c->nb_threads += ret == 0;
	}
	if (ret == 0)
		return &c->chan;
	chan_close(&c->chan);
	rte_errno = -ret;
	return NULL;
}

static bool
io_submit(struct vstate_blk_chan *chan, struct vstate_blk_io *io)
{
	struct thread_chan *c = (struct thread_chan *)chan;

	rte_atomic_store_explicit(&c->cancelling, false, rte_memory_order_relaxed);
	/* it has room for as many operations as the channel */
	rte_ring_sp_enqueue(c->to_do, io);
	c->nb_new++;
	return false;
}

static void
chan_kick(struct vstate_blk_chan *chan)
{
	struct thread_chan *c = (struct thread_chan *)chan;

	for (; c->nb_new > 0; c->nb_new--)
		sem_post(&c->wake);
}

static uint16_t
io_reap(struct vstate_blk_chan *chan, struct vstate_blk_io **done, uint16_t max)
{
	struct thread_chan *c = (struct thread_chan *)chan;

	return rte_ring_sc_dequeue_burst(c->done, (void **)done, max, NULL);
}

static void
io_cancel(struct vstate_blk_chan *chan)
{
	struct thread_chan *c = (struct thread_chan *)chan;

	rte_atomic_store_explicit(&c->cancelling, true, rte_memory_order_release);
}

static const struct vstate_blk_store_ops thread_ops = {
	.name = "threads",
	.chan_open = chan_open,
	.chan_close = chan_close,
	.submit = io_submit,
	.kick = chan_kick,
	.reap = io_reap,
	.cancel = io_cancel,
	.close = vstate_blk_file_close,
};

struct vstate_blk_store *
vstate_blk_threads_open(const char *dev_name, const struct vstate_blk_conf *conf)
{
	return vstate_blk_file_open(dev_name, conf, &thread_ops);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * A driver that goes on while a burst is under way, and one whose chains do not end: what one
 * burst takes is bounded by the ring, and what it costs by VSTATE_STEPS.
 */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ring/vstate_vq.h"

#define SIZE 16
#define POOL_MBUFS 127
/* Header and two bytes: to be dropped. */
#define RUNT (RING_HDR + 2)
#define TABLE_ENTRIES 32768u

/* ---- a pool that lets the driver run at each allocation ---- */

static struct {
	void *objs[POOL_MBUFS + 1];
	unsigned int nb;
	void (*driver)(struct ring *r);
	struct ring *ring;
} stack;

static int
stack_alloc(struct rte_mempool *mp)
{
	RTE_SET_USED(mp);
	return 0;
}

static void
stack_free(struct rte_mempool *mp)
{
	RTE_SET_USED(mp);
}

static int
stack_enqueue(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	RTE_SET_USED(mp);
	if (stack.nb + n > RTE_DIM(stack.objs))
		return -ENOBUFS;
	memcpy(&stack.objs[stack.nb], objs, n * sizeof(*objs));
	stack.nb += n;
	return 0;
}

static int
stack_dequeue(struct rte_mempool *mp, void **objs, unsigned int n)
{
	RTE_SET_USED(mp);
	if (n > stack.nb)
		return -ENOBUFS;
	stack.nb -= n;
	memcpy(objs, &stack.objs[stack.nb], n * sizeof(*objs));
	if (stack.driver != NULL)
		stack.driver(stack.ring);
	return 0;
}

static unsigned int
stack_count(const struct rte_mempool *mp)
{
	RTE_SET_USED(mp);
	return stack.nb;
}

static const struct rte_mempool_ops stack_ops = {
	.name = "vstate_test_stack",
	.alloc = stack_alloc,
	.free = stack_free,
	.enqueue = stack_enqueue,
	.dequeue = stack_dequeue,
	.get_count = stack_count,
};

RTE_MEMPOOL_REGISTER_OPS(stack_ops);

static struct rte_mempool *
stack_pool(struct ring *r, void (*driver)(struct ring *r))
{
	static struct rte_mempool *pool;

	stack.driver = NULL;
	if (pool == NULL)
		pool = rte_pktmbuf_pool_create_by_ops("test_bounds", POOL_MBUFS, 0, 0,
				RTE_PKTMBUF_HEADROOM + 256, SOCKET_ID_ANY, stack_ops.name);
	assert_non_null(pool);
	stack.ring = r;
	stack.driver = driver;
	return pool;
}

/* ---- the driver ---- */

static void
frame_add(struct ring *r, uint32_t len)
{
	const struct piece p = { RING_BUF_GPA + 512ull * (r->next.idx % SIZE), len };

	ring_add(r, &p, 1, false);
}

static void
add_runt(struct ring *r)
{
	frame_add(r, RUNT);
}

static void
add_ring_of_frames(struct ring *r)
{
	uint16_t i;

	for (i = 0; i < SIZE; i++)
		frame_add(r, RING_HDR + 64);
}

/* One frame, so that the queue knows the region of the buffers. */
static void
first_frame(struct ring *r)
{
	struct rte_mbuf *m;

	frame_add(r, RING_HDR + 64);
	assert_int_equal(r->nq->ops->take(r->nq, r->pool, &m, 1), 1);
	r->nq->ops->give(r->nq, 1);
	rte_pktmbuf_free(m);
}

/* Take all of a burst, and see that it was no more than a ring of buffers. */
static void
burst_is_bounded(struct ring *r, struct rte_mempool *pool)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	uint16_t n;

	n = r->nq->ops->take(r->nq, pool, pkts, VSTATE_BURST);
	stack.driver = NULL;
	r->nq->ops->give(r->nq, n);
	rte_pktmbuf_free_bulk(pkts, n);
	assert_int_equal(n + r->nq->counters.runt, SIZE);
	if (r->packed)
		assert_int_equal(r->vq->used.idx, r->vq->avail.idx);
	else
		assert_int_equal(r->vq->fault, VSTATE_FAULT_AVAIL_DISTANCE);
	assert_int_equal(stack.nb, POOL_MBUFS);
}

static void
driver_that_goes_on_meanwhile_gets_one_ring_a_burst(void **state)
{
	struct rte_mempool *pool;
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		/* one after the other: each is dropped, and another is there */
		ring_open(&r, packed, SIZE);
		pool = stack_pool(&r, add_runt);
		add_runt(&r);
		burst_is_bounded(&r, pool);
		ring_close(&r);
		/* a whole ring in a batch, and another behind it */
		ring_open(&r, packed, SIZE);
		ring_seek(&r, 5, packed);
		first_frame(&r);
		pool = stack_pool(&r, add_ring_of_frames);
		add_ring_of_frames(&r);
		burst_is_bounded(&r, pool);
		ring_close(&r);
	}
}

/* A table of one entry of @p len bytes, and all others empty. */
static void
table_make(struct ring *r, uint32_t len, uint16_t flags)
{
	uint32_t i;

	for (i = 0; i < TABLE_ENTRIES; i++)
		ring_desc_write(r, RING_TABLE_GPA + 16ull * i, RING_BUF_GPA, i == 0 ? len : 0,
				flags | (!r->packed && i + 1 < TABLE_ENTRIES ?
					VRING_DESC_F_NEXT : 0), r->packed ? 0 : i + 1);
	for (i = 0; i < SIZE; i++)
		ring_add_raw(r, RING_TABLE_GPA, 16 * TABLE_ENTRIES, VRING_DESC_F_INDIRECT, 0);
}

static void
chains_of_empty_descriptors_end_a_burst(void **state)
{
	struct rte_mbuf *pkts[VSTATE_BURST];
	unsigned int burst;
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, SIZE);
		table_make(&r, RUNT, 0);
		/* one each, until all are used */
		for (burst = 1; burst <= SIZE; burst++) {
			assert_int_equal(r.nq->ops->take(r.nq, r.pool, pkts, VSTATE_BURST), 0);
			assert_true(r.vq->nb_steps < VSTATE_STEPS + TABLE_ENTRIES);
			r.nq->ops->give(r.nq, 0);
			assert_int_equal(r.nq->counters.runt, burst);
		}
		assert_int_equal(r.vq->fault, VSTATE_FAULT_NONE);
		ring_close(&r);
	}
}

static void
merged_buffers_of_empty_descriptors_drop_a_frame(void **state)
{
	struct rte_mbuf *pkts[4];
	struct ring r;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ring_open(&r, packed, SIZE);
		table_make(&r, RING_HDR + 1, VRING_DESC_F_WRITE);
		assert_int_equal(rte_pktmbuf_alloc_bulk(r.pool, pkts, RTE_DIM(pkts)), 0);
		memset(rte_pktmbuf_append(pkts[0], 200), 0, 200);
		memset(rte_pktmbuf_append(pkts[1], 200), 0, 200);
		assert_int_equal(vq_put(r.nq, pkts, 2), 1);
		assert_true(r.vq->nb_steps < VSTATE_STEPS + 2 * TABLE_ENTRIES);
		assert_int_equal(r.nq->counters.small_buffer, 1);
		assert_int_equal(r.nq->counters.packets, 0);
		assert_int_equal(r.vq->used.idx, packed ? 0 : r.vq->avail.idx);
		rte_pktmbuf_free_bulk(pkts, RTE_DIM(pkts));
		ring_close(&r);
	}
}

int
test_vstate_burst_bounds(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(driver_that_goes_on_meanwhile_gets_one_ring_a_burst),
		cmocka_unit_test(chains_of_empty_descriptors_end_a_burst),
		cmocka_unit_test(merged_buffers_of_empty_descriptors_drop_a_frame),
	};

	return cmocka_run_group_tests_name("vstate_burst_bounds", tests, NULL, NULL);
}

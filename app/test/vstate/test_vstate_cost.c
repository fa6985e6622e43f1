/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * What being movable costs: cycles of the lease and of the record in each burst, memory of
 * each queue pair. The figures are in the guide's page on performance.
 */

#include <malloc.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "ut_device.h"
#include "ut_groups.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_inflight_layout.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_pos.h"
#include "ring/vstate_vq.h"

/* Two cycles a packet of a burst of 32. */
#define MOST_CYCLES 64
#define MOST_BYTES (64 * 1024)

#define BURSTS 1000
#define SLICES 2000

/* TSC cycles of one burst's share: of the quietest of many slices. */
#define QUIETEST(least, begin, i, k, code) do { \
	least = UINT64_MAX; \
	for (i = 0; i < SLICES; i++) { \
		begin = rte_rdtsc_precise(); \
		for (k = 0; k < BURSTS; k++) { \
			code; \
			rte_compiler_barrier(); \
		} \
		least = RTE_MIN(least, rte_rdtsc_precise() - begin); \
	} \
} while (0)

static void
lease_and_record_cost_two_cycles_a_packet_at_most(void **state)
{
	static struct vstate_vq vq;
	struct vstate_pos old = { .wrap = 1 }, now = { .idx = 32, .wrap = 1 };
	uint64_t nothing, lease, packed, split, begin;
	unsigned int i, k, refused = 0;

	vstate_lease_init();
	vstate_lease_grant(&vq.lease);
	vq.inflight_head = &vq.own_head;
	QUIETEST(nothing, begin, i, k, (void)0);
	QUIETEST(lease, begin, i, k, {
		if (likely(vstate_lease_take(&vq.lease)))
			vstate_lease_give(&vq.lease);
		else
			refused++;
	});
	QUIETEST(packed, begin, i, k, {
		old.idx = k;
		now.idx = k + 32;
		vstate_inflight_head_step(vq.inflight_head, old, now);
		vstate_inflight_head_step(vq.inflight_head, now, now);
	});
	QUIETEST(split, begin, i, k, vstate_inflight_head_used(vq.inflight_head, k));

	assert_int_equal(refused, 0);
	print_message("TSC cycles a burst: lease %.1f, record %.1f (packed) or %.1f (split), "
		"loop around each %.1f%s\n", (double)lease / BURSTS, (double)packed / BURSTS,
		(double)split / BURSTS, (double)nothing / BURSTS,
		vstate_lease_fence ? ", with a fence" : "");
#if !defined(__SANITIZE_ADDRESS__)
	/* a kernel without membarrier costs a fence, which is not what is promised */
	if (!vstate_lease_fence)
		assert_true(lease + RTE_MAX(packed, split) <= MOST_CYCLES * BURSTS);
#endif
}

/* Bytes that this process has in use, of EAL's heaps and of the C library's. */
static size_t
bytes_in_use(void)
{
	struct rte_malloc_socket_stats stats;
	struct mallinfo2 info = mallinfo2();
	size_t bytes = info.uordblks + info.hblkhd;
	int heap;

	for (heap = 0; heap < RTE_MAX_NUMA_NODES; heap++)
		if (rte_malloc_get_socket_stats(heap, &stats) == 0)
			bytes += stats.heap_allocsz_bytes;
	return bytes;
}

static size_t
device_bytes(uint16_t queues)
{
	struct vstate_conf conf = { .queues = queues };
	size_t before = bytes_in_use(), bytes;
	struct vstate_dev *dev;

	dev = ut_device_make("test_cost", &conf);
	assert_non_null(dev);
	bytes = bytes_in_use() - before;
	ut_device_unmake(dev);
	return bytes;
}

static void
idle_queue_pair_takes_64_kib_at_most(void **state)
{
	size_t few, many;

	assert_int_equal(vstate_watch_get(), 0);
	device_bytes(1); /* what is allocated once */
	few = device_bytes(1);
	many = device_bytes(33);
	vstate_watch_put();
	print_message("bytes of a queue pair: %zu, of a device with one: %zu\n",
		(many - few) / 32, few);
	assert_true(many > few);
	assert_true((many - few) / 32 <= MOST_BYTES);
	assert_true(few <= MOST_BYTES);
}

int
test_vstate_cost(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lease_and_record_cost_two_cycles_a_packet_at_most),
		cmocka_unit_test(idle_queue_pair_takes_64_kib_at_most),
	};

	return cmocka_run_group_tests_name("vstate_cost", tests, NULL, NULL);
}

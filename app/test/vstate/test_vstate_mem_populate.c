/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Page tables are filled ahead of the first access, and nothing else changes. */

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_groups.h"
#include "vhost/vstate_mem_populate.h"

#define PAGE 4096
/* The kernel enters up to 16 pages around a fault, so that used pages are farther apart. */
#define STEP (32 * PAGE)
#define NB_USED 160
/* more than one look at the time, and no multiple of it */
#define SIZE (NB_USED * STEP + 3 * PAGE)
#define MS 60000

struct guest {
	int fd;
	uint8_t *map;
	struct vstate_mem mem;
};

/* A new mapping of memory of which the guest has used some pages. */
static void
guest_open(struct guest *g)
{
	struct vstate_region region = { .gpa = 0x100000, .size = SIZE };
	unsigned int i;

	g->fd = memfd_create("guest", MFD_CLOEXEC);
	assert_true(g->fd >= 0);
	assert_int_equal(ftruncate(g->fd, SIZE), 0);
	for (i = 0; i < NB_USED; i++)
		assert_int_equal(pwrite(g->fd, "x", 1, i * STEP), 1);
	g->map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	assert_true(g->map != MAP_FAILED);
	region.hva = g->map;
	assert_int_equal(vstate_mem_build(&g->mem, &region, 1), 0);
}

static void
guest_close(struct guest *g)
{
	munmap(g->map, SIZE);
	close(g->fd);
}

static uint64_t
blocks_get(const struct guest *g)
{
	struct stat st;

	assert_int_equal(fstat(g->fd, &st), 0);
	return st.st_blocks;
}

/* Write to each used page. @return page faults */
static long
faults_get(struct guest *g)
{
	struct rusage before, after;
	unsigned int i;

	getrusage(RUSAGE_THREAD, &before);
	for (i = 0; i < NB_USED; i++)
		g->map[i * STEP]++;
	getrusage(RUSAGE_THREAD, &after);
	return after.ru_minflt - before.ru_minflt;
}

static void
used_pages_fault_no_more(void **state)
{
	struct guest g;
	uint64_t blocks;

	RTE_SET_USED(state);
	guest_open(&g);
	assert_true(faults_get(&g) >= NB_USED / 2);
	guest_close(&g);

	guest_open(&g);
	blocks = blocks_get(&g);
	assert_true(vstate_mem_populate(&g.mem, MS) >= NB_USED * PAGE);
	assert_true(faults_get(&g) < NB_USED / 10);
	/* what the guest never used takes no memory of the host */
	assert_int_equal(blocks_get(&g), blocks);
	guest_close(&g);
}

static void
time_is_bounded(void **state)
{
	struct guest g;

	RTE_SET_USED(state);
	guest_open(&g);
	assert_int_equal(vstate_mem_populate(&g.mem, 0), 0);
	guest_close(&g);
}

static void
truncated_memory_is_no_signal(void **state)
{
	struct guest g;
	uint64_t bytes;

	RTE_SET_USED(state);
	guest_open(&g);
	assert_int_equal(ftruncate(g.fd, SIZE / 2), 0);
	bytes = vstate_mem_populate(&g.mem, MS);
	assert_in_range(bytes, 1, SIZE / 2 + STEP);
	guest_close(&g);
}

int
test_vstate_mem_populate(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_pages_fault_no_more),
		cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(truncated_memory_is_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Shared memory that is taken away: zeros are in its place, and the owner is marked. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_groups.h"
#include "ring/vstate_mem_guard.h"

#define SIZE 65536
#define FILL 0xa5

/* A file that a front end shares, and its mapping here. */
struct shared {
	int fd;
	uint8_t *map;
	uint32_t lost;
};

static void
shared_open(struct shared *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = memfd_create("guard", MFD_CLOEXEC);
	assert_true(s->fd >= 0);
	assert_int_equal(ftruncate(s->fd, SIZE), 0);
	s->map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	assert_true(s->map != MAP_FAILED);
	memset(s->map, FILL, SIZE);
	assert_int_equal(vstate_mem_guard_init(), 0);
}

static void
shared_close(struct shared *s)
{
	vstate_mem_guard_drop(&s->lost);
	munmap(s->map, SIZE);
	close(s->fd);
}

static void
access_to_lost_memory_is_repeated_on_zeros(void **state)
{
	struct shared a, b;

	RTE_SET_USED(state);
	shared_open(&a);
	shared_open(&b);
	assert_int_equal(vstate_mem_guard_add(a.map, SIZE, &a.lost), 0);
	assert_int_equal(vstate_mem_guard_add(b.map, SIZE, &b.lost), 0);
	assert_int_equal(ftruncate(a.fd, 4096), 0);
	/* what is still there is not touched before it must be */
	assert_int_equal(a.map[4095], FILL);
	assert_int_equal(a.lost, 0);
	assert_int_equal(a.map[SIZE - 1], 0);
	assert_int_equal(a.lost, 1);
	/* all of it is memory of our own now, and can be written */
	memset(a.map, 1, SIZE);
	/* another owner has lost nothing */
	assert_int_equal(b.map[SIZE - 1], FILL);
	assert_int_equal(b.lost, 0);
	shared_close(&a);
	shared_close(&b);
}

/* A dirty log may begin inside a page. */
static void
memory_that_begins_inside_a_page_is_guarded(void **state)
{
	struct shared s;

	RTE_SET_USED(state);
	shared_open(&s);
	assert_int_equal(vstate_mem_guard_add(s.map + 8, SIZE - 8, &s.lost), 0);
	assert_int_equal(ftruncate(s.fd, 0), 0);
	assert_int_equal(s.map[SIZE - 1], 0);
	assert_int_equal(s.map[8], 0);
	assert_int_equal(s.lost, 1);
	shared_close(&s);
}

static volatile sig_atomic_t handled;
static uint8_t *page_to_mend;

static void
application_handle(int sig)
{
	RTE_SET_USED(sig);
	handled++;
	mmap(page_to_mend, 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void
signal_elsewhere_goes_to_the_handler_before(void **state)
{
	struct sigaction application = { .sa_handler = application_handle };
	struct shared s;

	RTE_SET_USED(state);
	assert_int_equal(sigaction(SIGBUS, &application, NULL), 0);
	/* not guarded: as memory of the application */
	shared_open(&s);
	page_to_mend = s.map;
	handled = 0;
	assert_int_equal(ftruncate(s.fd, 0), 0);
	assert_int_equal(s.map[0], 0);
	assert_int_equal(handled, 1);
	assert_int_equal(s.lost, 0);
	shared_close(&s);
}

static void
mapping_that_was_dropped_is_not_replaced(void **state)
{
	struct shared s;
	uint32_t other = 0;
	unsigned int i;

	RTE_SET_USED(state);
	shared_open(&s);
	/* as many times as there is room and more: each gives its place back */
	for (i = 0; i < 3000; i++) {
		assert_int_equal(vstate_mem_guard_add(s.map, SIZE, &s.lost), 0);
		vstate_mem_guard_drop(&s.lost);
	}
	assert_int_equal(vstate_mem_guard_add(s.map, SIZE, &other), 0);
	vstate_mem_guard_drop(&s.lost);
	assert_int_equal(ftruncate(s.fd, 0), 0);
	assert_int_equal(s.map[0], 0);
	assert_int_equal(other, 1);
	assert_int_equal(s.lost, 0);
	vstate_mem_guard_drop(&other);
	shared_close(&s);
}

/* There is room for 64 devices with eleven ranges each. What finds no place is refused. */
static void
ranges_without_a_place_are_refused(void **state)
{
	uint32_t first = 0, others = 0, last = 0;
	struct shared s;
	unsigned int n;
	int ret;

	RTE_SET_USED(state);
	shared_open(&s);
	assert_int_equal(vstate_mem_guard_add(s.map, SIZE, &first), 0);
	for (n = 1; n < 5000; n++) {
		ret = vstate_mem_guard_add(s.map, SIZE, &others);
		if (ret != 0)
			break;
	}
	assert_int_equal(ret, -ENOSPC);
	assert_true(n >= 64 * 11);
	/* one place is given back, and no other */
	vstate_mem_guard_drop(&first);
	assert_int_equal(vstate_mem_guard_add(s.map, SIZE, &last), 0);
	assert_int_equal(vstate_mem_guard_add(s.map, SIZE, &last), -ENOSPC);
	vstate_mem_guard_drop(&last);
	vstate_mem_guard_drop(&others);
	shared_close(&s);
}

int
test_vstate_mem_guard(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_to_lost_memory_is_repeated_on_zeros),
		cmocka_unit_test(memory_that_begins_inside_a_page_is_guarded),
		cmocka_unit_test(signal_elsewhere_goes_to_the_handler_before),
		cmocka_unit_test(mapping_that_was_dropped_is_not_replaced),
		cmocka_unit_test(ranges_without_a_place_are_refused),
	};

	return cmocka_run_group_tests_name("vstate_mem_guard", tests, NULL, NULL);
}

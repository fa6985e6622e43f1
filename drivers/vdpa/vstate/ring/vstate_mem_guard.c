/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_pause.h>

#include "vstate_compat.h"
#include "vstate_log.h"
#include "vstate_mem_guard.h"

/* 64 devices, each with 8 regions, a log, an in-flight region and a state file, and room. */
#define RANGES 1024

/*
 * Written under ranges_lock, read by the handler. A range is valid if addr is not NULL: addr is
 * stored last (release) and cleared first. Partner: the acquire in range_find().
 */
static struct range {
	const uint8_t *addr;
	size_t len;
	uint32_t *lost;
} ranges[RANGES];
static pthread_mutex_t ranges_lock = PTHREAD_MUTEX_INITIALIZER;
/* Threads that are inside the handler, and may replace a range that they found. */
static uint32_t handling;

/* The handler that was there before ours. */
static struct sigaction before;

static const struct range *
range_find(const uint8_t *at, struct range *found)
{
	unsigned int i;

	for (i = 0; i < RANGES; i++) {
		found->addr = rte_atomic_load_explicit(&ranges[i].addr, rte_memory_order_acquire);
		if (found->addr == NULL)
			continue;
		found->len = ranges[i].len;
		found->lost = ranges[i].lost;
		if (at >= found->addr && (size_t)(at - found->addr) < found->len)
			return found;
	}
	return NULL;
}

/* False: the fault is in no range, or the range cannot be replaced. */
static bool
range_replace(const uint8_t *at)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
	struct range r;

	if (range_find(at, &r) == NULL)
		return false;
	/* all of it: of huge pages no part of another size can be replaced */
	if (mmap((void *)(uintptr_t)r.addr, r.len, PROT_READ | PROT_WRITE, flags, -1, 0) ==
			MAP_FAILED)
		return false;
	rte_atomic_store_explicit(r.lost, 1, rte_memory_order_release);
	return true;
}

/* When the handler returns. */
static void
process_end(int sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Do what a process does that has no handler of ours. */
static void
before_call(int sig, siginfo_t *info, void *context)
{
	/* the handler before may know ours as the one before it, and call it */
	static __thread bool calling;

	if (calling) {
		process_end(sig);
		return;
	}
	calling = true;
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(sig, info, context);
	else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(sig);
	else
		process_end(sig);
	calling = false;
}

static void
sigbus_handle(int sig, siginfo_t *info, void *context)
{
	const int err = errno;
	bool replaced;

	rte_atomic_fetch_add_explicit(&handling, 1, rte_memory_order_seq_cst);
	replaced = info->si_code > 0 && range_replace(info->si_addr);
	rte_atomic_fetch_sub_explicit(&handling, 1, rte_memory_order_seq_cst);
	if (!replaced)
		before_call(sig, info, context);
	errno = err;
}

int
vstate_mem_guard_init(void)
{
	struct sigaction action = { .sa_sigaction = sigbus_handle,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction now;
	int ret = 0;

	sigemptyset(&action.sa_mask);
	pthread_mutex_lock(&ranges_lock);
	if (sigaction(SIGBUS, NULL, &now) != 0)
		ret = -errno;
	else if ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != sigbus_handle)
		ret = sigaction(SIGBUS, &action, &before) == 0 ? 0 : -errno;
	pthread_mutex_unlock(&ranges_lock);
	return ret;
}

int
vstate_mem_guard_add(const void *addr, size_t len, uint32_t *lost)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const uint8_t *begin = RTE_PTR_ALIGN_FLOOR(addr, page);
	unsigned int i;
	int ret = -ENOSPC;

	pthread_mutex_lock(&ranges_lock);
	for (i = 0; i < RANGES && ret != 0; i++) {
		if (ranges[i].addr != NULL)
			continue;
		ranges[i].len = RTE_ALIGN_CEIL((const uint8_t *)addr + len - begin, page);
		ranges[i].lost = lost;
		rte_atomic_store_explicit(&ranges[i].addr, begin, rte_memory_order_release);
		ret = 0;
	}
	pthread_mutex_unlock(&ranges_lock);
	return ret;
}

void
vstate_mem_guard_drop(const uint32_t *lost)
{
	unsigned int i;

	pthread_mutex_lock(&ranges_lock);
	for (i = 0; i < RANGES; i++) {
		if (ranges[i].addr != NULL && ranges[i].lost == lost)
			rte_atomic_store_explicit(&ranges[i].addr, NULL, rte_memory_order_seq_cst);
	}
	/* A handler that found a range before must not replace what is mapped there next. In one
	 * order with the handler's count: it sees the range gone, or it is counted here. The lock
	 * is held, so that the handler does not read the length of another range in this place.
	 */
	while (rte_atomic_load_explicit(&handling, rte_memory_order_seq_cst) != 0)
		rte_pause();
	pthread_mutex_unlock(&ranges_lock);
}

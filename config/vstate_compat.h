/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef _VSTATE_COMPAT_H_
#define _VSTATE_COMPAT_H_

/**
 * @file
 * All differences between DPDK releases (22.11 to 26.07). No other file depends on a release.
 */

#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

#include <rte_atomic.h>
#include <rte_common.h>
#include <rte_eal_memconfig.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_spinlock.h>
#include <rte_thread.h>
#include <rte_version.h>

/* Cast const away for an interface that lacks it. DPDK has this macro since 23.07. */
#ifndef RTE_PTR_UNQUAL
#define RTE_PTR_UNQUAL(X) ((void *)(uintptr_t)(X))
#endif

/*
 * Symbols that the library exports. Inside a DPDK tree (since 25.07) the version map is made from
 * these lines. Elsewhere it is the file version.map.
 */
#if defined(__has_include) && __has_include(<eal_export.h>)
#include <eal_export.h>
#endif
#ifndef RTE_EXPORT_EXPERIMENTAL_SYMBOL
#define RTE_EXPORT_EXPERIMENTAL_SYMBOL(name, release)
#endif
#ifndef RTE_EXPORT_INTERNAL_SYMBOL
#define RTE_EXPORT_INTERNAL_SYMBOL(name)
#endif

/* ---- the compiler ---- */

/*
 * A function on the path of a packet. It becomes part of each caller, whose constant arguments
 * select its code. DPDK prefers plain inline; with it a packet costs 3 to 29 % more instructions.
 */
#define vstate_inline __rte_always_inline

/* A vector of @p bytes, and one that may lie in any object at an address of that alignment. */
#define VSTATE_VECTOR(bytes) __attribute__((vector_size(bytes)))
#define VSTATE_VECTOR_AT(bytes, alignment) \
	__attribute__((vector_size(bytes), aligned(alignment), may_alias))

/* A macro, because the inlined function rte_prefetch0_write() changes what is inlined around it. */
#define vstate_prefetch_write(addr) __builtin_prefetch(addr, 1)

#ifndef __rte_packed_begin
#define __rte_packed_begin
#define __rte_packed_end __attribute__((__packed__))
#endif

#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
#include <rte_bitops.h>
#else
#define rte_clz32(v) ((unsigned int)__builtin_clz(v))
#define rte_clz64(v) ((unsigned int)__builtin_clzll(v))
#define rte_ctz32(v) ((unsigned int)__builtin_ctz(v))
#endif

/* ---- atomics ---- */

/*
 * A DPDK tree forbids the builtins of the compiler. DPDK has this header since 23.11. Guest memory
 * and files have fixed layouts, so variables have plain types and not RTE_ATOMIC().
 */
#if defined(__has_include) && __has_include(<rte_stdatomic.h>)
#include <rte_stdatomic.h>
#else
#define rte_memory_order_relaxed __ATOMIC_RELAXED
#define rte_memory_order_acquire __ATOMIC_ACQUIRE
#define rte_memory_order_release __ATOMIC_RELEASE
#define rte_memory_order_seq_cst __ATOMIC_SEQ_CST
#define rte_atomic_load_explicit(ptr, order) __atomic_load_n(ptr, order)
#define rte_atomic_store_explicit(ptr, value, order) __atomic_store_n(ptr, value, order)
#define rte_atomic_exchange_explicit(ptr, value, order) __atomic_exchange_n(ptr, value, order)
#define rte_atomic_compare_exchange_strong_explicit(ptr, expected, value, success, failure) \
	__atomic_compare_exchange_n(ptr, expected, value, false, success, failure)
#define rte_atomic_fetch_add_explicit(ptr, value, order) __atomic_fetch_add(ptr, value, order)
#define rte_atomic_fetch_sub_explicit(ptr, value, order) __atomic_fetch_sub(ptr, value, order)
#define rte_atomic_fetch_or_explicit(ptr, value, order) __atomic_fetch_or(ptr, value, order)
#define rte_atomic_fetch_and_explicit(ptr, value, order) __atomic_fetch_and(ptr, value, order)
#endif

/* ---- threads that do not poll ---- */

#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
struct vstate_thread {
	rte_thread_t id;
	void *(*main)(void *arg);
	void *arg;
};

static inline uint32_t
vstate_thread_main(void *opaque)
{
	struct vstate_thread *t = (struct vstate_thread *)opaque;

	t->main(t->arg);
	return 0;
}

/* Start a control thread of EAL. @return 0 or -errno */
static inline int
vstate_thread_create(struct vstate_thread *t, const char *name, void *(*entry)(void *), void *arg)
{
	t->main = entry;
	t->arg = arg;
	return rte_thread_create_control(&t->id, name, vstate_thread_main, t);
}

static inline void
vstate_thread_join(struct vstate_thread *t)
{
	rte_thread_join(t->id, NULL);
}
#else
struct vstate_thread {
	pthread_t id;
};

/* Start a control thread of EAL. @return 0 or -errno */
static inline int
vstate_thread_create(struct vstate_thread *t, const char *name, void *(*entry)(void *), void *arg)
{
	return rte_ctrl_thread_create(&t->id, name, NULL, entry, arg);
}

static inline void
vstate_thread_join(struct vstate_thread *t)
{
	pthread_join(t->id, NULL);
}
#endif

/* ---- log ---- */

#ifndef RTE_LOG_LINE
#define RTE_LOG_LINE(level, type, fmt, ...) RTE_LOG(level, type, fmt "\n", ## __VA_ARGS__)
#endif

/* ---- vhost ---- */

/*
 * rte_vhost passes its private context to message handlers: the message as it was received, int
 * fds[8], int fd_num. In 25.03 a larger payload moved fds and fd_num. Releases with both layouts
 * share an ABI version, so the layout is found at run time.
 */
#define VSTATE_MSG_MAX_FDS 8

static inline int *
vstate_msg_fds(void *msg, int **nb_fds)
{
	unsigned int release = rte_version_year() * 100 + rte_version_month();
	char *fds = (char *)msg + (release >= 2503 ? 1084 : 644);

	*nb_fds = (int *)(void *)(fds + VSTATE_MSG_MAX_FDS * sizeof(int));
	return (int *)(void *)fds;
}

/*
 * Since 24.03 rte_vhost asserts the locks of the queues when it translates ring addresses, but it
 * takes no locks for a message while its vDPA device is configured: SET_VRING_KICK and a
 * SET_MEM_TABLE that changes end in rte_panic(). Not fixed in 26.07. The library is found at run
 * time.
 */
static inline bool
vstate_vdpa_configured_panics(void)
{
	return rte_version_year() * 100 + rte_version_month() >= 2403;
}

/* ---- telemetry ---- */

#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define vstate_tel_dict_uint rte_tel_data_add_dict_uint
#define vstate_tel_array_uint rte_tel_data_add_array_uint
#define VSTATE_TEL_UINT_VAL RTE_TEL_UINT_VAL
#else
#define vstate_tel_dict_uint rte_tel_data_add_dict_u64
#define vstate_tel_array_uint rte_tel_data_add_array_u64
#define VSTATE_TEL_UINT_VAL RTE_TEL_U64_VAL
#endif

/* ---- ethdev ---- */

/*
 * A thread that does not own a port may read it under this lock only: ethdev takes the lock before
 * it frees the port, and since 24.11 its telemetry holds the lock. Before 23.11 there is no lock.
 */
#define VSTATE_ETHDEV_HAS_LOCK (RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0))
#if VSTATE_ETHDEV_HAS_LOCK
static inline void
__rte_no_thread_safety_analysis
vstate_ethdev_lock(void)
{
	rte_spinlock_lock(rte_mcfg_ethdev_get_lock());
}

static inline void
__rte_no_thread_safety_analysis
vstate_ethdev_unlock(void)
{
	rte_spinlock_unlock(rte_mcfg_ethdev_get_lock());
}
#else
static inline void
vstate_ethdev_lock(void)
{
}

static inline void
vstate_ethdev_unlock(void)
{
}
#endif

#if RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)
typedef int vstate_rx_count_t;
#else
typedef uint32_t vstate_rx_count_t;
#endif

/* lib/gso segments TCP over IPv6 since 23.07. */
#define VSTATE_GSO_TCP6 (RTE_VERSION >= RTE_VERSION_NUM(23, 7, 0, 0))

/* Per-queue counters moved out of struct rte_eth_stats. */
#define VSTATE_STATS_HAVE_QUEUES (RTE_VERSION < RTE_VERSION_NUM(25, 11, 0, 0))
#if RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)
#define VSTATE_QUEUE_STATS_PARAM , struct eth_queue_stats *qstats
#define VSTATE_QUEUE_STATS(stats) qstats
#else
#define VSTATE_QUEUE_STATS_PARAM
#define VSTATE_QUEUE_STATS(stats) stats
#endif

#endif /* _VSTATE_COMPAT_H_ */

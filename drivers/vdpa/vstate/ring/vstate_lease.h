/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LEASE_H
#define VSTATE_LEASE_H

/**
 * @file
 * The lease: how a stop excludes poll threads from a queue.
 *
 * A poll thread takes the lease of a queue for one burst and gives it back. The control
 * side is the thread that holds the control lock. It revokes leases and waits for the poll
 * threads that are inside. The protocol is Dekker's handshake with an asymmetric fence: the
 * poll side does a plain store and a plain load, and the control side pays for both with
 * membarrier(2).
 *
 *   poll thread (take)                 control side (revoke)
 *   P1: inside = 1                     C1: granted = 0
 *   P2: compiler barrier               C2: membarrier
 *   P3: load granted                   C3: load inside
 *
 * membarrier (C2) makes every running thread of the process pass a full fence between
 * C1 and C3. If a poll thread passes the fence before P1, P3 sees C1. If it passes the
 * fence behind P1, C3 sees P1. Without C2 the store P1 may still be in the poll thread's
 * store buffer at C3: the control side would change the queue while the poll thread uses it.
 * If the kernel has no membarrier, P2 and C2 are full fences.
 *
 * The control side never waits for a thread that is not inside: an application may stop
 * polling at any time.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_atomic.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_pause.h>

#include "vstate_compat.h"

/** Whether a poll thread may enter a queue, and how: one load answers both. */
enum vstate_lease_grant {
	VSTATE_LEASE_REVOKED,
	VSTATE_LEASE_GRANTED,
	/** The kernel has no membarrier: a thread that enters must fence. */
	VSTATE_LEASE_GRANTED_FENCE,
};

struct vstate_lease {
	/** 1 while a poll thread is inside; written by the poll thread. */
	uint32_t inside;
	/** One of enum vstate_lease_grant; written by the control side. */
	uint32_t granted;
	/** 1 once a poll thread found the lease not granted; see vstate_takeover.c. */
	uint32_t asked;
};

/** True if membarrier is missing, so that poll threads must fence. Set once, at probe. */
extern bool vstate_lease_fence;

/** Set vstate_lease_fence. Called before the first queue is granted. */
void vstate_lease_init(void);

/**
 * C2. Behind it, the control side sees a poll thread inside, or that poll thread sees the stores
 * before C2. Without it a poll thread's P1 may wait in a store buffer at C3. Partner:
 * vstate_lease_order().
 */
void vstate_lease_barrier(void);

/* P2. */
static vstate_inline void
vstate_lease_order(void)
{
	if (unlikely(vstate_lease_fence))
		/* partner: vstate_lease_barrier() */
		rte_atomic_thread_fence(rte_memory_order_seq_cst);
	else
		rte_compiler_barrier(); /* partner: membarrier in vstate_lease_barrier() */
}

/* P3, behind P1 and P2. Leaves again if the lease is not granted. */
static vstate_inline bool
vstate_lease_check(struct vstate_lease *l)
{
	/* Acquire: pairs with the release in vstate_lease_grant(). The poll thread sees what
	 * the control side set up before the grant.
	 */
	if (likely(rte_atomic_load_explicit(&l->granted,
			rte_memory_order_acquire) != VSTATE_LEASE_REVOKED))
		return true;
	rte_atomic_store_explicit(&l->inside, 0, rte_memory_order_release);
	return false;
}

static inline bool
vstate_lease_is_granted(const struct vstate_lease *l)
{
	return rte_atomic_load_explicit(&l->granted,
			rte_memory_order_relaxed) != VSTATE_LEASE_REVOKED;
}

/**
 * The common case: the lease is granted, and no thread needs to fence. Safety does not depend on
 * this test. It keeps a thread that polls a revoked queue from storing P1 each time: the control
 * side could see this thread inside at each of its looks.
 */
static vstate_inline bool
vstate_lease_is_plain(const struct vstate_lease *l)
{
	return likely(rte_atomic_load_explicit(&l->granted,
			rte_memory_order_relaxed) == VSTATE_LEASE_GRANTED);
}

/** vstate_lease_take() if vstate_lease_is_plain(). */
static vstate_inline bool
vstate_lease_take_plain(struct vstate_lease *l)
{
	rte_atomic_store_explicit(&l->inside, 1, rte_memory_order_relaxed); /* P1 */
	rte_compiler_barrier(); /* P2, partner: membarrier in vstate_lease_barrier() */
	return vstate_lease_check(l);
}

/** vstate_lease_take() if not vstate_lease_is_plain(). */
bool vstate_lease_take_other(struct vstate_lease *l);

/** Enter a queue that only the calling thread polls. False: the lease is not granted. */
static vstate_inline bool
vstate_lease_take(struct vstate_lease *l)
{
	return vstate_lease_is_plain(l) ? vstate_lease_take_plain(l) : vstate_lease_take_other(l);
}

/** Spins before a thread gives up on a queue while another thread is inside. */
#define VSTATE_LEASE_SHARED_SPINS 4096

/**
 * Enter a queue that several threads poll, as when a port has more transmit queues than
 * the guest has receive queues. Only this case pays for an atomic exchange. False: the lease
 * is not granted, or another thread stays inside.
 */
static inline bool
vstate_lease_take_shared(struct vstate_lease *l)
{
	unsigned int i;

	for (i = 0; i < VSTATE_LEASE_SHARED_SPINS; i++) {
		if (rte_atomic_exchange_explicit(&l->inside, 1, rte_memory_order_acquire) == 0) {
			vstate_lease_order();
			return vstate_lease_check(l);
		}
		rte_pause();
	}
	return false;
}

/** Leave. Release: if the control side sees 0 (C3), it sees what was done inside. */
static vstate_inline void
vstate_lease_give(struct vstate_lease *l)
{
	rte_atomic_store_explicit(&l->inside, 0, rte_memory_order_release);
}

/** Control side: let poll threads in. Release: pairs with vstate_lease_check(). */
static inline void
vstate_lease_grant(struct vstate_lease *l)
{
	rte_atomic_store_explicit(&l->granted, vstate_lease_fence ? VSTATE_LEASE_GRANTED_FENCE :
			VSTATE_LEASE_GRANTED, rte_memory_order_release);
}

/** Whether a poll thread has found the lease not granted. */
static inline bool
vstate_lease_is_asked(const struct vstate_lease *l)
{
	return rte_atomic_load_explicit(&l->asked, rte_memory_order_relaxed) != 0;
}

/** Control side: C1. vstate_lease_barrier() and a wait must follow. */
static inline void
vstate_lease_revoke(struct vstate_lease *l)
{
	rte_atomic_store_explicit(&l->granted, VSTATE_LEASE_REVOKED, rte_memory_order_relaxed);
}

/** Control side: C3. Acquire: pairs with vstate_lease_give(). */
static inline bool
vstate_lease_is_inside(const struct vstate_lease *l)
{
	return rte_atomic_load_explicit(&l->inside, rte_memory_order_acquire) != 0;
}

#endif /* VSTATE_LEASE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_LEASE_H
#define VSTATE_LEASE_H

/**
 * @file
 * The lease: how a stop meets a poll thread.
 *
 * A poll thread takes the lease of a queue for one burst and gives it back. The
 * control thread revokes leases and waits for those that are inside. It is Dekker's
 * handshake with an asymmetric fence: the poll side does a plain store and a plain
 * load, and the control side pays for both with membarrier(2).
 *
 *   poll thread (take)                 control thread (revoke)
 *   P1: inside = 1                     C1: granted = 0
 *   P2: compiler barrier               C2: membarrier
 *   P3: load granted                   C3: load inside
 *
 * membarrier (C2) makes every running thread of the process pass a full fence between
 * C1 and C3. A poll thread either passes it before P1, then P3 sees C1; or between P1
 * and P3 or later, then C3 sees P1. Without C2 the store P1 may still be in the poll
 * thread's store buffer at C3, and the control thread would take the queue away under
 * its feet. Where the kernel has no membarrier, P2 and C2 are full fences.
 *
 * The control thread never waits for a thread that is not inside: an application may
 * stop polling whenever it likes.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_atomic.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_pause.h>

/** Whether a queue may be entered, and how: one load answers both. */
enum vstate_lease_grant {
	VSTATE_LEASE_REVOKED,
	VSTATE_LEASE_GRANTED,
	/** The kernel has no membarrier: a thread that enters must fence. */
	VSTATE_LEASE_GRANTED_FENCE,
};

struct vstate_lease {
	/** 1 while a poll thread is inside; written by the poll thread. */
	uint32_t inside;
	/** One of enum vstate_lease_grant; written by the control thread. */
	uint32_t granted;
	/** 1 once a poll thread wanted to enter while it was not granted; see vstate_takeover.c. */
	uint32_t asked;
};

/** True where membarrier is missing, and poll threads must fence. Set once, at probe. */
extern bool vstate_lease_fence;

/** Find out what the kernel has; called before the first queue is granted. */
void vstate_lease_init(void);

/**
 * C2: after it, each poll thread is seen inside, or sees what was stored before. Partner:
 * vstate_lease_order(). Without it a poll thread's P1 may wait in a store buffer at C3.
 */
void vstate_lease_barrier(void);

/* P2. */
static __rte_always_inline void
vstate_lease_order(void)
{
	if (unlikely(vstate_lease_fence))
		__atomic_thread_fence(__ATOMIC_SEQ_CST); /* partner: vstate_lease_barrier() */
	else
		rte_compiler_barrier(); /* partner: membarrier in vstate_lease_barrier() */
}

/* P3, behind P1 and P2. */
static __rte_always_inline bool
vstate_lease_check(struct vstate_lease *l)
{
	/* Acquire: pairs with the release in vstate_lease_grant(); what the control thread
	 * set up before the grant is seen inside.
	 */
	if (likely(__atomic_load_n(&l->granted, __ATOMIC_ACQUIRE) != VSTATE_LEASE_REVOKED))
		return true;
	__atomic_store_n(&l->inside, 0, __ATOMIC_RELEASE);
	return false;
}

static inline bool
vstate_lease_is_granted(const struct vstate_lease *l)
{
	return __atomic_load_n(&l->granted, __ATOMIC_RELAXED) != VSTATE_LEASE_REVOKED;
}

/**
 * The common case: the lease is granted, and nobody need fence. Not needed for safety: a thread
 * that polls a revoked queue in step with the control thread's looks would seem to be inside
 * each time.
 */
static __rte_always_inline bool
vstate_lease_is_plain(const struct vstate_lease *l)
{
	return likely(__atomic_load_n(&l->granted, __ATOMIC_RELAXED) == VSTATE_LEASE_GRANTED);
}

/** vstate_lease_take() where vstate_lease_is_plain(). */
static __rte_always_inline bool
vstate_lease_take_plain(struct vstate_lease *l)
{
	__atomic_store_n(&l->inside, 1, __ATOMIC_RELAXED); /* P1 */
	rte_compiler_barrier(); /* P2, partner: membarrier in vstate_lease_barrier() */
	return vstate_lease_check(l);
}

/** vstate_lease_take() where that is not so. */
bool vstate_lease_take_other(struct vstate_lease *l);

/** Enter a queue that only the calling thread polls. False: not now. */
static __rte_always_inline bool
vstate_lease_take(struct vstate_lease *l)
{
	return vstate_lease_is_plain(l) ? vstate_lease_take_plain(l) : vstate_lease_take_other(l);
}

/** Spins before a thread gives up on a queue that another port queue is inside of. */
#define VSTATE_LEASE_SHARED_SPINS 4096

/**
 * Enter a queue that several threads poll, as when a port has more transmit queues than
 * the guest has receive queues. Only this case pays for an atomic exchange.
 */
static inline bool
vstate_lease_take_shared(struct vstate_lease *l)
{
	unsigned int i;

	for (i = 0; i < VSTATE_LEASE_SHARED_SPINS; i++) {
		if (__atomic_exchange_n(&l->inside, 1, __ATOMIC_ACQUIRE) == 0) {
			vstate_lease_order();
			return vstate_lease_check(l);
		}
		rte_pause();
	}
	return false;
}

/** Leave. Release: what was done inside is seen by a control thread that sees 0 (C3). */
static __rte_always_inline void
vstate_lease_give(struct vstate_lease *l)
{
	__atomic_store_n(&l->inside, 0, __ATOMIC_RELEASE);
}

/** Control thread: let poll threads in. Release: pairs with vstate_lease_check(). */
static inline void
vstate_lease_grant(struct vstate_lease *l)
{
	__atomic_store_n(&l->granted, vstate_lease_fence ? VSTATE_LEASE_GRANTED_FENCE :
			VSTATE_LEASE_GRANTED, __ATOMIC_RELEASE);
}

/** Whether a thread polls that may not enter yet. */
static inline bool
vstate_lease_is_asked(const struct vstate_lease *l)
{
	return __atomic_load_n(&l->asked, __ATOMIC_RELAXED) != 0;
}

/** Control thread: C1. vstate_lease_barrier() and a wait must follow. */
static inline void
vstate_lease_revoke(struct vstate_lease *l)
{
	__atomic_store_n(&l->granted, VSTATE_LEASE_REVOKED, __ATOMIC_RELAXED);
}

/** Control thread: C3. Acquire: pairs with vstate_lease_give(). */
static inline bool
vstate_lease_is_inside(const struct vstate_lease *l)
{
	return __atomic_load_n(&l->inside, __ATOMIC_ACQUIRE) != 0;
}

#endif /* VSTATE_LEASE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 *
 * The stop protocol of drivers/vdpa/vstate as a model for spin: how the control side takes
 * virtqueues away from poll threads that use neither a fence nor an atomic exchange. The control
 * side is the thread that holds the control lock.
 * doc/guides/prog_guide/vstate_lease_model.rst maps functions to transitions,
 * devtools/models/run.sh checks the model and the broken variants (BROKEN_*).
 *
 * The machine has TSO memory. Each thread's stores wait in a first-in, first-out buffer and
 * reach memory at any later time. A load looks into its thread's own buffer first.
 *
 * Configurations (one of them):
 *   TWO      two queues, each with a poll thread of its own, and a guest that sends frame
 *            n + 1 on queue 0 after the answer to frame n on queue 1
 *   STUCK    as TWO, but poll thread 0 may stay inside and never return
 *   SHARED   one queue that two poll threads share
 *   SERVICE  one queue, polled by the port or by the service; the control side chooses
 * and FENCE: a kernel without membarrier, so poll threads use a fence.
 */

#if defined(STUCK)
#define TWO
#endif
#if defined(TWO)
#define NQ 2
#else
#define NQ 1
#endif
#define NP 2			/* poll threads; with SERVICE, 0 is the port's, 1 the service */
#define CTL NP			/* the control side's store buffer */
#ifndef DEPTH
#define DEPTH 3			/* stores that a buffer holds */
#endif
#ifndef MOD
#define MOD 4			/* indices run modulo this */
#endif

/* ---- memory: five words a queue, then the service lease ---- */

#define INSIDE(q)  (5 * (q) + 0)	/* vstate_lease.inside */
#define GRANTED(q) (5 * (q) + 1)	/* vstate_lease.granted */
#define AVAIL(q)   (5 * (q) + 2)	/* vstate_vq.avail */
#define USED(q)    (5 * (q) + 3)	/* vstate_vq.used */
#define RING(q)    (5 * (q) + 4)	/* the used ring: what the guest sees */
#define SERVICE_Q  NQ			/* INSIDE() and GRANTED() of it: dev->service_lease */
#define IS_STATE(a) ((a) % 5 >= 2)

byte mem[5 * NQ + 2];

typedef store_buffer {
	byte n;
	byte e[DEPTH];			/* address * MOD + value, oldest first */
};
store_buffer sb[NP + 1];

hidden byte k, a, v;			/* scratch inside d_step */

inline store(b, addr, val)
{
	d_step {
		sb[b].n < DEPTH ->
		sb[b].e[sb[b].n] = (addr) * MOD + (val);
		sb[b].n++;
	}
}

inline find(b, addr, dst)
{
	dst = mem[addr];
	k = 0;
	do
	:: k < sb[b].n ->
		if
		:: sb[b].e[k] / MOD == (addr) -> dst = sb[b].e[k] % MOD
		:: else
		fi;
		k++
	:: else -> break
	od;
	k = 0
}

inline load(b, addr, dst)
{
	d_step { find(b, addr, dst) }
}

/* The oldest store of a buffer reaches memory. */
inline retire(b)
{
	a = sb[b].e[0] / MOD;
	v = sb[b].e[0] % MOD;
	/* No store of a poll thread to the state of a queue arrives after the stop. */
	assert(b == CTL || !IS_STATE(a) || !stopped[a / 5]);
	mem[a] = v;
	k = 1;
	do
	:: k < sb[b].n -> sb[b].e[k - 1] = sb[b].e[k]; k++
	:: else -> break
	od;
	sb[b].n--;
	sb[b].e[sb[b].n] = 0;
	k = 0
}

inline fence(b)
{
	d_step {
		do
		:: sb[b].n > 0 -> retire(b)
		:: else -> break
		od
	}
}

/* ---- for the assertions; no thread of the protocol reads these ---- */

byte inside_now[NQ];	/* poll threads between their check and their return */
bool stopped[NQ];	/* the control side owns the queue, from wait to grant */
bool gone[NP];		/* stopped polling, outside */
bool stuck;		/* stays inside and never returns */
bool stopping;		/* a stop has begun and has not returned */
bool waiting;		/* in lease_wait(), for queue wait_q */
byte wait_q;
bool idle;		/* no more requests */

/* ---- device, owned by the control side ---- */

#define P_PORT 0
#define P_SERVICE 1
bool suspended;
bool poller = P_PORT;
bool port_started = 1;	/* the application's threads may poll the port */
bool port_busy;		/* one of them is polling it */

/* ---- poll threads ---- */

proctype Drain(byte b)
{
end:	do
	:: d_step { sb[b].n > 0 -> retire(b) }
	od
}

/* P3, and the assertions about it. */
inline check(p, q, got)
{
	d_step {
		find(p, GRANTED(q), got);
		if
		:: got ->
			inside_now[q]++;
			assert(inside_now[q] == 1);
			assert(!stopped[q])
		:: else
		fi
	}
}

inline poll_fence(p)
{
#if defined(FENCE) && !defined(BROKEN_NO_POLL_FENCE)
	fence(p)
#else
	skip
#endif
}

inline give(p, q)
{
	d_step {
		sb[p].n < DEPTH ->
		sb[p].e[sb[p].n] = INSIDE(q) * MOD;
		sb[p].n++;
		inside_now[q]--
	}
}

inline lease_check(p, q, got)
{
	poll_fence(p);
	check(p, q, got);
	if
	:: got
	:: else ->
#ifndef BROKEN_NO_GIVE
		store(p, INSIDE(q), 0)
#else
		skip
#endif
	fi
}

inline take(p, q, got)
{
#ifdef BROKEN_CHECK_FIRST
	check(p, q, got);
	if
	:: got -> store(p, INSIDE(q), 1)
	:: else
	fi
#elif defined(SHARED) && !defined(BROKEN_PLAIN_SHARED)
	/* An exchange is a full fence. A take that spins too often fails: "not now". */
	fence(p);
	atomic {
		if
		:: mem[INSIDE(q)] == 0 -> mem[INSIDE(q)] = 1; got = 1
		:: else -> got = 0
		fi
	}
	if
	:: got -> lease_check(p, q, got)
	:: else
	fi
#else
	store(p, INSIDE(q), 1);		/* P1 */
	lease_check(p, q, got)
#endif
}

/* Whether the driver's available index is ahead of ours. */
inline guest_has_work(q, idx, has)
{
#ifdef TWO
	/* The guest sends n + 1 on queue 0 after n was answered on queue 1. */
	if
	:: q == 0 -> has = (idx == mem[RING(1)])
	:: else -> has = (idx != mem[RING(0)])
	fi
#else
	has = 1
#endif
}

inline burst(p, q)
{
	d_step {
		find(p, AVAIL(q), idx);
		find(p, USED(q), other);
		assert(idx == other);
		find(p, RING(q), other);
		assert(idx == other);
		guest_has_work(q, idx, other);
		idx = (idx + 1) % MOD
	}
	if
	:: other ->
		store(p, AVAIL(q), idx);
#ifdef BROKEN_GIVE_BEFORE_PUBLISH
		give(p, q);
#endif
		store(p, RING(q), idx);
		store(p, USED(q), idx);
#ifndef BROKEN_GIVE_BEFORE_PUBLISH
		give(p, q)
#endif
	:: !other || NQ == 1 ->
		give(p, q)
	fi;
	d_step { idx = 0; other = 0 }
}

inline poll_once(p, q)
{
	take(p, q, ok);
	if
	:: ok ->
#ifdef STUCK
		if
		:: p == 0 -> stuck = 1;
end_stuck:		false
		:: skip
		fi;
#endif
		ok = 0;
		burst(p, q)
	:: else
	fi
}

#ifdef SERVICE
/* The application polls only while the port is started. */
proctype Port()
{
	byte idx, other;
	bool ok;

end:	do
	:: atomic { port_started -> port_busy = 1 };
		poll_once(0, 0);
		/* an application that stops the port waits for this thread */
		atomic { fence(0); port_busy = 0 }
	od
}

/* service_run() */
proctype Service()
{
	byte idx, other;
	bool ok;

	do
	:: store(1, INSIDE(SERVICE_Q), 1);
		poll_fence(1);
		load(1, GRANTED(SERVICE_Q), ok);
		if
		:: ok -> poll_once(1, 0)
		:: else
		fi;
		store(1, INSIDE(SERVICE_Q), 0)
	:: gone[1] = 1; break
	od
}
#else
proctype Poll(byte me)
{
	byte idx, other;
	bool ok;
#ifdef TWO
#define MY_Q me
#else
#define MY_Q 0
#endif

	do
	:: poll_once(me, MY_Q)
	:: gone[me] = 1; break
	od
}
#endif

/* ---- control side ---- */

/* vstate_lease_barrier(): each thread executes a fence, one after the other. */
inline barrier()
{
	fence(CTL);
#ifndef FENCE
	fence(0);
	fence(1);
#endif
}

inline revoke(q)
{
	store(CTL, GRANTED(q), 0)
}

/* vstate_grant() */
inline grant_all()
{
	i = 0;
	do
	:: i < NQ && !suspended ->
		d_step {
			sb[CTL].n < DEPTH ->
			sb[CTL].e[sb[CTL].n] = GRANTED(i) * MOD + 1;
			sb[CTL].n++;
			stopped[i] = 0
		};
		i++
	:: else -> break
	od;
	i = 0
}

/* lease_wait(): its last load is one atomic step. */
inline lease_wait(q)
{
	d_step { waiting = 1; wait_q = q };
#ifdef BROKEN_WAIT_FOR_POLLERS
	d_step { waiting = 0; wait_q = 0 };
	/* waits for an answer of the thread, which may have ended */
	!gone[q] && inside_now[q] == 0;
#endif
	atomic {
		if
#ifdef BROKEN_NO_WAIT
		:: true
#else
		:: mem[INSIDE(q)] == 0
#endif
		:: timed && mem[INSIDE(q)] != 0 -> late = 1
		fi;
		waiting = 0;
		wait_q = 0
	}
}

/*
 * vstate_quiesce(). Timed: the deadline may pass at any step. Not timed: the deadline is
 * long compared with a burst, and vstate_quiesce_always() tries again.
 */
inline rest()
{
	i = 0;
#ifdef BROKEN_BARRIER_FIRST
	barrier();
#endif
	do
	:: i < NQ ->
		load(CTL, GRANTED(i), saved[i]);
		revoke(i);			/* C1 */
		i++
	:: else -> break
	od;
#if !defined(BROKEN_NO_MEMBARRIER) && !defined(BROKEN_BARRIER_FIRST)
	barrier();				/* C2 */
#endif
	i = 0;
	do
	:: i < NQ && !late -> lease_wait(i); i++	/* C3 */
	:: else -> break
	od;
	i = 0;
#ifdef BROKEN_TIMEOUT_IGNORED
	late = 0;
#endif
	if
	:: !late ->
		d_step {
			do
			:: i < NQ ->
				stopped[i] = 1;
				assert(inside_now[i] == 0);
				i++
			:: else -> break
			od;
			i = 0
		}
	:: else ->
		do
		:: i < NQ ->
#ifndef BROKEN_NO_REGRANT
			if
			:: saved[i] -> store(CTL, GRANTED(i), 1)
			:: else
			fi;
#endif
			i++
		:: else -> break
		od;
		i = 0;
		/* A time-out changes nothing. */
		d_step {
			do
			:: i < NQ ->
				find(CTL, GRANTED(i), other);
				assert(other == saved[i] && stopped[i] == !saved[i]);
				i++
			:: else -> break
			od;
			i = 0;
			other = 0
		}
	fi;
	d_step {
		saved[0] = 0;
		saved[NQ - 1] = 0
	}
}

/* do_capture(): state_now() of each queue */
inline capture()
{
	i = 0;
	do
	:: i < NQ ->
		load(CTL, AVAIL(i), idx);
		load(CTL, USED(i), other);
		d_step {
			assert(stopped[i]);
			assert(idx == other);
			assert(idx == mem[RING(i)]);
			captured[i] = idx
		};
		i++
	:: else -> break
	od;
	i = 0;
	cut()
}

/* No effect (queue 1) without its cause (queue 0). */
inline cut()
{
	d_step {
#ifdef TWO
		assert((captured[0] + MOD - captured[1]) % MOD <= 1);
#endif
		captured[0] = 0;
		captured[NQ - 1] = 0;
		idx = 0;
		other = 0
	}
}

/* The capture of a stop that takes one queue after the other. */
inline capture_queue_by_queue()
{
	i = 0;
	do
	:: i < NQ ->
		revoke(i);
		barrier();
		lease_wait(i);
		load(CTL, USED(i), captured[i]);
		store(CTL, GRANTED(i), 1);
		i++
	:: else -> break
	od;
	i = 0;
	cut()
}

/* vq_set_base() or pending_apply(): another guest, other indices. */
inline set_base()
{
	i = 0;
	do
	:: i < NQ ->
		d_step {
			assert(stopped[i]);
			mem[RING(i)] = (mem[RING(i)] + 2) % MOD;
			idx = mem[RING(i)]
		};
		store(CTL, AVAIL(i), idx);
		store(CTL, USED(i), idx);
		i++
	:: else -> break
	od;
	i = 0;
	idx = 0
}

/* do_set_poller(), with the steps that the contract requires of the application */
inline set_poller()
{
	if
	:: poller == P_PORT -> port_started = 0; !port_busy
	:: else
	fi;
	stopping = 1;
#ifndef BROKEN_SERVICE_NOT_REVOKED
	revoke(SERVICE_Q);
#endif
	rest();
#if !defined(BROKEN_SERVICE_NOT_REVOKED) && !defined(BROKEN_SERVICE_NOT_WAITED)
	d_step { waiting = 1; wait_q = SERVICE_Q };
	d_step { mem[INSIDE(SERVICE_Q)] == 0 -> waiting = 0; wait_q = 0 };
#endif
	poller = 1 - poller;
	grant_all();
	if
	:: poller == P_SERVICE -> store(CTL, GRANTED(SERVICE_Q), 1)
	:: else -> port_started = 1
	fi;
	stopping = 0
}

proctype Control()
{
	byte i, idx, other;
	bool timed, late;
	bool saved[NQ];
	byte captured[NQ];

	grant_all();
	do
	:: !suspended ->			/* do_suspend() */
		d_step { timed = 1; stopping = 1 };
		rest();
		d_step {
			if
			:: !late -> suspended = 1
			:: else
			fi;
			late = 0; timed = 0; stopping = 0
		}
	:: suspended -> capture()		/* do_capture() */
	:: suspended ->				/* do_resume() */
		suspended = 0;
#ifndef BROKEN_RESUME_NO_GRANT
		grant_all()
#endif
#ifndef STUCK
	:: stopping = 1;			/* do_sync(), do_start() */
		rest();
#ifdef BROKEN_GRANT_BEFORE_SETUP
		grant_all();
		set_base();
#else
		set_base();
		grant_all();
#endif
		stopping = 0
#endif
#ifdef BROKEN_QUEUE_BY_QUEUE
	:: !suspended -> capture_queue_by_queue()
#endif
#ifdef SERVICE
	:: true -> set_poller()		/* "true ->": an "else" inside must not belong to this do */
#endif
	:: idle = 1; break
	od
}

init
{
	atomic {
		stopped[0] = 1;
		stopped[NQ - 1] = 1;
#ifdef SERVICE
		run Port();
		run Service();
#else
		run Poll(0);
		run Poll(1);
#endif
		run Control();
		run Drain(0);
		run Drain(1);
		run Drain(CTL)
	}
}

/* ---- liveness, under weak fairness ---- */

#ifdef LIVE
/* A stop ends. A wait ends when it finds the lease free. A lease that is free again and again is
 * found free at some time, because the poll thread does not run in step with the wait.
 */
ltl stop_ends {
	([]<> !stopping) || ([]<> (waiting && mem[INSIDE(wait_q)] == 0))
}
/* If the device runs and nothing stops it, threads that keep polling get the lease. */
#if defined(SERVICE)
ltl progress {
	(<>[] (idle && !suspended && (poller == P_PORT || !gone[1]))) ->
		([]<> (inside_now[0] > 0))
}
#elif defined(SHARED)
ltl progress {
	(<>[] (idle && !suspended && (!gone[0] || !gone[1]))) -> ([]<> (inside_now[0] > 0))
}
#else
ltl progress {
	(<>[] (idle && !suspended && !gone[1])) -> ([]<> (inside_now[1] > 0))
}
#endif
#endif

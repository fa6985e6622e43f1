/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 *
 * The handover of a device between two processes (drivers/vdpa/vstate/handover/vstate_takeover.c)
 * as a model for spin. Either process is killed at any step, or both are, and each bounded wait may
 * end. The comments name the functions. devtools/models/run.sh checks the model and
 * the broken variants (BROKEN_*): doc/guides/prog_guide/vstate_handover.rst.
 *
 * Time is not in the model: a process may be as slow as it likes, and a bound of the other process
 * may end before it. KILLS is the number of processes that may be killed.
 */

#ifndef KILLS
#define KILLS 2
#endif
#define MOD 4			/* positions of the ring run modulo this */
#define OLD 0
#define NEW 1
#define NONE 2

mtype = { ASK, OFFER, READY, GO, RUNNING, REFUSED };

chan to_old = [4] of { mtype };
chan to_new = [4] of { mtype };

bool alive[2] = true;
bool closed[2];			/* this side's end of the socket between the processes */
bool serves[2];			/* its poll threads may enter the queues */
bool conn[2];			/* it has the connection of the front end */
bool released;			/* the old process has forgotten the device */
bool gave_up;			/* the new process has, after a failure */
bool had_offer;			/* the new process has had the connection */
bool started;
byte lock = NONE;		/* flock() of the state file */

/* ---- what the queues and the state file have ---- */

byte ring;			/* what the guest can see */
byte file;			/* the position in the state file's record */
byte pos[2];			/* the position that each process knows */
byte seq;			/* number of the state in the file */

/* The next frame, and its record. A poll thread is inside only while its process serves. */
inline burst(p)
{
	d_step {
		serves[p] ->
		assert(lock == p);
		assert(!serves[1 - p]);
		assert(pos[p] == ring);
		ring = (ring + 1) % MOD;
		pos[p] = ring;
		file = ring
	}
}

#define PEER_GONE(p)	(closed[1 - (p)])

/* Messages to a process that is gone are lost, as with EPIPE. */
inline send_new(m) { if :: closed[NEW] :: else -> to_new!m fi }
inline send_old(m) { if :: closed[OLD] :: else -> to_old!m fi }

proctype OldPoll() provided (alive[OLD])
{
	do :: burst(OLD) od
}

proctype NewPoll() provided (alive[NEW])
{
	do :: burst(NEW) od
}

/* ---- the process that owns the device: request_serve() ---- */

proctype Old() provided (alive[OLD])
{
	byte seq0;

	if
	:: to_old?ASK
	:: PEER_GONE(OLD) && empty(to_old) -> goto keep
	fi;
	/* device_offer(): the door is frozen, the queues run */
	send_new(OFFER);
	if
	:: to_old?READY
	:: to_old?REFUSED -> goto keep
	:: PEER_GONE(OLD) && empty(to_old) -> goto keep
	:: goto keep				/* READY_MS */
	fi;
	/* device_pass() */
	if
	:: true
	:: send_new(REFUSED); goto keep		/* device_rest(): a poll thread does not return */
	fi;
#ifndef BROKEN_SERVE_AFTER_UNLOCK
	serves[OLD] = false;
#endif
	seq0 = seq;
	lock = NONE;
#ifdef BROKEN_SERVE_AFTER_UNLOCK
	serves[OLD] = false;
#endif
	send_new(GO);
#ifdef BROKEN_COMMIT_AT_GO
	goto left;
#endif
	/* running_await() */
	do
	:: to_old?RUNNING -> goto left
	:: d_step {
		/* it refused, is gone, or is silent, and the lock is free */
#ifdef BROKEN_NO_RELOCK
		PEER_GONE(OLD) && empty(to_old)
#else
		lock == NONE -> lock = OLD
#endif
	   }
	   break
#ifdef BROKEN_GIVE_UP
	:: goto left				/* a bound, though another process has the lock */
#endif
	od;
	/* device_take_back(); a jump must not end in a d_step */
	skip;
	d_step {
#ifndef BROKEN_NO_REREAD
		if
		:: seq != seq0 -> pos[OLD] = file
		:: else
		fi;
#endif
		serves[OLD] = true
	};
keep:
	closed[OLD] = true;
	goto end;
left:
	skip;
	d_step { released = true; conn[OLD] = false; closed[OLD] = true };
end:
	skip
}

/* ---- the process that takes the device over: device_take() ---- */

proctype New() provided (alive[NEW])
{
	/* owner_ask() */
	send_old(ASK);
	if
	:: d_step { to_new?OFFER -> conn[NEW] = true; had_offer = true }
	:: to_new?REFUSED -> goto abandon
	:: PEER_GONE(NEW) && empty(to_new) -> goto died
	:: goto abandon				/* OFFER_MS */
	fi;
	if
	:: true
	:: goto abandon				/* adopt() */
	fi;
	send_old(READY);
	if
	:: to_new?GO
	:: to_new?REFUSED -> goto abandon
	:: PEER_GONE(NEW) && empty(to_new) -> goto died
	:: goto abandon				/* GO_MS */
	fi;
	/* file_take(): one attempt */
	if
#ifdef BROKEN_NO_LOCK
	:: true -> goto own
#else
	:: d_step { lock == NONE -> lock = NEW } goto own
	:: lock != NONE -> goto abandon
#endif
	fi;
died:
	/* the kernel may need a moment to release the lock of a process that died */
	if
	:: d_step { lock == NONE -> lock = NEW }
	:: lock != NONE -> goto abandon		/* LOCK_MS */
	fi;
own:
	/* device_own() */
	pos[NEW] = file;
	if
	:: true
	:: lock = NONE; goto abandon		/* run() */
	fi;
	seq++;
	serves[NEW] = true;
	if
	:: true
	:: serves[NEW] = false; lock = NONE; goto abandon	/* run(), after a ring has moved */
	fi;
	d_step {
		/* the front end connects to the socket that this process opens */
		if
		:: !had_offer -> conn[NEW] = true
		:: else
		fi
	};
	send_old(RUNNING);
	goto end;
abandon:
	skip;
	d_step { gave_up = true; conn[NEW] = false };
	send_old(REFUSED);
end:
	closed[NEW] = true
}

/* ---- the kernel ---- */

inline kill(p)
{
	d_step {
		kills < KILLS && alive[p] -> alive[p] = false;
		kills++;
		serves[p] = false;
		conn[p] = false;
		closed[p] = true
	}
}

/* A lock falls some time after its process. */
inline unlock(p)
{
	d_step { lock == p && !alive[p] -> lock = NONE }
}

proctype Kernel()
{
	byte kills = 0;

	do
	:: kill(OLD)
	:: kill(NEW)
	:: kills < KILLS -> kills = KILLS	/* no more */
	:: unlock(OLD)
	:: unlock(NEW)
	od
}

/* Nobody is left that could serve. */
#define NOBODY	((!alive[OLD] && (!alive[NEW] || gave_up)) || (released && !alive[NEW]))
/* The owner died before it had offered the connection: the front end connects again. */
#define TOO_EARLY	(!alive[OLD] && !had_offer)

/* If nothing moves any more, nobody serves: serving queues always move. */
proctype Guest()
{
	timeout -> assert(NOBODY)
}

init
{
	atomic {
		lock = OLD;
		serves[OLD] = true;
		conn[OLD] = true;
		run Old();
		run OldPoll();
		run New();
		run NewPoll();
		run Kernel();
		run Guest();
		started = true
	}
}

/* ---- claims ---- */

/* The front end's connection stays open in one of the processes. */
ltl kept { [] (!started || conn[OLD] || conn[NEW] || NOBODY || TOO_EARLY) }

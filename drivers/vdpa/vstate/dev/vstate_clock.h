/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CLOCK_H
#define VSTATE_CLOCK_H

/**
 * @file
 * The clock of the driver, and waits with a bound. All of it uses the monotonic clock, because a
 * change of the date must neither shorten nor stretch a wait.
 */

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/** Initialise a condition variable that is used with vstate_deadline_in(). */
static inline void
vstate_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

/** Return the time @p ns nanoseconds from now, for pthread_cond_timedwait(). */
static inline struct timespec
vstate_deadline_in(uint64_t ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns += ts.tv_nsec;
	ts.tv_sec += ns / 1000000000;
	ts.tv_nsec = ns % 1000000000;
	return ts;
}

/** Return the time of the monotonic clock in nanoseconds. */
static inline uint64_t
vstate_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/** Return the time of the monotonic clock in milliseconds. */
static inline uint64_t
vstate_clock_ms(void)
{
	return vstate_clock_ns() / 1000000;
}

#endif /* VSTATE_CLOCK_H */

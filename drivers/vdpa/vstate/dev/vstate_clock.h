/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CLOCK_H
#define VSTATE_CLOCK_H

/**
 * @file
 * The driver's one clock, and waits with a bound. A change of the date must neither shorten nor
 * stretch a wait, so all of it is the monotonic clock.
 */

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/** A condition that waits for a vstate_deadline_in(). */
static inline void
vstate_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

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

/** Nanoseconds by the same clock. */
static inline uint64_t
vstate_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/** Milliseconds by the same clock. */
static inline uint64_t
vstate_clock_ms(void)
{
	return vstate_clock_ns() / 1000000;
}

#endif /* VSTATE_CLOCK_H */

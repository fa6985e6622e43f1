/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "stop.h"

static volatile sig_atomic_t stop_signal;

static void
on_signal(int sig)
{
	stop_signal = sig;
}

void
stop_install(void)
{
	/* No SA_RESTART: a read at the prompt must return. */
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int
stop_requested(void)
{
	return stop_signal;
}

void
stop_wait(void)
{
	/* Another thread may receive the signal, so nanosleep() may not be interrupted: poll. */
	const struct timespec nap = { .tv_nsec = 100 * 1000000L };

	while (stop_signal == 0)
		nanosleep(&nap, NULL);
}

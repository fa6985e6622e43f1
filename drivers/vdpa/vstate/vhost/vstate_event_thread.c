/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <pthread.h>
#include <stdint.h>

#include <rte_vhost.h>

#include "vstate_event_thread.h"
#include "vstate_log.h"

/*
 * The path of a client socket that never connects: nobody can create a file there. A socket that
 * listens would have to exist as a file.
 */
#define KEEPER_PATH "/proc/vstate-event-thread"

static pthread_once_t keeper_once = PTHREAD_ONCE_INIT;

static void
keeper_register(void)
{
	const uint64_t flags = RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT;

	if (rte_vhost_driver_register(KEEPER_PATH, flags) != 0) {
		VSTATE_LOG(NOTICE, "cannot register %s: a handover may take one second",
				KEEPER_PATH);
		return;
	}
	/* This creates the thread. It also fails to connect, as it must, and logs that. */
	rte_vhost_driver_start(KEEPER_PATH);
}

void
vstate_event_thread_keep(void)
{
	pthread_once(&keeper_once, keeper_register);
}

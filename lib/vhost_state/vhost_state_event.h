/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_EVENT_H
#define VHOST_STATE_EVENT_H

/** @file Where events go. */

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"

/** Receives an event, on the thread that sends it, which may hold locks: it must not wait. */
typedef void (*vhost_state_event_fn)(const char *name, enum rte_vhost_state_event event, int vq,
		const char *detail);

/** Send all events to @p fn from now on. It is set once and never removed. Thread-safe. */
void vhost_state_event_sink_set(vhost_state_event_fn fn);

/** Count a receiver that waits for events, or forget one. Thread-safe. */
void vhost_state_event_wanted(bool more);

#endif /* VHOST_STATE_EVENT_H */

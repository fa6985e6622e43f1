/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "rte_vhost_state_backend.h"
#include "vhost_state_event.h"

static struct {
	char name[16];
	const char *text;
} events[] = {
#define EVENT_ROW(name, text) [RTE_VHOST_STATE_E_##name] = { #name, text },
	RTE_VHOST_STATE_EVENTS(EVENT_ROW)
#undef EVENT_ROW
};

static vhost_state_event_fn sink;
/* Number of receivers. An event without a receiver costs one load. */
static uint32_t wanted;

/* As vhost_state_reason_init(). */
RTE_INIT_PRIO(vhost_state_event_init, LOG)
{
	unsigned int e;
	char *c;

	for (e = 0; e < RTE_DIM(events); e++)
		for (c = events[e].name; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_event_name, 26.11)
const char *
rte_vhost_state_event_name(enum rte_vhost_state_event event)
{
	return (unsigned int)event < RTE_DIM(events) ? events[event].name : "unknown";
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_event_text, 26.11)
const char *
rte_vhost_state_event_text(enum rte_vhost_state_event event)
{
	return (unsigned int)event < RTE_DIM(events) ? events[event].text : "unknown event";
}

void
vhost_state_event_sink_set(vhost_state_event_fn fn)
{
	rte_atomic_store_explicit(&sink, fn, rte_memory_order_release);
}

void
vhost_state_event_wanted(bool more)
{
	if (more)
		rte_atomic_fetch_add_explicit(&wanted, 1, rte_memory_order_seq_cst);
	else
		rte_atomic_fetch_sub_explicit(&wanted, 1, rte_memory_order_seq_cst);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_event_send, 26.11)
void
rte_vhost_state_event_send(const char *name, enum rte_vhost_state_event event, int vq,
		const char *detail)
{
	vhost_state_event_fn fn;

	if (rte_atomic_load_explicit(&wanted, rte_memory_order_relaxed) == 0)
		return;
	fn = rte_atomic_load_explicit(&sink, rte_memory_order_acquire);
	if (fn != NULL && (unsigned int)event < RTE_VHOST_STATE_E_MAX)
		fn(name, event, vq, detail);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "rte_vhost_state_backend.h"
#include "ut_events.h"

static struct {
	pthread_mutex_t lock;
	bool on;
	char text[1024];
	size_t len;
} events = { .lock = PTHREAD_MUTEX_INITIALIZER };

void __real_rte_vhost_state_event_send(const char *name, enum rte_vhost_state_event event, int vq,
		const char *detail);
void __wrap_rte_vhost_state_event_send(const char *name, enum rte_vhost_state_event event, int vq,
		const char *detail);

/* Append one word of an event. What does not fit is cut off. */
static void
word_add(const char *before, const char *word)
{
	int n = snprintf(events.text + events.len, sizeof(events.text) - events.len, "%s%s",
			before, word);

	events.len = RTE_MIN(events.len + n, sizeof(events.text) - 1);
}

void
__wrap_rte_vhost_state_event_send(const char *name, enum rte_vhost_state_event event, int vq,
		const char *detail)
{
	char number[16];

	pthread_mutex_lock(&events.lock);
	if (events.on) {
		word_add(events.len > 0 ? " " : "", rte_vhost_state_event_name(event));
		snprintf(number, sizeof(number), "%d", vq);
		if (vq >= 0)
			word_add(":", number);
		if (detail != NULL)
			word_add(":", detail);
	}
	pthread_mutex_unlock(&events.lock);
	__real_rte_vhost_state_event_send(name, event, vq, detail);
}

void
events_record(void)
{
	pthread_mutex_lock(&events.lock);
	events.on = true;
	events.len = 0;
	events.text[0] = '\0';
	pthread_mutex_unlock(&events.lock);
}

void
events_read(char *text, size_t size)
{
	pthread_mutex_lock(&events.lock);
	events.on = false;
	rte_strscpy(text, events.text, size);
	pthread_mutex_unlock(&events.lock);
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stddef.h>
#include <string.h>

#include "hostile_known.h"

/* Seen with 22.11; the sources of 24.11, 25.11 and 26.07 have the same code. */
#define WAITS_PAYLOAD "rte_vhost 22.11 to 26.07 waits for a payload in its only thread"
#define WAITS_ANSWERS "rte_vhost 22.11 to 26.07 waits in its only thread until answers are read"
#define LOSES_REGION "rte_vhost 22.11 to 26.07 loses the descriptor of a region that it cannot map"
#define LOSES_INFLIGHT "rte_vhost 22.11 to 26.07 loses the descriptor of an invalid in-flight region"
#define NO_MEMORY "rte_vhost 22.11 to 26.07 starts a driver without memory after a refused table, " \
	"and its rte_vhost_get_mem_table() then ends the process"

static const struct {
	const char *name, *fault;
} faults[] = {
	{ "inflight-set-queues", LOSES_INFLIGHT },
	{ "header-only", WAITS_PAYLOAD },
	{ "header-only-ready", WAITS_PAYLOAD },
	{ "header-only-fds", WAITS_PAYLOAD },
	{ "header-only-eventfd", WAITS_PAYLOAD },
	{ "second-header-only", WAITS_PAYLOAD },
	{ "unread-features", WAITS_ANSWERS },
	{ "unread-features-ready", WAITS_ANSWERS },
	{ "unread-acks", WAITS_ANSWERS },
	{ "unread-inflight", WAITS_ANSWERS },
	{ "unread-config", WAITS_ANSWERS },
	{ "after-refused-table", NO_MEMORY },
	{ "connect-inflight-null", LOSES_INFLIGHT },
	{ "connect-mem-read-only", LOSES_REGION },
	{ "connect-mem-directory", LOSES_REGION },
	{ "connect-mem-socket", LOSES_REGION },
	{ "connect-mem-null", LOSES_REGION },
	{ "connect-mem-eventfd", LOSES_REGION },
	{ "connect-mem-pipe", LOSES_REGION },
	{ "connect-mem-last", LOSES_REGION },
	{ "fds-index-high", "rte_vhost 22.11 to 26.07 loses descriptors with a queue index of 256" },
	{ "fds-index-high-ready",
		"rte_vhost 22.11 to 26.07 loses descriptors with a queue index of 256" },
};

/* Those that accept descriptors only to close them, and that leave before they do so. */
static const uint32_t requests[] = { 5, 8, 9, 10, 11, 18, 28, 32 };

const char *
hostile_known_fault(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(faults[i].name, name) == 0)
			return faults[i].fault;
	return NULL;
}

bool
hostile_known_request(uint32_t request)
{
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i] == request)
			return true;
	return false;
}

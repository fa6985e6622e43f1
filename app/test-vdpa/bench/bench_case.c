/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "bench_case.h"

#define MAX_CASES 96
/* Long enough for line rate; shorter if many queues share the caches. */
#define RING_SIZE 1024
#define RING_SIZE_MANY 256
#define FILL_MANY 64
#define FILL_JUMBO 64
#define JUMBO 9000
#define JUMBO_SEGS 4
#define BURST 32

static struct bench_case cases[MAX_CASES];
static unsigned int nb_cases;

static const char *const op_names[] = { "dequeue", "enqueue", "loop", "idle" };

static const struct {
	const char *name;
	bool packed, in_order;
} layouts[] = {
	{ "split", false, false },
	{ "split-inorder", false, true },
	{ "packed", true, false },
	{ "packed-inorder", true, true },
};

/* Layouts as a bit mask: cases with another difference use only the plain layouts. */
#define PLAIN 0x5
#define ALL 0xf
#define OP(op) (1u << BENCH_##op)

/* Each kind differs in one dimension from 64 bytes, one queue pair and bursts of 32. */
static const struct {
	const char *suffix;
	unsigned int ops, layouts;
	struct bench_case c;
} kinds[] = {
	{ "", OP(DEQUEUE) | OP(ENQUEUE) | OP(LOOP), ALL, { .frame = 64 } },
	{ "/mrg", OP(ENQUEUE) | OP(LOOP), ALL, { .frame = 64, .mergeable = true } },
	{ "/256B", OP(DEQUEUE) | OP(ENQUEUE) | OP(LOOP), PLAIN, { .frame = 256 } },
	{ "/1500B", OP(DEQUEUE) | OP(ENQUEUE) | OP(LOOP), ALL, { .frame = 1500 } },
	{ "/9000B/mrg", OP(DEQUEUE) | OP(ENQUEUE) | OP(LOOP), PLAIN,
		{ .frame = JUMBO, .mergeable = true, .tx_segs = JUMBO_SEGS } },
	{ "/indirect", OP(DEQUEUE) | OP(LOOP), PLAIN, { .frame = 64, .indirect = true } },
	{ "/log", OP(DEQUEUE) | OP(ENQUEUE) | OP(LOOP), PLAIN, { .frame = 64, .log = true } },
	{ "/4q", OP(LOOP), PLAIN, { .frame = 64, .pairs = 4 } },
	{ "/16q", OP(LOOP), PLAIN, { .frame = 64, .pairs = 16 } },
	{ "/64q", OP(LOOP), PLAIN, { .frame = 64, .pairs = 64 } },
	{ "/burst1", OP(LOOP), PLAIN, { .frame = 64, .burst = 1 } },
	{ "/burst8", OP(LOOP), PLAIN, { .frame = 64, .burst = 8 } },
	{ "/burst64", OP(LOOP), PLAIN, { .frame = 64, .burst = 64 } },
	{ "", OP(IDLE), ALL, { .frame = 64 } },
};

static void
case_add(unsigned int kind, unsigned int op, unsigned int layout)
{
	struct bench_case *c = &cases[nb_cases++];

	*c = kinds[kind].c;
	c->op = op;
	c->packed = layouts[layout].packed;
	c->in_order = layouts[layout].in_order;
	if (c->pairs == 0)
		c->pairs = 1;
	if (c->burst == 0)
		c->burst = BURST;
	if (c->tx_segs == 0)
		c->tx_segs = 1;
	c->ring_size = c->pairs > 1 ? RING_SIZE_MANY : RING_SIZE;
	c->fill = c->pairs > 1 ? FILL_MANY : c->frame >= JUMBO ? FILL_JUMBO : BENCH_MAX_FILL;
	snprintf(c->name, sizeof(c->name), "%s/%s%s", op_names[op], layouts[layout].name,
		kinds[kind].suffix);
}

static void
cases_build(void)
{
	unsigned int kind, op, layout;

	for (kind = 0; kind < RTE_DIM(kinds); kind++)
		for (op = 0; op < RTE_DIM(op_names); op++)
			for (layout = 0; layout < RTE_DIM(layouts); layout++)
				if ((kinds[kind].ops & (1u << op)) != 0 &&
						(kinds[kind].layouts & (1u << layout)) != 0 &&
						nb_cases < MAX_CASES)
					case_add(kind, op, layout);
}

const struct bench_case *
bench_case_get(unsigned int pos)
{
	if (nb_cases == 0)
		cases_build();
	return pos < nb_cases ? &cases[pos] : NULL;
}

bool
bench_case_match(const char *list, const char *name)
{
	char pattern[128];
	size_t len;

	for (; *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (len < sizeof(pattern)) {
			snprintf(pattern, sizeof(pattern), "%.*s", (int)len, list);
			if (fnmatch(pattern, name, 0) == 0)
				return true;
		}
	}
	return false;
}

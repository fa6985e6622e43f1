/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>

#include <rte_common.h>

#include "clock.h"
#include "hostile_case.h"
#include "hostile_console_env.h"
#include "vstate_compat.h"

#define WAIT HOSTILE_CONSOLE_WAIT_MS
#define NEXT VRING_DESC_F_NEXT
#define RING HOSTILE_CONSOLE_RING
/* How long values change while the device reads them. */
#define RACE_NS 100000000ull
/* Commands, messages or peers of a case that has many. */
#define MANY 300

/* ---- chains that break a queue ---- */

/** Where a descriptor lies. */
enum place { GOOD, HOLE, END, BEHIND };

/** A chain of descriptors; each is writable for the device if the queue is one that receives. */
struct chain {
	const char *name, *what;
	uint32_t flags;
	uint16_t nb;
	struct {
		enum place place;
		uint32_t len;
		/** Flags besides WRITE, and next or ID; turned: the other direction. */
		uint16_t flags, next;
		bool turned;
	} d[3];
};

static const struct chain chains[] = {
	{ "hole", "an address in no region", HOSTILE_ANY, 1, { { HOLE, 64, 0, 0, false } } },
	{ "end", "an address at the end of the address space", HOSTILE_ANY, 1,
		{ { END, 64, 0, 0, false } } },
	{ "behind", "a buffer that ends behind its region", HOSTILE_ANY, 1,
		{ { BEHIND, 8192, 0, 0, false } } },
	{ "long", "a buffer of 4 GiB", HOSTILE_ANY, 1, { { GOOD, UINT32_MAX, 0, 0, false } } },
	{ "second-hole", "a good piece, then one in no region", HOSTILE_ANY, 2,
		{ { GOOD, 64, NEXT, 1, false }, { HOLE, 64, 0, 1, false } } },
	{ "turned", "a readable piece behind a writable one", HOSTILE_ANY, 3,
		{ { GOOD, 16, NEXT, 1, false }, { GOOD, 16, NEXT, 2, true },
		  { GOOD, 16, 0, 2, false } } },
	{ "self", "a descriptor that is the next one of itself", HOSTILE_SPLIT, 1,
		{ { GOOD, 1, NEXT, 0, false } } },
	{ "loop", "two descriptors that name each other", HOSTILE_SPLIT, 2,
		{ { GOOD, 1, NEXT, 1, false }, { GOOD, 1, NEXT, 0, false } } },
	{ "next", "a next descriptor behind the table", HOSTILE_SPLIT, 1,
		{ { GOOD, 64, NEXT, RING, false } } },
	{ "next-max", "a next descriptor of 65535", HOSTILE_SPLIT, 1,
		{ { GOOD, 64, NEXT, UINT16_MAX, false } } },
	{ "indirect", "a table that was not negotiated", HOSTILE_ANY, 1,
		{ { GOOD, 64, VRING_DESC_F_INDIRECT, 0, false } } },
};

static uint64_t
place_gpa(const struct hostile_console_env *e, enum place place)
{
	const struct guest_mem *m = &e->guest.mem;

	switch (place) {
	case HOLE: return m->regions[m->island].gpa - 4096;
	case END: return UINT64_MAX - 31;
	case BEHIND: return m->regions[m->island - 1].gpa + m->regions[m->island - 1].size - 4096;
	default: return e->guest.scratch_gpa;
	}
}

static int
run_chain(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	const struct chain *chain = c->arg;
	struct hostile_desc d[RTE_DIM(chain->d)];
	uint16_t i, write;

	for (i = 0; i < chain->nb; i++) {
		/* the device writes to the queues of an even index */
		write = (c->q % 2 == 0) != chain->d[i].turned ? VRING_DESC_F_WRITE : 0;
		d[i] = (struct hostile_desc){ place_gpa(e, chain->d[i].place), chain->d[i].len,
			chain->d[i].flags | write, chain->d[i].next };
	}
	if (hostile_console_prepare(e, c->q) < 0)
		return -EPROTO;
	hostile_console_put(e, c->q, d, chain->nb);
	return hostile_console_breaks(e, c->q);
}

/* ---- the available ring ---- */

/* A head that is no descriptor. */
static int
run_head(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	struct guest_ring *r = &e->guest.rings[c->q];
	struct vring_avail *avail = r->driver;

	if (hostile_console_prepare(e, c->q) < 0)
		return -EPROTO;
	avail->ring[r->avail++ % r->size] = RING;
	r->pending++;
	hostile_console_kick(e, c->q);
	return hostile_console_breaks(e, c->q);
}

/* More buffers than the ring has. */
static int
run_index(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	if (hostile_console_prepare(e, c->q) < 0)
		return -EPROTO;
	e->guest.rings[c->q].avail += RING + 1;
	e->guest.rings[c->q].pending++;
	hostile_console_kick(e, c->q);
	return hostile_console_breaks(e, c->q);
}

/* A chain that never ends: all descriptors of the ring have NEXT. */
static int
run_endless(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	struct hostile_desc d[RING];
	uint16_t i;

	for (i = 0; i < RING; i++)
		d[i] = (struct hostile_desc){ e->guest.scratch_gpa, 1,
			NEXT | (c->q % 2 == 0 ? VRING_DESC_F_WRITE : 0), 0 };
	if (hostile_console_prepare(e, c->q) < 0)
		return -EPROTO;
	hostile_console_put(e, c->q, d, RING);
	return hostile_console_breaks(e, c->q);
}

/* A packed buffer whose ID is no index of the ring: the device may use it or break the queue. */
static int
run_id(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	static const uint16_t ids[] = { RING, RING, 0x7fff, UINT16_MAX };
	struct hostile_desc d = { e->guest.scratch_gpa, 4, 0, 0 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(ids); i++) {
		d.next = ids[i];
		hostile_console_put(e, c->q, &d, 1);
	}
	usleep(HOSTILE_CONSOLE_SETTLE_US);
	snprintf(e->did, sizeof(e->did), e->guest.rings[c->q].ops->used_ready(
			&e->guest.rings[c->q]) ? "used the buffers" : "did not use the buffers");
	return 0;
}

/* ---- commands, with which no queue breaks ---- */

/* @return 0 or -EPROTO */
static int
bytes_command(struct hostile_console_env *e, const void *bytes, uint32_t len)
{
	const struct guest_seg seg = { e->guest.command_gpa, len, false };
	uint32_t cookie, used;

	guest_mem_write(&e->guest.mem, e->guest.command_gpa, bytes, len);
	if (ports_add(&e->guest, PORTS_CTRL_TX, &seg, 1, 0) < 0 ||
			ports_take(&e->guest, PORTS_CTRL_TX, WAIT, &cookie, &used) != 1)
		return hostile_console_fail(e, "a command does not return");
	return 0;
}

static int
run_random(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	struct virtio_console_control cmd;
	uint64_t rnd = 25;
	unsigned int i;

	RTE_SET_USED(c);
	for (i = 0; i < MANY; i++) {
		cmd.id = guest_rnd(&rnd, 4) == 0 ? guest_rnd(&rnd, UINT32_MAX) : guest_rnd(&rnd, 3);
		cmd.event = guest_rnd(&rnd, 10);
		cmd.value = guest_rnd(&rnd, 3);
		if (bytes_command(e, &cmd, 1 + guest_rnd(&rnd, sizeof(cmd))) < 0 ||
				bytes_command(e, &cmd, sizeof(cmd)) < 0)
			return -EPROTO;
	}
	return hostile_console_holds(e);
}

/* The driver asks for all messages again and again, and takes none. */
static int
run_unread(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	const struct virtio_console_control device = { VIRTIO_CONSOLE_BAD_ID,
		VIRTIO_CONSOLE_DEVICE_READY, 1 }, port = { 0, VIRTIO_CONSOLE_PORT_READY, 1 };
	unsigned int i;

	RTE_SET_USED(c);
	for (i = 0; i < MANY; i++)
		if (bytes_command(e, &device, sizeof(device)) < 0 ||
				bytes_command(e, &port, sizeof(port)) < 0)
			return -EPROTO;
	return hostile_console_holds(e);
}

/* The command changes while the device reads it: it is one of both, and nothing else. */
static int
run_race(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	const uint64_t end = clock_ns() + RACE_NS;
	const struct guest_seg seg = { e->guest.command_gpa,
		sizeof(struct virtio_console_control), false };
	uint32_t *word = guest_mem_va(&e->guest.mem, e->guest.command_gpa, 8);
	uint32_t cookie, len, n = 0;
	int ret = 0;

	RTE_SET_USED(c);
	while (ret == 0 && clock_ns() < end) {
		ret = ports_add(&e->guest, PORTS_CTRL_TX, &seg, 1, 0);
		while (ret == 0 && ports_take(&e->guest, PORTS_CTRL_TX, 0, &cookie, &len) == 0 &&
				clock_ns() < end + WAIT * UINT64_C(1000000)) {
			rte_atomic_store_explicit(&word[0], n++ % 5, rte_memory_order_relaxed);
			rte_atomic_store_explicit(&word[1], n % 9, rte_memory_order_relaxed);
		}
	}
	return ret == 0 ? hostile_console_holds(e) : hostile_console_fail(e, "no room");
}

/* ---- others, with which no queue breaks ---- */

static int
run_empty(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	/* of the wrong direction only */
	const struct guest_seg seg = { e->guest.scratch_gpa, 64, c->q % 2 != 0 };
	uint32_t cookie, len;
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		if (c->q == PORTS_CTRL_RX && hostile_console_prepare(e, c->q) < 0)
			return -EPROTO;
		if (i == 0 && c->q == ports_rx(0) && hostile_console_prepare(e, c->q) < 0)
			return -EPROTO;
		if (ports_add(&e->guest, c->q, &seg, 1, 0) < 0 ||
				ports_take(&e->guest, c->q, WAIT, &cookie, &len) != 1)
			return hostile_console_fail(e, "a buffer of the wrong direction does not "
					"return");
		if (len != 0)
			return hostile_console_fail(e, "used length %u", len);
	}
	return hostile_console_holds(e);
}

static int
run_emergency(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	const uint8_t bytes[256] = { '!' };
	uint32_t offset;
	uint8_t got[64];

	RTE_SET_USED(c);
	/* all but emerg_wr are refused, and the connection stays */
	for (offset = 0; offset < 256; offset++)
		if ((ports_config_set(&e->guest, 0, offset, bytes, 1) == 0) != (offset == 8))
			return hostile_console_fail(e, "a write of config space at %u", offset);
	for (offset = 5; offset < 256; offset++)
		if (ports_config_set(&e->guest, 0, 8, bytes, offset) == 0)
			return hostile_console_fail(e, "%u bytes are written", offset);
	if (ports_peer_read(&e->guest, 0, got, 1, WAIT) != 1 || got[0] != '!')
		return hostile_console_fail(e, "no byte of an emergency write");
	return hostile_console_holds(e);
}

static int
run_peers(struct hostile_console_env *e, const struct hostile_console_case *c)
{
	unsigned int i;
	int ret;

	RTE_SET_USED(c);
	for (i = 0; i < MANY; i++) {
		ret = ports_peer_open(&e->guest, 0, e->port, false, WAIT);
		if (ret < 0)
			return hostile_console_fail(e, "peer %u: %s", i, strerror(-ret));
	}
	return hostile_console_holds(e);
}

/* ---- all cases ---- */

struct named {
	const char *name, *what;
	uint32_t flags;
	uint16_t q;
	int (*run)(struct hostile_console_env *e, const struct hostile_console_case *c);
};

static const struct {
	const char *name;
	uint16_t q;
} queues[] = { { "port-rx", 0 }, { "port-tx", 1 }, { "ctrl-rx", PORTS_CTRL_RX },
	{ "ctrl-tx", PORTS_CTRL_TX } };

/* For each queue. */
static const struct named rings[] = {
	{ "head", "a head that is no descriptor", HOSTILE_SPLIT, 0, run_head },
	{ "index", "more buffers than the ring has", HOSTILE_SPLIT, 0, run_index },
	{ "endless", "a chain that does not end", HOSTILE_PACKED, 0, run_endless },
	{ "empty", "buffers of the wrong direction", HOSTILE_ANY, 0, run_empty },
};

static const struct named others[] = {
	{ "port-tx-id", "buffer IDs that are no index of the ring", HOSTILE_PACKED, 1, run_id },
	{ "ctrl-tx-id", "the same", HOSTILE_PACKED, PORTS_CTRL_TX, run_id },
	{ "commands-random", "random commands", HOSTILE_ANY, PORTS_CTRL_TX, run_random },
	{ "commands-unread", "messages that are asked for, and not taken", HOSTILE_ANY,
		PORTS_CTRL_TX, run_unread },
	{ "commands-race", "commands that change while they are read", HOSTILE_ANY, PORTS_CTRL_TX,
		run_race },
	{ "config-writes", "writes of config space", HOSTILE_ANY, 1, run_emergency },
	{ "peers", "peers that come and go", HOSTILE_ANY, 1, run_peers },
};

uint32_t
hostile_console_cases(struct hostile_console_case *cases, uint32_t max)
{
	uint32_t n = 0;
	unsigned int i, k;

	for (k = 0; k < RTE_DIM(queues); k++) {
		for (i = 0; i < RTE_DIM(chains) && n < max; i++, n++) {
			cases[n] = (struct hostile_console_case){ .what = chains[i].what,
				.flags = chains[i].flags, .q = queues[k].q, .run = run_chain,
				.arg = &chains[i] };
			snprintf(cases[n].name, sizeof(cases[n].name), "%s-%s", queues[k].name,
					chains[i].name);
		}
		for (i = 0; i < RTE_DIM(rings) && n < max; i++, n++) {
			cases[n] = (struct hostile_console_case){ .what = rings[i].what,
				.flags = rings[i].flags, .q = queues[k].q, .run = rings[i].run };
			snprintf(cases[n].name, sizeof(cases[n].name), "%s-%s", queues[k].name,
					rings[i].name);
		}
	}
	for (i = 0; i < RTE_DIM(others) && n < max; i++, n++) {
		cases[n] = (struct hostile_console_case){ .what = others[i].what,
			.flags = others[i].flags, .q = others[i].q, .run = others[i].run };
		snprintf(cases[n].name, sizeof(cases[n].name), "%s", others[i].name);
	}
	return n;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "guest_core.h"
#include "guest_ctrl.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "hostile_case.h"
#include "hostile_ctrl.h"
#include "hostile_env.h"

#define CONNECT_MS 5000
#define PIECES 4
/* Commands of a flood. */
#define FLOOD 200
/* Looks for an answer, of POLL_US each. */
#define POLL_US 100
#define POLLS 20000

/** Where a descriptor of an attack points to. */
enum ctrl_place {
	AT_END, AT_BUF, AT_HOLE, AT_NULL, AT_BORDER,
};

struct ctrl_attack {
	const char *name, *what;
	struct {
		enum ctrl_place place;
		uint32_t off, len;
		bool write;
	} pieces[PIECES];
	/** The chain is one that no driver may make: it gets no answer. */
	bool breaks;
};

#define COMMAND { AT_BUF, 0, 3, false }
#define ANSWER { AT_BUF, 64, 1, true }

static const struct ctrl_attack attacks[] = {
	{ "ctrl-no-answer", "a command without room for its answer", { COMMAND }, true },
	{ "ctrl-only-answer", "room for an answer, and no command", { ANSWER }, false },
	{ "ctrl-short", "a command of one byte", { { AT_BUF, 0, 1, false }, ANSWER }, false },
	{ "ctrl-long", "a command longer than any", { { AT_BUF, 0, GUEST_CTRL_MAX, false },
		{ AT_BUF, 0, GUEST_CTRL_MAX, false }, ANSWER }, false },
	{ "ctrl-hole", "a command outside of memory", { { AT_HOLE, 0, 3, false }, ANSWER }, true },
	{ "ctrl-answer-hole", "an answer outside of memory", { COMMAND, { AT_HOLE, 0, 1, true } },
		true },
	{ "ctrl-answer-null", "an answer at address 0", { COMMAND, { AT_NULL, 0, 1, true } },
		true },
	{ "ctrl-border", "a command that ends in a hole", { { AT_BORDER, 0, 8, false }, ANSWER },
		true },
	{ "ctrl-late-hole", "a good command and answer, and a bad descriptor behind them",
		{ COMMAND, ANSWER, { AT_HOLE, 0, 1, true } }, true },
	{ "ctrl-order", "the answer before the command", { ANSWER, COMMAND }, true },
	{ "ctrl-len-max", "a command of 4 GiB", { { AT_BUF, 0, UINT32_MAX, false }, ANSWER },
		true },
};

/* @return 0; 1: the back end serves no control queue; -EPROTO */
static int
ctrl_open(struct hostile_env *e)
{
	const struct guest_conf conf = {
		.pairs = 2,
		.ring_size = HOSTILE_RING,
		.packed = e->packed,
		.features = HOSTILE_FEATURES,
		.frame_min = 60,
		.frame_max = 1514,
		.seed = e->conf->seed,
		.cvq = true,
	};
	int ret;

	e->g = guest_create(&conf);
	if (e->g == NULL)
		return hostile_fail(e, "no guest: %s", strerror(rte_errno));
	e->l = guest_link_open(e->g, e->conf->path, e->conf->server, CONNECT_MS);
	if (e->l == NULL)
		return hostile_fail(e, "cannot connect: %s", strerror(rte_errno));
	if (guest_link_negotiate(e->l) == -ENOTSUP)
		return 1;
	ret = guest_link_prepare(e->l);
	if (ret == 0)
		ret = guest_link_driver_ok(e->l);
	if (ret == 0)
		ret = guest_ctrl_begin(e->g);
	if (ret == 0)
		ret = guest_traffic_start(e->g);
	if (ret == 0)
		ret = guest_wait_flow(e->g, HOSTILE_FLOW_MS);
	return ret == 0 ? 0 : hostile_fail(e, "no frames before the attack: %s", strerror(-ret));
}

static uint64_t
place_gpa(const struct hostile_env *e, enum ctrl_place place)
{
	switch (place) {
	case AT_BUF: return e->g->ctrl.buf_gpa;
	case AT_HOLE: return hostile_hole(e);
	case AT_BORDER: return hostile_end_of_memory(e) - 4;
	default: return 0;
	}
}

static int
attack_add(struct hostile_env *e, const struct ctrl_attack *a)
{
	struct guest_ring *r = &e->g->ctrl.ring;
	struct guest_seg segs[PIECES];
	uint16_t n;

	/* class 0, command 0, 1: promiscuous mode, which changes nothing */
	guest_mem_write(&e->g->mem, e->g->ctrl.buf_gpa, "\0\0\1", 3);
	for (n = 0; n < PIECES && a->pieces[n].place != AT_END; n++)
		segs[n] = (struct guest_seg){ place_gpa(e, a->pieces[n].place) + a->pieces[n].off,
			a->pieces[n].len, a->pieces[n].write };
	if (r->ops->add(r, segs, n, 0, false) < 0)
		return hostile_fail(e, "the attack was not possible");
	r->ops->publish(r);
	guest_kick(e->g, 2 * e->g->conf.pairs);
	return 0;
}

/* @return whether the device used the buffer */
static bool
answer_wait(struct hostile_env *e, unsigned int polls)
{
	struct guest_ring *r = &e->g->ctrl.ring;
	uint32_t cookie, len;

	while (polls-- > 0) {
		if (r->ops->take(r, &cookie, &len) == 1)
			return true;
		usleep(POLL_US);
	}
	return false;
}

static int
attack_judge(struct hostile_env *e, const struct ctrl_attack *a)
{
	const bool answered = answer_wait(e, a->breaks ? HOSTILE_SETTLE_US / POLL_US : POLLS);

	snprintf(e->did, sizeof(e->did), answered ? "answered" : "gave no answer");
	if (answered == a->breaks)
		return hostile_fail(e, a->breaks ? "the chain was used" : "no answer");
	/* a queue that is whole serves the next command */
	if (!a->breaks && guest_ctrl_send(e->g, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC,
				"\1", 1) != 0)
		return hostile_fail(e, "the next command is not accepted");
	if (guest_wait_flow(e->g, HOSTILE_FLOW_MS) != 0)
		return hostile_fail(e, "frames of the pairs do not flow after it");
	return 0;
}

static int
run_attack(struct hostile_env *e, const struct hostile_case *c)
{
	const struct ctrl_attack *a = c->arg;
	int ret = ctrl_open(e);

	if (ret > 0) {
		snprintf(e->did, sizeof(e->did), "serves no control queue");
		return 0;
	}
	if (ret == 0)
		ret = attack_add(e, a);
	return ret == 0 ? attack_judge(e, a) : ret;
}

/* Each command changes a setting, and so stops all queues for a moment. */
static int
run_flood(struct hostile_env *e, const struct hostile_case *c)
{
	uint16_t vlan;
	unsigned int i;
	int ret = ctrl_open(e);

	RTE_SET_USED(c);
	if (ret > 0)
		snprintf(e->did, sizeof(e->did), "serves no control queue");
	if (ret != 0)
		return ret > 0 ? 0 : ret;
	for (i = 0; i < FLOOD && ret == 0; i++) {
		vlan = i % 4096;
		ret = guest_ctrl_send(e->g, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan,
			sizeof(vlan));
	}
	if (ret != 0)
		return hostile_fail(e, "command %u is not accepted", i);
	snprintf(e->did, sizeof(e->did), "answered %u commands", FLOOD);
	if (guest_wait_flow(e->g, HOSTILE_FLOW_MS) != 0)
		return hostile_fail(e, "frames of the pairs do not flow after it");
	return hostile_bystander(e);
}

uint32_t
hostile_ctrl_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n = 0;

	for (i = 0; i < RTE_DIM(attacks) && n < room; i++, n++) {
		c[n] = (struct hostile_case){ .what = attacks[i].what, .run = run_attack,
			.arg = &attacks[i] };
		snprintf(c[n].name, sizeof(c[n].name), "%s", attacks[i].name);
	}
	if (n < room)
		c[n++] = (struct hostile_case){ .name = "ctrl-flood", .run = run_flood,
			.what = "200 commands that change a setting" };
	for (i = 0; i < n; i++)
		c[i].flags = HOSTILE_ANY | HOSTILE_DOOR | HOSTILE_CTRL;
	return n;
}

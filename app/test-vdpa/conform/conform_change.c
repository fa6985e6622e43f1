/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Changes that reach a suspended device are not lost; and where a device starts. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "conform.h"
#include "conform_change.h"
#include "guest_core.h"
#include "guest_hold.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "rte_vhost_state_backend.h"
#include "vhost_user_fe.h"

#define WAIT_MS 3000
#define POLL_US 100
/* Number of frames that wait for the resume. */
#define WAITING 4

static int
run_and_suspend(struct conform *c)
{
	int ret;

	if (conform_begin(c, CONFORM_RUNNING) < 0)
		return -1;
	ret = conform_suspend(c);
	return ret < 0 ? conform_no(c, "cannot suspend: %s", strerror(-ret)) : 0;
}

static int
resume_device(struct conform *c)
{
	int ret = conform_resume(c);

	return ret < 0 ? conform_no(c, "cannot resume: %s", strerror(-ret)) : 0;
}

/* Let pair 0 send some frames with a kick, then no more. */
static int
frames_wait(struct conform *c)
{
	int left = WAIT_MS * 1000 / POLL_US;
	struct guest_counts n;

	do {
		guest_pair_counts_get(c->guest, 0, &n);
		if (left-- == 0)
			return conform_no(c,
				"the driver sends nothing while the device is suspended");
		usleep(POLL_US);
	} while (n.sent < n.received + WAITING);
	guest_pair_pause(c->guest, 0, 0);
	guest_pair_pause(c->guest, 1, 0);
	/* At least one kick: more are sent only if the device asked for them before its stop. */
	guest_kick(c->guest, 1);
	return 0;
}

/* S4, and vhost's rule for SUSPEND: a kick to a suspended device is served at resume. */
static int
item_kick(struct conform *c)
{
	struct guest_notify before, after;
	uint16_t pair;

	if (run_and_suspend(c) < 0 || frames_wait(c) < 0)
		return -1;
	guest_notify_get(c->guest, &before);
	if (resume_device(c) < 0)
		return -1;
	/* A pair pauses when all its frames have come back. */
	for (pair = 0; pair < 2; pair++)
		if (guest_pair_pause(c->guest, pair, WAIT_MS) < 0)
			return conform_no(c, "frames of pair %u are not served at resume", pair);
	guest_notify_get(c->guest, &after);
	if (after.kicks - before.kicks > 4)
		return conform_no(c, "the driver had to kick %u more times",
			(unsigned int)(after.kicks - before.kicks));
	for (pair = 0; pair < 2; pair++)
		guest_pair_resume(c->guest, pair);
	return conform_flow(c);
}

/* An announcement is for the network: it is accepted at any time and does not use the rings. */
static int
item_rarp(struct conform *c)
{
	const uint8_t mac[] = { 2, 0, 0, 0, 0, 9 };
	uint8_t *a = NULL, *b = NULL;
	size_t la = 0, lb = 0;
	int ret = 0;

	if (run_and_suspend(c) < 0)
		return -1;
	if (conform_get(c, &a, &la) < 0)
		return conform_no(c, "cannot get the state");
	if (vu_fe_send_rarp(&c->link->fe, mac) < 0)
		ret = conform_no(c, "an announcement is refused while the device is suspended");
	if (ret == 0 && conform_get(c, &b, &lb) < 0)
		ret = conform_no(c, "cannot get the state after an announcement");
	if (ret == 0 && (la != lb || memcmp(a, b, la) != 0))
		ret = conform_no(c, "an announcement changed the state");
	free(a);
	free(b);
	if (ret < 0 || resume_device(c) < 0)
		return -1;
	return conform_flow(c);
}

/* ---- a base whose two halves differ ---- */

/* A state whose indices differ, without buffers in flight. */
static int
state_ahead(struct conform *c)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state_vq *vq;
	struct rte_vhost_state *st;
	uint16_t idx;
	uint8_t wrap;
	int ret;

	if (run_and_suspend(c) < 0)
		return -1;
	st = rte_vhost_state_capture(c->be->dev.name, &err);
	if (st == NULL)
		return conform_no(c, "cannot get the state");
	vq = &st->vqs[1];
	idx = vq->avail_idx;
	wrap = vq->avail_wrap;
	vq->avail_idx = idx + 1;
	if (c->packed && vq->avail_idx == vq->size) {
		vq->avail_idx = 0;
		vq->avail_wrap ^= 1;
	}
	ret = conform_reopen(c);
	if (ret == 0) {
		rte_vhost_state_restore(c->be->dev.name, st, &err);
		if (err.reason != RTE_VHOST_STATE_R_INFLIGHT_COUNT)
			ret = conform_no(c,
				"a dequeued buffer that is not in flight is not refused: %s",
				rte_vhost_state_reason_name(err.reason));
	}
	vq->avail_idx = idx;
	vq->avail_wrap = wrap;
	if (ret == 0 && rte_vhost_state_restore(c->be->dev.name, st, &err) < 0)
		ret = conform_no(c, "the state is refused: %s",
			rte_vhost_state_reason_name(err.reason));
	rte_vhost_state_free(st);
	return ret < 0 ? -1 : conform_run(c);
}

/* The base of ring @p vq, after up to @p nb buffers that were dequeued and never used. */
static uint32_t
base_ahead(struct conform *c, uint16_t vq, uint16_t nb)
{
	const uint32_t base = guest_link_base(c->link, vq);
	const struct guest_pos used = guest_hold_used(c->guest, vq, base, 0);
	struct guest_pos avail = used;
	struct guest_held held;

	/*
	 * The base of a split ring has only one half. For a packed ring an upper half of zero has
	 * two meanings: "used up to 0, wrap counter 0", and also "not known", from front ends with
	 * 16 bits.
	 */
	if (!c->packed || (used.idx == 0 && !used.wrap))
		return base;
	while (nb-- > 0 && guest_hold_take(c->guest, vq, &avail, &held))
		;
	return (uint32_t)used.wrap << 31 | (uint32_t)used.idx << 16 |
		(uint32_t)avail.wrap << 15 | avail.idx;
}

/*
 * A front end without an in-flight region sends a base after which some buffers are dequeued and
 * not used. The device must dequeue them again, otherwise they are lost.
 */
static int
base_once(struct conform *c, bool *ahead)
{
	uint32_t num[4];
	uint16_t vq;

	if (guest_link_stop(c->link) < 0)
		return conform_no(c, "GET_VRING_BASE failed");
	/* The driver still sends: soon frames are available. */
	usleep(5000);
	for (vq = 0; vq < 4; vq++) {
		num[vq] = base_ahead(c, vq, 3);
		guest_link_set_base(c->link, vq, num[vq]);
	}
	if (guest_link_prepare(c->link) < 0)
		return conform_no(c, "the rings cannot be set up again");
	*ahead |= num[1] >> 16 != 0 && num[1] >> 16 != (num[1] & 0xffff);
	return conform_run(c);
}

static int
item_base(struct conform *c)
{
	bool ahead = !c->packed;
	unsigned int i;

	if (!c->user)
		return state_ahead(c);
	if (conform_begin(c, CONFORM_RUNNING) < 0)
		return -1;
	for (i = 0; i < 5 || (!ahead && i < 50); i++)
		if (base_once(c, &ahead) < 0)
			return -1;
	return ahead ? 0 : conform_no(c, "no frames were available at a stop");
}

/* ---- rings stopped and set up again ---- */

/* Dequeued buffers of virtqueue 0, and the index of the one that is used before the others. */
#define HELD 3
#define OVERTAKES 1

/*
 * Dequeue buffers of virtqueue 0 in place of the device, use one of them, and write the result to
 * the state.
 * @param held written: the buffers in flight, in the order of dequeue
 */
static int
buffers_hold(struct conform *c, struct rte_vhost_state *st, struct guest_pos *used,
		struct guest_held *held)
{
	struct rte_vhost_state_vq *vq = &st->vqs[0];
	struct guest_pos avail;
	struct guest_held h;
	struct guest_desc d;
	uint32_t len, nb = 0, nb_descs = 0;
	uint16_t n, i;

	*used = (struct guest_pos){ .idx = vq->used_idx, .wrap = vq->used_wrap };
	if (guest_hold_await(c->guest, 0, used, WAIT_MS) < 0)
		return conform_no(c, "the driver does not take back the used buffers");
	avail = *used;
	if (rte_vhost_state_vq_inflight_alloc(st, 0, HELD - 1) < 0 ||
			rte_vhost_state_vq_inflight_descs_alloc(st, 0,
				c->packed ? vq->size : 0) < 0)
		return conform_no(c, "out of memory");
	for (n = 0; n < HELD; n++) {
		if (!guest_hold_take(c->guest, 0, &avail, &h))
			return conform_no(c, "the driver has no buffers in virtqueue 0");
		if (n == OVERTAKES) {
			held[HELD - 1] = h;
			continue;
		}
		held[nb] = h;
		vq->inflight[nb++] = (struct rte_vhost_state_inflight){
			.head = h.head, .id = h.id, .num = h.num, .counter = n,
		};
		for (i = 0; c->packed && i < h.num; i++) {
			guest_hold_desc(c->guest, 0, &h, i, &d);
			vq->inflight_descs[nb_descs++] = (struct rte_vhost_state_desc){
				.addr = d.addr, .len = d.len, .id = d.id, .flags = d.flags,
			};
		}
	}
	vq->nb_inflight_descs = nb_descs;
	h = held[HELD - 1];
	len = guest_hold_fill_foreign(c->guest, 0, &h);
	guest_hold_use(c->guest, 0, used, &h, len);
	vq->avail_idx = avail.idx;
	vq->avail_wrap = avail.wrap;
	vq->used_idx = used->idx;
	vq->used_wrap = used->wrap;
	return 0;
}

/* Stop the rings and set them up again, as for a virtual machine that is stopped and continued. */
static int
rings_return(struct conform *c)
{
	uint16_t vq;

	if (guest_link_stop(c->link) < 0)
		return conform_no(c, "GET_VRING_BASE failed");
	for (vq = 0; vq < 4; vq++)
		guest_link_set_base(c->link, vq, guest_link_base(c->link, vq));
	return guest_link_prepare(c->link) < 0 ?
		conform_no(c, "the rings cannot be set up again") : 0;
}

/*
 * A device has receive buffers in flight and no frames for them. Its rings are stopped and set up
 * again. The buffers must still be in flight, and must be used before all others.
 */
static int
item_given_again(struct conform *c)
{
	struct rte_vhost_state_error err = { 0 };
	struct guest_held held[HELD];
	struct rte_vhost_state *st;
	struct guest_pos used;
	uint16_t pair;
	int ret;

	if (conform_begin(c, CONFORM_RUNNING) < 0)
		return -1;
	for (pair = 0; pair < 2; pair++)
		if (guest_pair_pause(c->guest, pair, WAIT_MS) < 0)
			return conform_no(c, "frames of pair %u do not come back", pair);
	if (c->be->ops->suspend(c->be, WAIT_MS * 1000, NULL) < 0)
		return conform_no(c, "cannot suspend");
	st = rte_vhost_state_capture(c->be->dev.name, &err);
	if (st == NULL)
		return conform_no(c, "cannot get the state");
	ret = buffers_hold(c, st, &used, held);
	guest_link_close(c->link);
	c->link = NULL;
	if (ret == 0)
		c->link = guest_connect(c->guest, c->be->dev.socket, false, WAIT_MS);
	if (ret == 0 && (c->link == NULL || guest_link_prepare(c->link) < 0))
		ret = conform_no(c, "cannot set up the device");
	if (ret == 0 && rte_vhost_state_restore(c->be->dev.name, st, &err) < 0)
		ret = conform_no(c, "the state is refused: %s",
			rte_vhost_state_reason_name(err.reason));
	rte_vhost_state_free(st);
	if (ret < 0 || guest_link_driver_ok(c->link) < 0)
		return -1;
	if (rings_return(c) < 0)
		return -1;
	for (pair = 0; pair < 2; pair++)
		guest_pair_resume(c->guest, pair);
	if (guest_hold_expect(c->guest, 0, &used, held, HELD - 1, WAIT_MS) < 0)
		return conform_no(c, "the driver does not take back the used buffers");
	if (conform_run(c) < 0)
		return -1;
	return guest_hold_left(c->guest, 0) == 0 ? 0 :
		conform_no(c, "buffers in flight were not used");
}

const struct conform_item conform_change_items[] = {
	{ "S4-kick", "a kick to a suspended device is served at resume", item_kick },
	{ "S4-rarp", "an announcement while suspended is accepted and changes nothing", item_rarp },
	{ "base", "buffers neither used nor in flight are dequeued again or refused", item_base },
	{ "given-again", "buffers stay in flight while the rings are stopped and set up again",
		item_given_again },
	{ NULL, NULL, NULL },
};

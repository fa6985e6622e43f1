/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* The guest of a hostile case, and what its attacks have in common. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "clock.h"
#include "guest.h"
#include "guest_core.h"
#include "guest_frame.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "guest_traffic.h"
#include "hostile_env.h"
#include "hostile_put.h"
#include "hostile_witness.h"

#define CONNECT_MS 5000
/* GET_VRING_BASE must be answered in this time, whatever the ring contains. */
#define STOP_MS 3000
/* Pause after a connection that was refused. */
#define RETRY_US 20000

void
hostile_lend(struct hostile_env *e, uint64_t gpa, uint64_t len)
{
	e->lent[e->nb_lent++] = (struct guest_mem_range){ .gpa = gpa, .len = len };
}

uint64_t
hostile_end_of_memory(const struct hostile_env *e)
{
	const struct guest_mem_region *r = &e->g->mem.regions[e->g->mem.island - 1];

	return r->gpa + r->size;
}

uint64_t
hostile_hole(const struct hostile_env *e)
{
	return hostile_end_of_memory(e) + 0x100000;
}

uint64_t
hostile_scratch(const struct hostile_env *e)
{
	return e->p->tx_gpa + 8ull * e->p->tx_stride;
}

/* A back end may refuse a connection while those before it have not ended yet. */
static bool
is_refusal(int ret)
{
	return ret == -ECONNRESET || ret == -EPIPE;
}

static void
retry_pause(void)
{
	usleep(RETRY_US);
}

int
hostile_open(struct hostile_env *e, uint64_t features)
{
	struct guest_conf conf = {
		.pairs = 2, .ring_size = HOSTILE_RING, .packed = e->packed, .features = features,
		.frame_min = 60, .frame_max = 1514, .seed = 1,
	};
	int ret;

	e->g = guest_create(&conf);
	if (e->g == NULL)
		return hostile_fail(e, "out of memory");
	e->l = guest_connect(e->g, e->conf->path, e->conf->server, CONNECT_MS);
	e->refused = e->l == NULL && is_refusal(-rte_errno);
	if (e->l == NULL)
		return hostile_fail(e, "cannot connect: %s%s%s", strerror(rte_errno),
			guest_error(e->g) != NULL ? ": " : "",
			guest_error(e->g) != NULL ? guest_error(e->g) : "");
	e->l->fe.timeout_ms = STOP_MS;
	ret = guest_link_prepare(e->l);
	if (ret == 0)
		ret = guest_link_driver_ok(e->l);
	if (ret == 0)
		ret = guest_traffic_start(e->g);
	e->refused = is_refusal(ret);
	if (ret < 0)
		return hostile_fail(e, "cannot start the guest: %s", strerror(-ret));
	if (guest_wait_flow(e->g, HOSTILE_FLOW_MS) < 0)
		return hostile_fail(e, "no frames come back before the attack");
	return 0;
}

void
hostile_close(struct hostile_env *e)
{
	if (e->g != NULL)
		guest_traffic_stop(e->g, 0);
	guest_link_close(e->l);
	guest_destroy(e->g);
	free(e->snapshot);
	hostile_wire_close(e);
	if (e->has_setup)
		hostile_setup_close(&e->setup);
	e->has_setup = false;
	while (e->nb_kept > 0)
		close(e->kept_fds[--e->nb_kept]);
	e->l = NULL;
	e->g = NULL;
	e->snapshot = NULL;
}

/* @return 0 or -errno */
static int
wire_connect(struct hostile_env *e, bool ready)
{
	int ret;

	hostile_wire_close(e);
	ret = e->conf->server ? vu_fe_accept(&e->wire, e->conf->path, CONNECT_MS) :
		vu_fe_connect(&e->wire, e->conf->path, CONNECT_MS);
	e->wire.timeout_ms = STOP_MS;
	return ret == 0 && ready ? hostile_setup_send(&e->setup, &e->wire) : ret;
}

int
hostile_wire_open(struct hostile_env *e, bool ready)
{
	uint64_t end = clock_ns() + CONNECT_MS * UINT64_C(1000000);
	int ret = 0;

	if (!e->has_setup)
		ret = hostile_setup_open(&e->setup);
	e->has_setup = true;
	if (ret < 0)
		return hostile_fail(e, "no memory or descriptor: %s", strerror(-ret));
	ret = wire_connect(e, ready);
	while (is_refusal(ret) && clock_ns() < end) {
		retry_pause();
		ret = wire_connect(e, ready);
	}
	return ret == 0 ? 0 : hostile_fail(e, "the device cannot be set up: %s", strerror(-ret));
}

void
hostile_wire_close(struct hostile_env *e)
{
	vu_fe_close(&e->wire);
}

int
hostile_bystander(struct hostile_env *e)
{
	if (e->witness == NULL || hostile_witness_round(e->witness) == 0)
		return 0;
	return hostile_fail(e, "the second device: %s", e->witness->why);
}

int
hostile_check_counts(struct hostile_env *e, uint16_t pair)
{
	struct guest_counts c;

	guest_pair_counts_get(e->g, pair, &c);
	if (c.lost + c.duplicated + c.reordered + c.corrupted == 0)
		return 0;
	return hostile_fail(e,
		"pair %u: %" PRIu64 " lost, %" PRIu64 " duplicated, %" PRIu64 " reordered, %" PRIu64
		" corrupted%s%s", pair, c.lost, c.duplicated, c.reordered, c.corrupted,
		guest_error(e->g) != NULL ? ": " : "",
		guest_error(e->g) != NULL ? guest_error(e->g) : "");
}

void
hostile_send_frame(struct hostile_env *e)
{
	struct guest_seg seg = { .gpa = e->frame_gpa, .len = e->frame_len };
	struct guest_ring *r = &e->p->tx;
	uint32_t cookie, len;
	bool kick;

	while (r->ops->take(r, &cookie, &len) == 1)
		;
	r->ops->add(r, &seg, 1, 0, false);
	kick = r->ops->publish(r);
	if (e->snapshot != NULL)
		hostile_snapshot(e);
	if (kick)
		guest_kick(e->g, HOSTILE_TX);
}

int
hostile_take_pair(struct hostile_env *e, bool empty_rx)
{
	uint8_t buf[GUEST_HDR_LEN + 1514];
	int ret;

	ret = guest_pair_pause(e->g, 0, HOSTILE_FLOW_MS);
	if (ret < 0)
		return hostile_fail(e, "frames of pair 0 do not come back before the attack");
	ret = hostile_check_counts(e, 0);
	if (ret < 0)
		return ret;
	e->p = &e->g->pairs[0];
	e->frame_gpa = e->p->tx_gpa;
	e->frame_len = GUEST_HDR_LEN + guest_frame_build(&e->g->frame, 0, 0, buf);
	guest_mem_write(&e->g->mem, e->frame_gpa, buf, e->frame_len);
	/* The device may write its area of the rings in any case. */
	hostile_lend(e, e->p->rx.device_gpa, e->packed ? 4 : 6 + 8 * HOSTILE_RING);
	hostile_lend(e, e->p->tx.device_gpa, e->packed ? 4 : 6 + 8 * HOSTILE_RING);
	if (e->packed) {
		hostile_lend(e, e->p->rx.desc_gpa, 16 * HOSTILE_RING);
		hostile_lend(e, e->p->tx.desc_gpa, 16 * HOSTILE_RING);
	}
	if (!empty_rx) {
		hostile_lend(e, e->p->rx_gpa, (uint64_t)e->p->rx_slots * e->p->rx_stride);
		return 0;
	}
	while (e->p->rx.nb_free < HOSTILE_RING) {
		uint64_t end = clock_ns() + HOSTILE_FLOW_MS * 1000000ull;
		uint32_t cookie, len;

		hostile_send_frame(e);
		while (e->p->rx.ops->take(&e->p->rx, &cookie, &len) == 0)
			if (clock_ns() >= end)
				return hostile_fail(e, "the receive ring cannot be emptied");
	}
	return 0;
}

int
hostile_fresh(struct hostile_env *e, const char *when, void (*during)(struct hostile_env *e))
{
	struct hostile_env fresh = { .conf = e->conf, .packed = e->packed, .wire = { .fd = -1 } };
	uint64_t end = clock_ns() + CONNECT_MS * UINT64_C(1000000);
	int ret;

	ret = hostile_open(&fresh, HOSTILE_FEATURES);
	while (ret < 0 && fresh.refused && clock_ns() < end) {
		hostile_close(&fresh);
		retry_pause();
		fresh.why[0] = '\0';
		ret = hostile_open(&fresh, HOSTILE_FEATURES);
	}
	if (ret == 0 && during != NULL) {
		during(e);
		usleep(HOSTILE_SETTLE_US);
		if (guest_wait_flow(fresh.g, HOSTILE_FLOW_MS) < 0)
			ret = hostile_fail(&fresh, "its frames no longer come back");
	}
	if (ret == 0) {
		guest_traffic_stop(fresh.g, HOSTILE_FLOW_MS);
		ret = hostile_check_counts(&fresh, 0);
	}
	hostile_close(&fresh);
	return ret == 0 ? 0 : hostile_fail(e, "%s, a new connection: %s", when, fresh.why);
}

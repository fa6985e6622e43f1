/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_guest.h"
#include "bench_result.h"
#include "bench_ring.h"
#include "bench_socket.h"
#include "bench_turn.h"
#include "clock.h"
#include "guest.h"
#include "guest_link.h"
#include "stop.h"

/* A slice starts with this part of its length without counting. */
#define WARM_UP 8
/* Longest wait for the first frames, and longest time without a frame. */
#define FIRST_NS UINT64_C(5000000000)
#define STALLED_NS UINT64_C(1000000000)
/* If no frame arrives in this time, the missing ones are lost. */
#define QUIET_NS UINT64_C(100000000)
/* Time to detect the end of a back end that sends nothing back. */
#define HUNG_UP_MS 2000
/* Turns of the guest for each clock read, which costs as much as a turn. */
#define TURNS 16

struct side {
	const struct bench_socket *sock;
	const struct bench_case *c;
	struct bench_guest *guest;
	/** Millions of frames a second, slice by slice. */
	double *v;
};

struct run {
	struct side side[BENCH_SOCKETS_MAX];
	unsigned int nb;
	size_t slices, room;
};

int
bench_socket_add(struct bench_sockets *socks, const char *word)
{
	struct bench_socket *s = &socks->v[socks->nb];
	const char *path = strchr(word, '=');
	size_t len = path != NULL ? (size_t)(path - word) : 0;
	unsigned int i;

	if (socks->nb == BENCH_SOCKETS_MAX)
		return -E2BIG;
	if (len == 0 || len >= sizeof(s->name) || path[1] == '\0' ||
			strlen(path + 1) >= sizeof(s->path) ||
			strcspn(word, "\"\\ ") < len)
		return -EINVAL;
	snprintf(s->name, sizeof(s->name), "%.*s", (int)len, word);
	snprintf(s->path, sizeof(s->path), "%s", path + 1);
	for (i = 0; i < socks->nb; i++)
		if (strcmp(socks->v[i].name, s->name) == 0)
			return -EEXIST;
	socks->nb++;
	return 0;
}

static int
side_fail(const struct side *s, int err, const char *what)
{
	fprintf(stderr, "dpdk-test-vdpa bench: %s: %s: %s\n", s->c->name, s->sock->name, what);
	return err;
}

/* Frames that passed through pair @p pair. */
static uint64_t
pair_frames(const struct side *s, uint16_t pair)
{
	return s->c->op == BENCH_DEQUEUE ? bench_guest_tx(s->guest, pair)->done :
		bench_guest_rx(s->guest, pair)->frames;
}

static uint64_t
side_frames(const struct side *s)
{
	uint64_t sum = 0;
	uint16_t pair;

	for (pair = 0; pair < s->c->pairs; pair++)
		sum += pair_frames(s, pair);
	return sum;
}

static bool
all_pairs_flow(const struct side *s)
{
	uint16_t pair;

	for (pair = 0; pair < s->c->pairs; pair++)
		if (pair_frames(s, pair) == 0)
			return false;
	return true;
}

/* Frames that the guest sent and that have not come back. */
static uint64_t
side_on_way(const struct side *s)
{
	uint64_t sum = 0;
	uint16_t pair;

	for (pair = 0; pair < s->c->pairs && s->c->op != BENCH_ENQUEUE; pair++)
		sum += bench_guest_tx(s->guest, pair)->frames - pair_frames(s, pair);
	return sum;
}

/* Take back frames until all have come back, or none arrives for QUIET_NS. */
static void
side_drain(struct side *s)
{
	uint64_t last = side_frames(s), since = clock_ns(), now;

	do {
		bench_guest_reap(s->guest);
		now = clock_ns();
		if (side_frames(s) != last) {
			last = side_frames(s);
			since = now;
		}
	} while (side_on_way(s) > 0 && now - since < QUIET_NS);
}

/* Check that all sent frames have come back, without errors. */
static int
side_check(struct side *s)
{
	uint64_t lost = side_on_way(s), errors = 0;
	uint16_t vq;

	for (vq = 0; vq < 2 * s->c->pairs; vq++)
		errors += s->guest->vqs[vq].errors;
	if (lost == 0 && errors == 0)
		return 0;
	/* The sockets of a killed process are closed last, so wait for that. */
	if (lost > 0 && guest_link_hung_up(s->guest->link, HUNG_UP_MS))
		return side_fail(s, -ECONNRESET, "the back end closed the connection");
	fprintf(stderr, "dpdk-test-vdpa bench: %s: %s: %" PRIu64 " frames lost, %" PRIu64
		" errors in the guest\n", s->c->name, s->sock->name, lost, errors);
	return -EIO;
}

/*
 * Send frames until they flow through every queue. A back end may drop the first ones while it uses
 * one ring and not yet the other. They are not counted.
 */
static int
side_prime(struct side *s)
{
	uint64_t end = clock_ns() + FIRST_NS;
	uint16_t pair;

	while (!all_pairs_flow(s)) {
		if (guest_link_hung_up(s->guest->link, 0))
			return side_fail(s, -ECONNRESET, "the back end closed the connection");
		if (clock_ns() >= end || stop_requested())
			return side_fail(s, -ETIMEDOUT, "no frames flow: the back end must "
				"poll, and forward frames as the case requires");
		bench_guest_turn(s->guest);
		/* Dropped frames must not fill the window. */
		side_drain(s);
		for (pair = 0; pair < s->c->pairs; pair++) {
			struct bench_vq *tx = bench_guest_tx(s->guest, pair);

			tx->frames = s->c->op == BENCH_LOOP ?
				bench_guest_rx(s->guest, pair)->frames : tx->done;
		}
	}
	return side_check(s);
}

static int
side_open(struct side *s)
{
	const char *why = NULL;
	uint16_t pair;
	int ret;

	s->guest = bench_guest_create(s->c, bench_guest_want(s->c));
	if (s->guest == NULL)
		return side_fail(s, -rte_errno, rte_strerror(rte_errno));
	/* In enqueue cases the back end (testpmd) creates the frames. */
	for (pair = 0; pair < s->c->pairs; pair++)
		bench_guest_rx(s->guest, pair)->foreign = s->c->op == BENCH_ENQUEUE;
	ret = bench_guest_connect(s->guest, s->sock->path);
	if (ret == 0)
		return side_prime(s);
	why = guest_error(s->guest->g);
	return side_fail(s, ret, why != NULL ? why : rte_strerror(-ret));
}

/* Run the guest for @p ns. @param frames, spent written: frames that passed, and the time */
static int
side_drive(struct side *s, uint64_t ns, uint64_t *frames, uint64_t *spent)
{
	uint64_t begin = clock_ns(), moved = begin, now, before = side_frames(s), last = before;
	unsigned int i;

	do {
		for (i = 0; i < TURNS; i++)
			bench_guest_turn(s->guest);
		now = clock_ns();
		if (side_frames(s) != last) {
			last = side_frames(s);
			moved = now;
		} else if (now - moved > STALLED_NS) {
			return side_fail(s, -ETIMEDOUT,
				guest_link_hung_up(s->guest->link, HUNG_UP_MS) ?
				"the back end closed the connection" : "frames no longer flow");
		}
	} while (now - begin < ns || last == before);
	*frames = last - before;
	*spent = now - begin;
	return 0;
}

static int
slice_run(struct side *s, uint64_t ns, double *mpps)
{
	uint64_t frames, spent;
	int ret;

	ret = side_drive(s, ns / WARM_UP, &frames, &spent);
	if (ret == 0)
		ret = side_drive(s, ns, &frames, &spent);
	if (ret < 0)
		return ret;
	*mpps = frames * 1e3 / spent;
	side_drain(s);
	return side_check(s);
}

static int
slices_grow(struct run *run)
{
	size_t room = run->room > 0 ? 2 * run->room : 256;
	unsigned int i;
	double *v;

	for (i = 0; i < run->nb; i++) {
		v = realloc(run->side[i].v, room * sizeof(*v));
		if (v == NULL)
			return side_fail(&run->side[i], -ENOMEM, "out of memory");
		run->side[i].v = v;
	}
	run->room = room;
	return 0;
}

/* A B A B ... until the time is over, at least once. */
static int
slices_run(struct run *run, const struct bench_conf *conf)
{
	uint64_t end = clock_ns() + (uint64_t)(conf->seconds * 1e9);
	unsigned int i;
	int ret = 0;

	do {
		if (run->slices == run->room)
			ret = slices_grow(run);
		for (i = 0; i < run->nb && ret == 0; i++)
			ret = slice_run(&run->side[i], conf->slice_us * 1000,
				&run->side[i].v[run->slices]);
		run->slices += ret == 0;
	} while (ret == 0 && clock_ns() < end && !stop_requested());
	return ret;
}

static int
figures_make(struct run *run, struct bench_socket_result *r)
{
	double *ratios = malloc(run->slices * sizeof(*ratios));
	struct bench_socket_figures *f;
	double ignored;
	unsigned int i;
	size_t n;

	if (ratios == NULL)
		return side_fail(&run->side[0], -ENOMEM, "out of memory");
	r->slices = run->slices;
	/* The first one last, because sorting its slices would spoil the ratios of the others. */
	for (i = run->nb; i-- > 0; ) {
		f = &r->side[i];
		for (n = 0; n < run->slices; n++)
			ratios[n] = run->side[i].v[n] / run->side[0].v[n];
		bench_min_median(ratios, run->slices, &ignored, &f->ratio);
		bench_min_median(run->side[i].v, run->slices, &f->min, &f->median);
		f->max = run->side[i].v[run->slices - 1];
	}
	free(ratios);
	return 0;
}

int
bench_socket_case(const struct bench_sockets *socks, const struct bench_conf *conf,
		const struct bench_case *c, struct bench_socket_result *r)
{
	struct run run = { .nb = socks->nb };
	unsigned int i;
	int ret = 0;

	*r = (struct bench_socket_result){ .c = c };
	for (i = 0; i < run.nb && ret == 0; i++) {
		run.side[i].sock = &socks->v[i];
		run.side[i].c = c;
		ret = side_open(&run.side[i]);
	}
	if (ret == 0)
		ret = slices_run(&run, conf);
	if (ret == 0)
		ret = figures_make(&run, r);
	for (i = 0; i < run.nb; i++) {
		bench_guest_destroy(run.side[i].guest);
		free(run.side[i].v);
	}
	r->failed = ret < 0;
	return ret;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_device.h"
#include "bench_guest.h"
#include "bench_port.h"
#include "bench_ring.h"
#include "bench_run.h"
#include "bench_turn.h"

#define IDLE_POLLS 1000
/* A round was interrupted if it takes this many times the shortest one, and this long. */
#define INTERRUPTED_TIMES 4
#define INTERRUPTED_US 50
#define PRIME_TRIES 1000
#define PRIME_US 1000

/* True if the dirty log has at least one dirty page. */
static bool
log_is_used(const struct bench_guest *bg)
{
	uint8_t buf[4096];
	off_t off = 0;
	ssize_t n, i;

	while ((n = pread(bg->log_fd, buf, sizeof(buf), off)) > 0) {
		for (i = 0; i < n; i++)
			if (buf[i] != 0)
				return true;
		off += n;
	}
	return false;
}

int
bench_side_check(struct bench_side *s)
{
	uint64_t done = 0, received = 0, errors = 0;
	uint16_t pair;

	for (pair = 0; pair < s->c->pairs; pair++) {
		const struct bench_vq *rx = bench_guest_rx(s->guest, pair);
		const struct bench_vq *tx = bench_guest_tx(s->guest, pair);

		done += tx->done;
		received += rx->frames;
		errors += rx->errors + tx->errors;
	}
	if (errors > 0 || s->taken != done || s->given != received || s->dropped > 0) {
		fprintf(stderr, "dpdk-test-vdpa bench: %s: %s: the device received %" PRIu64
			" frames, the guest got %" PRIu64 " back; the device sent %" PRIu64
			", the guest received %" PRIu64 "; %" PRIu64 " dropped; %" PRIu64
			" errors in the guest\n", s->c->name,
			bench_kind_names[s->kind], s->taken, done, s->given, received, s->dropped,
			errors);
		return -EIO;
	}
	if (s->c->log && s->kind != BENCH_ROOFLINE && !log_is_used(s->guest)) {
		fprintf(stderr, "dpdk-test-vdpa bench: %s: %s logs no dirty page\n", s->c->name,
			bench_kind_names[s->kind]);
		return -EIO;
	}
	return 0;
}

static int
guest_before(struct bench_side *s, struct bench_mbufs *b, uint32_t want)
{
	uint16_t pair;

	if (s->c->op == BENCH_IDLE)
		return 0;
	for (pair = 0; pair < s->c->pairs; pair++) {
		if (s->c->op != BENCH_DEQUEUE)
			bench_vq_post(bench_guest_rx(s->guest, pair));
		if (s->c->op != BENCH_ENQUEUE &&
				bench_vq_send(bench_guest_tx(s->guest, pair), want) != want)
			return -ENOSPC;
	}
	if (s->c->op == BENCH_ENQUEUE && s->kind != BENCH_ROOFLINE)
		return bench_mbufs_prepare(s, b, want * s->c->pairs);
	return 0;
}

int
bench_round(struct bench_side *s, struct bench_mbufs *b, uint32_t want, struct bench_work *work)
{
	uint32_t all = s->c->op == BENCH_IDLE ? 0 : want * s->c->pairs, n;
	uint64_t begin;
	int ret;

	ret = guest_before(s, b, want);
	if (ret < 0)
		return ret;
	/*
	 * rte_rdtsc_precise() has a fence: stores of the guest end before the timed part, and
	 * stores of the device end in it.
	 */
	begin = rte_rdtsc_precise();
	n = bench_device_part(s, b, want);
	bench_work_add(work, rte_rdtsc_precise() - begin, s->c->op == BENCH_IDLE ? want : n);
	bench_guest_reap(s->guest);
	if (n == all)
		return 0;
	fprintf(stderr, "dpdk-test-vdpa bench: %s: %s processed %u frames of %u\n", s->c->name,
		bench_kind_names[s->kind], n, all);
	return -EIO;
}

/*
 * A device may process the first frames later, while it handles the last messages of the front end:
 * rte_vhost translates addresses again in a burst that then moves nothing. Therefore several tries.
 */
int
bench_side_prime(struct bench_side *s)
{
	uint32_t all = s->c->op == BENCH_IDLE ? 0 : s->c->fill * s->c->pairs, n = 0;
	struct bench_mbufs b = { .nb = 0 };
	unsigned int tries;
	int ret;

	ret = guest_before(s, &b, s->c->fill);
	for (tries = 0; ret == 0 && n < all && tries < PRIME_TRIES; tries++) {
		if (tries > 0)
			usleep(PRIME_US);
		n += bench_device_part(s, &b, s->c->fill);
	}
	bench_mbufs_drop(&b);
	bench_guest_reap(s->guest);
	if (ret == 0 && n < all) {
		fprintf(stderr, "dpdk-test-vdpa bench: %s: %s processed %u frames of the first "
			"%u\n", s->c->name, bench_kind_names[s->kind], n, all);
		ret = -EIO;
	}
	return ret == 0 ? bench_side_check(s) : ret;
}

static uint32_t
want_of(const struct bench_case *c)
{
	return c->op == BENCH_IDLE ? IDLE_POLLS : c->fill;
}

int
bench_slice(struct bench_side *s, uint64_t cycles, struct bench_work *work)
{
	uint32_t want = want_of(s->c), rounds = s->c->ring_size / want + 1;
	struct bench_mbufs b = { .nb = 0 };
	uint64_t end, shortest = UINT64_MAX;
	int ret = 0;

	/* Once around the ring, so that the caches hold this side's data again. */
	while (rounds-- > 0 && ret == 0) {
		struct bench_work warm_up = { 0 };

		ret = bench_round(s, &b, want, &warm_up);
		shortest = RTE_MIN(shortest, warm_up.cycles);
	}
	work->limit = RTE_MAX(INTERRUPTED_TIMES * shortest,
			rte_get_tsc_hz() / 1000000 * INTERRUPTED_US);
	end = rte_rdtsc() + cycles;
	do {
		if (ret == 0)
			ret = bench_round(s, &b, want, work);
	} while (ret == 0 && rte_rdtsc() < end);
	bench_mbufs_drop(&b);
	return ret == 0 ? bench_side_check(s) : ret;
}

int
bench_fixed(struct bench_side *s, uint64_t frames)
{
	struct bench_mbufs b = { .nb = 0 };
	struct bench_work work = { 0 };
	uint64_t left, before = RTE_MAX(s->taken, s->given);
	uint32_t want;
	int ret = 0;

	/* The frames of bench_side_prime() are included in the number. */
	if (frames < before || frames % s->c->pairs != 0) {
		fprintf(stderr, "dpdk-test-vdpa bench: %s: --packets must be a multiple of %u, "
			"and at least %" PRIu64 "\n", s->c->name, s->c->pairs, before);
		return -EINVAL;
	}
	left = (frames - before) / s->c->pairs;
	for (; left > 0 && ret == 0; left -= want) {
		want = RTE_MIN(left, want_of(s->c));
		ret = bench_round(s, &b, want, &work);
	}
	bench_mbufs_drop(&b);
	return ret == 0 ? bench_side_check(s) : ret;
}

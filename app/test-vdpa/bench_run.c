/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "bench.h"

#define IDLE_POLLS 1000

/* Read all of the dirty log: it must have something in it. */
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
		fprintf(stderr, "dpdk-test-vdpa bench: %s: %s: device took %" PRIu64 " frames of "
			"%" PRIu64 ", gave %" PRIu64 " of which %" PRIu64 " came, dropped %" PRIu64
			"; the guest saw %" PRIu64 " errors\n", s->c->name, bench_kind_names[s->kind],
			s->taken, done, s->given, received, s->dropped, errors);
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

static void
guest_after(struct bench_side *s)
{
	uint16_t pair;

	for (pair = 0; pair < s->c->pairs; pair++) {
		bench_vq_reap(bench_guest_tx(s->guest, pair));
		bench_vq_receive(bench_guest_rx(s->guest, pair));
	}
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
	/* The fences in here keep the guest's stores out of, and the device's in, what is timed. */
	begin = rte_rdtsc_precise();
	n = bench_device_part(s, b, want);
	work->cycles += rte_rdtsc_precise() - begin;
	work->count += s->c->op == BENCH_IDLE ? want : n;
	guest_after(s);
	if (n == all)
		return 0;
	fprintf(stderr, "dpdk-test-vdpa bench: %s: %s did %u frames of %u\n", s->c->name,
		bench_kind_names[s->kind], n, all);
	return -EIO;
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
	struct bench_work warm_up = { 0 };
	uint64_t end;
	int ret = 0;

	/* Once around the ring, so that the caches are this side's again. */
	while (rounds-- > 0 && ret == 0)
		ret = bench_round(s, &b, want, &warm_up);
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
	uint64_t left = frames / s->c->pairs;
	uint32_t want;
	int ret = 0;

	for (; left > 0 && ret == 0; left -= want) {
		want = RTE_MIN(left, want_of(s->c));
		ret = bench_round(s, &b, want, &work);
	}
	bench_mbufs_drop(&b);
	return ret == 0 ? bench_side_check(s) : ret;
}

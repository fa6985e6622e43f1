/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_H
#define BENCH_H

/**
 * @file
 * The benchmark: net_vstate, net_vhost and a bare ring loop (the roofline) side by side, with the
 * same frames, rings and bursts, in short slices that take turns.
 *
 * Each of the three is a *side*: a guest of its own, laid out alike, and what processes its rings.
 * Only the device's part is timed. All functions return 0 or -errno unless they say otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_mempool.h>

#include "bench_case.h"
#include "bench_guest.h"
#include "workdir.h"

enum bench_kind { BENCH_VSTATE, BENCH_VHOST, BENCH_ROOFLINE, BENCH_KINDS };

extern const char *const bench_kind_names[BENCH_KINDS];

/** How cases are run. */
struct bench_conf {
	double seconds;
	uint64_t slice_us;
	bool two_core;
	/** CPUs of the device and of the guest. */
	int cpu, guest_cpu;
};

/** A port that a driver of DPDK offers on a vhost-user socket. */
struct bench_port {
	bool present;
	char name[32];
	char path[108];
	uint16_t id;
};

/** What a device did in a slice. */
struct bench_work {
	uint64_t cycles;
	/** Frames, or polls if the case is an idle one. */
	uint64_t count;
	/** Steps longer than this many cycles were interrupted by something else; 0: no limit. */
	uint64_t limit;
	/** Steps, and those that were interrupted and are not in cycles and count. */
	uint64_t steps, interrupted;
};

/** Add a step that took @p cycles for @p count frames. */
static inline void
bench_work_add(struct bench_work *w, uint64_t cycles, uint64_t count)
{
	w->steps++;
	if (w->limit != 0 && cycles > w->limit) {
		w->interrupted++;
		return;
	}
	w->cycles += cycles;
	w->count += count;
}

struct bench_side {
	enum bench_kind kind;
	const struct bench_case *c;
	struct bench_port port;
	struct bench_guest *guest;
	struct rte_mempool *pool;
	/** Device's own indices of the roofline, one for each virtqueue. */
	struct bench_roof_vq *roof;
	/** Frames that the device took from the guest, gave to it, or had to drop; all slices. */
	uint64_t taken, given, dropped;
};

/* ---- bench_port.c ---- */

/** The mbufs of both ports. NULL with rte_errno. */
struct rte_mempool *bench_pool_create(void);
/** Create device @p kind with a socket in @p wd, and start it. Says on stderr what went wrong. */
int bench_port_open(struct bench_port *port, enum bench_kind kind, uint16_t pairs,
		struct rte_mempool *pool, const struct workdir *wd);
void bench_port_close(struct bench_port *port);
/** Wait until the guest's queues are the port's, or no longer are. */
int bench_port_wait_link(const struct bench_port *port, bool up);

/* ---- bench_sides.c ---- */

/**
 * Build the sides of a case that @p mask (1 << kind) names and connect their guests.
 * All guests negotiate exactly what the case wants; -ENOTSUP if a device does not offer it.
 */
int bench_sides_open(struct bench_side sides[BENCH_KINDS], const struct bench_case *c,
		unsigned int mask, struct rte_mempool *pool, const struct workdir *wd);
void bench_sides_close(struct bench_side sides[BENCH_KINDS]);

/* ---- bench_device.c ---- */

/** Frames prepared for transmission, outside of what is timed. */
struct bench_mbufs {
	struct rte_mbuf *m[BENCH_MAX_FILL];
	uint32_t nb, next;
};

/** Fill @p b up to @p want frames of the case. */
int bench_mbufs_prepare(struct bench_side *s, struct bench_mbufs *b, uint32_t want);
void bench_mbufs_drop(struct bench_mbufs *b);
/**
 * The device's part, alone in a function of its own so that profilers can be told its name:
 * process up to @p want frames of every queue pair in bursts, until they are through or a queue
 * pair has no more. Idle cases: @p want polls.
 * @return frames, of all pairs together
 */
uint32_t bench_device_part(struct bench_side *s, struct bench_mbufs *b, uint32_t want);
/** One burst for queue pair @p pair; frames that do not go out are dropped. */
uint32_t bench_device_burst(struct bench_side *s, struct bench_mbufs *b, uint16_t pair,
		uint32_t want);

/* ---- bench_roofline.c ---- */

int bench_roof_create(struct bench_side *s);
void bench_roof_free(struct bench_side *s);
/** As a burst of a port, of up to @p want frames; @return frames. */
uint32_t bench_roof_burst(struct bench_side *s, uint16_t pair, uint32_t want);

/* ---- bench_place.c ---- */

/**
 * Where the stack and the mbufs lie. A load waits for an older store whose address is the same in
 * its lower 12 bits, so that some places cost more than others. Each turn has another place,
 * the same for all sides: no figure is that of one lucky or unlucky place.
 */
struct bench_place {
	uint64_t seed;
	/** Bytes of stack to be left unused below the caller. */
	uint32_t stack;
	/** Mbufs kept out of the pool meanwhile. */
	struct rte_mbuf *held[127];
	uint32_t nb_held;
};

/** Choose a place for a turn. */
void bench_place_take(struct bench_place *p, struct rte_mempool *pool);
/** The turn is over. */
void bench_place_leave(struct bench_place *p);

/* ---- bench_run.c ---- */

/** Frames that went in and came out are as many on both sides; says so on stderr if not. */
int bench_side_check(struct bench_side *s);
/** Send the first frames, and wait until the device has done them. */
int bench_side_prime(struct bench_side *s);
/** One turn on one core: the guest fills, the device works, the guest takes back. */
int bench_round(struct bench_side *s, struct bench_mbufs *b, uint32_t want,
		struct bench_work *work);
/** A slice on one core, at least @p cycles of TSC long. */
int bench_slice(struct bench_side *s, uint64_t cycles, struct bench_work *work);
/** Go on until exactly @p frames went through @p s, on one core and without a clock. */
int bench_fixed(struct bench_side *s, uint64_t frames);

/* ---- bench_two_core.c ---- */

struct bench_helper;

/** A thread on another lcore that is the guest of one side at a time. NULL with rte_errno. */
struct bench_helper *bench_helper_start(int cpu);
void bench_helper_stop(struct bench_helper *h);
/** As bench_slice(), with the guest on the other core. */
int bench_slice_two_core(struct bench_helper *h, struct bench_side *s, uint64_t cycles,
		struct bench_work *work);

/* ---- bench_cpu.c ---- */

/** Choose CPUs for device and guest where the user did not; -1 in @p conf means that. */
int bench_cpus_choose(struct bench_conf *conf);
/** Keep this thread on @p cpu. */
int bench_cpu_pin(int cpu);
/** Model name of the CPU. */
void bench_cpu_name(char *buf, size_t size);

#endif /* BENCH_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "bench_console.h"
#include "clock.h"
#include "guest_ports.h"

#define CONNECT_MS 5000
/* Nothing moves for so long: the case fails. */
#define STALL_MS 10000
#define RING_SIZE 64
/* Buffers under way. */
#define DEPTH 32
#define BYTES_MAX (64u << 10)
/* Most bytes of one call of the peer. */
#define PEER_CHUNK (256u << 10)
#define SLICES 20
#define THREAD_NAME "vstate-console"

const struct bench_console_case *
bench_console_cases(unsigned int *nb)
{
	static const struct bench_console_case cases[] = {
		{ "split/to-host/4k", false, true, 4096 },
		{ "split/to-guest/4k", false, false, 4096 },
		{ "split/to-host/64k", false, true, BYTES_MAX },
		{ "split/to-guest/64k", false, false, BYTES_MAX },
		{ "packed/to-host/4k", true, true, 4096 },
		{ "packed/to-guest/4k", true, false, 4096 },
		{ "packed/to-host/64k", true, true, BYTES_MAX },
		{ "packed/to-guest/64k", true, false, BYTES_MAX },
	};

	*nb = RTE_DIM(cases);
	return cases;
}

struct console_bench {
	const struct bench_console_case *c;
	struct ports guest;
	uint8_t *chunk;
	/** The thread of the device. */
	int tid;
	/** Buffers that the device has, and the next one. */
	unsigned int under_way, next;
	/** Bytes that the sending side has sent, and bytes that the receiving side has got. */
	uint64_t sent, got;
};

/* ---- the thread of the device ---- */

static bool
thread_is_named(int tid, const char *name)
{
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fgets(comm, sizeof(comm), f) == NULL)
		comm[0] = '\0';
	fclose(f);
	return strncmp(comm, name, strlen(name)) == 0;
}

static int
thread_find(const char *name)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int tid = 0;

	if (dir == NULL)
		return -errno;
	while (tid == 0 && (entry = readdir(dir)) != NULL)
		if (thread_is_named(atoi(entry->d_name), name))
			tid = atoi(entry->d_name);
	closedir(dir);
	return tid != 0 ? tid : -ESRCH;
}

/* Nanoseconds for which the thread ran. @return 0 or -errno */
static int
thread_time(int tid, uint64_t *ns)
{
	char path[64];
	FILE *f;
	int ret;

	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	f = fopen(path, "r");
	if (f == NULL)
		return -errno;
	ret = fscanf(f, "%" SCNu64, ns) == 1 ? 0 : -EPROTO;
	fclose(f);
	return ret;
}

/* EAL binds this thread to one processor, where there may be no other for the device's. */
static int
threads_free(int tid)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	return sched_setaffinity(0, sizeof(all), &all) == 0 &&
		sched_setaffinity(tid, sizeof(all), &all) == 0 ? 0 : -errno;
}

/* ---- bytes ---- */

static uint16_t
queue_of(const struct console_bench *b)
{
	return b->c->to_host ? ports_tx(0) : ports_rx(0);
}

/* The driver takes what returned, and makes buffers available. @return 0 or -errno */
static int
driver_turn(struct console_bench *b, bool more)
{
	const uint16_t q = queue_of(b);
	struct guest_ring *r = &b->guest.rings[q];
	struct guest_seg seg = { 0, b->c->bytes, !b->c->to_host };
	uint32_t cookie, len;
	bool added = false;
	int ret;

	while ((ret = r->ops->take(r, &cookie, &len)) == 1) {
		b->under_way--;
		if (!b->c->to_host)
			b->got += len;
	}
	for (; ret == 0 && more && b->under_way < DEPTH; b->under_way++) {
		seg.gpa = b->guest.scratch_gpa + (uint64_t)b->next * b->c->bytes;
		ret = r->ops->add(r, &seg, 1, b->next, false);
		b->next = (b->next + 1) % DEPTH;
		if (b->c->to_host)
			b->sent += b->c->bytes;
		added = true;
	}
	return ret == 0 && added ? ports_publish(&b->guest, q) : ret;
}

static int
peer_turn(struct console_bench *b, bool more)
{
	const int fd = b->guest.peers[0];
	ssize_t n = 0;

	if (b->c->to_host)
		n = recv(fd, b->chunk, PEER_CHUNK, MSG_DONTWAIT);
	else if (more)
		n = send(fd, b->chunk, PEER_CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (b->c->to_host)
		b->got += n;
	else
		b->sent += n;
	return 0;
}

/*
 * Move bytes until @p end, and at least one; or, without @p more, until all of them have come.
 * @return 0 or -errno
 */
static int
bytes_move(struct console_bench *b, uint64_t end, bool more)
{
	const uint64_t first = b->got;
	uint64_t last = first, moved = clock_ns(), now;
	int ret = 0;

	for (now = moved; ret == 0 && (more ? now < end || b->got == first : b->got != b->sent);
			now = clock_ns()) {
		ret = driver_turn(b, more || !b->c->to_host);
		if (ret == 0)
			ret = peer_turn(b, more);
		if (b->got != last)
			moved = now;
		else if (ret == 0 && now > moved + STALL_MS * UINT64_C(1000000))
			ret = -ETIMEDOUT;
		else if (ret == 0)
			/* the thread of the device may wait for this processor */
			sched_yield();
		last = b->got;
	}
	return ret;
}

static int
double_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
slices_run(struct console_bench *b, double seconds, struct bench_console_result *res)
{
	const uint64_t slice_ns = seconds * 1e9 / SLICES;
	uint64_t ran = 0, ended = 0, first, got, start;
	double rates[SLICES];
	unsigned int i;
	int ret;

	/* the first slice warms up */
	ret = bytes_move(b, clock_ns() + slice_ns, true);
	first = b->got;
	if (ret == 0)
		ret = thread_time(b->tid, &ran);
	for (i = 0; i < SLICES && ret == 0; i++) {
		got = b->got;
		start = clock_ns();
		ret = bytes_move(b, start + slice_ns, true);
		rates[i] = (double)(b->got - got) / (clock_ns() - start);
	}
	if (ret == 0)
		ret = thread_time(b->tid, &ended);
	res->bytes = b->got - first;
	if (ret != 0)
		return ret;
	qsort(rates, SLICES, sizeof(rates[0]), double_compare);
	res->median = rates[SLICES / 2];
	res->max = rates[SLICES - 1];
	res->cycles = (ended - ran) * (rte_get_tsc_hz() / 1e9) / res->bytes;
	/* each byte arrives, and no more */
	ret = bytes_move(b, 0, false);
	return ret == -ETIMEDOUT ? -EIO : ret;
}

int
bench_console_run(const struct bench_console_case *c, const char *socket, const char *port,
		double seconds, struct bench_console_result *res)
{
	const struct ports_conf conf = { .nb_ports = 1, .ring_size = RING_SIZE,
		.packed = c->packed, .scratch = DEPTH * BYTES_MAX };
	struct console_bench b = { .c = c };
	int ret;

	ret = ports_create(&b.guest, &conf);
	b.chunk = calloc(1, PEER_CHUNK);
	b.tid = thread_find(THREAD_NAME);
	if (ret == 0)
		ret = b.chunk == NULL ? -ENOMEM : b.tid < 0 ? b.tid : threads_free(b.tid);
	if (ret == 0)
		ret = ports_connect(&b.guest, 0, socket, CONNECT_MS);
	if (ret == 0)
		ret = ports_prepare(&b.guest, 0);
	if (ret == 0)
		ret = ports_peer_open(&b.guest, 0, port, false, CONNECT_MS);
	if (ret == 0)
		ret = ports_run(&b.guest, 0);
	if (ret == 0)
		ret = slices_run(&b, seconds, res);
	if (ret < 0)
		fprintf(stderr, "dpdk-test-vdpa bench: console %s: %s (%" PRIu64 " of %" PRIu64
				" bytes)\n", c->name, strerror(-ret), b.got, b.sent);
	ports_destroy(&b.guest);
	free(b.chunk);
	return ret;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_service.h>

#include "backend.h"
#include "bench_disk.h"
#include "guest_disk.h"
#include "guest_disk_codec.h"

#define CONNECT_MS 2000
/* Rounds of one slice: a slice is one value. */
#define SLICE_ROUNDS 200
#define SLICES_MAX 4096
/* Turns of each device. */
#define TURNS 4
/* Polls of a device that is not started yet. */
#define START_POLLS 1000000u

const struct bench_disk_case *
bench_disk_cases(unsigned int *nb)
{
	static const struct bench_disk_case cases[] = {
		{ "split", false, false, true },
		{ "split/indirect", false, true, true },
		{ "packed", true, false, true },
		{ "packed/indirect", true, true, true },
		{ "split/no-region", false, false, false },
		{ "packed/no-region", true, false, false },
	};

	*nb = RTE_DIM(cases);
	return cases;
}

/** Cycles for a request, of each slice. */
struct values {
	double cycles[SLICES_MAX];
	unsigned int nb;
};

static int
double_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* One slice. @return cycles for a request; 0: the device moved nothing */
static double
slice_run(struct disk *d, uint32_t service, uint64_t *requests)
{
	uint64_t cycles = 0, start, n = 0;
	unsigned int i;

	for (i = 0; i < SLICE_ROUNDS; i++) {
		disk_fill(d);
		start = rte_rdtsc_precise();
		rte_service_run_iter_on_app_lcore(service, 0);
		cycles += rte_rdtsc_precise() - start;
		n += disk_drain(d);
	}
	*requests += n;
	return n > 0 ? (double)cycles / n : 0;
}

/* One turn: the values of its slices are added. */
static int
disk_measure(struct disk *d, uint32_t service, double seconds, struct values *v,
		uint64_t *requests)
{
	const uint64_t end = rte_rdtsc() + (uint64_t)(seconds * rte_get_tsc_hz());
	unsigned int i;

	/* the first request shows that the device runs */
	disk_fill(d);
	for (i = 0; i < START_POLLS && disk_drain(d) == 0; i++)
		rte_service_run_iter_on_app_lcore(service, 0);
	if (i == START_POLLS)
		return -ETIMEDOUT;
	while (v->nb < SLICES_MAX && rte_rdtsc() < end) {
		v->cycles[v->nb] = slice_run(d, service, requests);
		v->nb += v->cycles[v->nb] > 0;
	}
	return 0;
}

static int
turn_run(const struct bench_disk_case *c, const struct bench_disk_device *dev, uint16_t depth,
		double seconds, struct values *v, uint64_t *requests)
{
	struct disk_conf conf = { .codec = dev->codec, .queues = 1, .seed = 1,
		.packed = c->packed, .indirect = c->indirect, .region = c->region,
		.reads_only = true };
	struct disk *d;
	uint32_t service = 0;
	int ret;

	disk_conf_size(&conf, depth);
	d = disk_create(&conf);
	ret = d != NULL ? 0 : -rte_errno;
	if (ret == 0)
		ret = rte_service_get_by_name(dev->be->dev.name, &service);
	if (ret == 0)
		ret = disk_connect(d, 0, dev->be->dev.socket, CONNECT_MS);
	if (ret == 0)
		ret = disk_prepare(d, 0);
	if (ret == 0)
		ret = disk_run(d, 0);
	if (ret == 0)
		ret = disk_measure(d, service, seconds, v, requests);
	if (ret < 0)
		fprintf(stderr, "dpdk-test-vdpa bench: %s %s: %s%s%s\n", dev->codec->name, c->name,
				strerror(-ret), d != NULL && disk_error(d) != NULL ? ": " : "",
				d != NULL && disk_error(d) != NULL ? disk_error(d) : "");
	disk_destroy(d);
	return ret;
}

int
bench_disk_run(const struct bench_disk_case *c, const struct bench_disk_device *devices,
		unsigned int nb_devices, uint16_t depth, double seconds,
		struct bench_disk_result *res)
{
	struct values *v = calloc(nb_devices, sizeof(*v));
	unsigned int turn, i;
	int ret = v != NULL ? 0 : -ENOMEM;

	memset(res, 0, nb_devices * sizeof(*res));
	for (turn = 0; turn < TURNS && ret == 0; turn++) {
		for (i = 0; i < nb_devices && ret == 0; i++)
			ret = turn_run(c, &devices[i], depth, seconds / TURNS, &v[i],
					&res[i].requests);
	}
	for (i = 0; i < nb_devices && ret == 0; i++) {
		if (v[i].nb == 0) {
			ret = -ETIMEDOUT;
			break;
		}
		qsort(v[i].cycles, v[i].nb, sizeof(v[i].cycles[0]), double_compare);
		res[i].min = v[i].cycles[0];
		res[i].median = v[i].cycles[v[i].nb / 2];
	}
	free(v);
	return ret;
}

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
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

static int
disk_measure(struct disk *d, uint32_t service, double seconds, struct bench_disk_result *res)
{
	const uint64_t end = rte_rdtsc() + (uint64_t)(seconds * rte_get_tsc_hz());
	double *values = calloc(SLICES_MAX, sizeof(*values));
	unsigned int nb = 0, i;

	if (values == NULL)
		return -ENOMEM;
	/* the first request shows that the device runs */
	disk_fill(d);
	for (i = 0; i < START_POLLS && disk_drain(d) == 0; i++)
		rte_service_run_iter_on_app_lcore(service, 0);
	while (i < START_POLLS && nb < SLICES_MAX && rte_rdtsc() < end) {
		values[nb] = slice_run(d, service, &res->requests);
		nb += values[nb] > 0;
	}
	if (nb > 0) {
		qsort(values, nb, sizeof(*values), double_compare);
		res->min = values[0];
		res->median = values[nb / 2];
	}
	free(values);
	return nb > 0 ? 0 : -ETIMEDOUT;
}

int
bench_disk_run(const struct bench_disk_case *c, const struct backend *be, uint16_t depth,
		double seconds, struct bench_disk_result *res)
{
	const struct disk_conf conf = {
		.codec = &disk_codec_blk, .queues = 1, .depth = depth, .blocks = RTE_MAX(2u * depth, 256u), .seed = 1,
		.packed = c->packed, .indirect = c->indirect, .region = c->region,
		.ring_size = rte_align32pow2(depth * (c->indirect ? 1 : 6)),
		.reads_only = true,
	};
	struct disk *d = disk_create(&conf);
	uint32_t service = 0;
	int ret = d != NULL ? 0 : -rte_errno;

	memset(res, 0, sizeof(*res));
	if (ret == 0)
		ret = rte_service_get_by_name(be->dev.name, &service);
	if (ret == 0)
		ret = disk_connect(d, 0, be->dev.socket, CONNECT_MS);
	if (ret == 0)
		ret = disk_prepare(d, 0);
	if (ret == 0)
		ret = disk_run(d, 0);
	if (ret == 0)
		ret = disk_measure(d, service, seconds, res);
	if (ret < 0)
		fprintf(stderr, "dpdk-test-vdpa bench: %s: %s%s%s\n", c->name, strerror(-ret),
				d != NULL && disk_error(d) != NULL ? ": " : "",
				d != NULL && disk_error(d) != NULL ? disk_error(d) : "");
	disk_destroy(d);
	return ret;
}

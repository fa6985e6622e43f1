/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_cpu.h"
#include "bench_socket.h"
#include "bench_socket_report.h"
#include "cmd_bench_socket.h"
#include "stop.h"

#define MAX_RESULTS 128

int
cmd_bench_sockets(const struct bench_sockets *socks, struct bench_conf *conf, const char *cases,
		FILE *json)
{
	static struct bench_socket_result results[MAX_RESULTS];
	FILE *table = json == stdout ? stderr : stdout;
	const struct bench_case *c;
	unsigned int i, nb = 0;
	int ret, err, failed = 0;

	ret = bench_cpus_choose(conf);
	if (ret == 0)
		ret = bench_cpu_pin(conf->guest_cpu);
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa bench: %s\n", strerror(-ret));
		return ret;
	}
	bench_socket_head(conf, table);
	for (i = 0; (c = bench_case_get(i)) != NULL && !stop_requested(); i++) {
		/* The duration of an empty poll is not visible from outside. */
		if (c->op == BENCH_IDLE || !bench_case_match(cases, c->name) || nb == MAX_RESULTS)
			continue;
		ret = bench_socket_case(socks, conf, c, &results[nb]);
		failed = ret < 0 ? ret : failed;
		bench_socket_rows(socks, &results[nb++], table);
		fflush(table);
	}
	if (nb == 0 && !stop_requested()) {
		fprintf(stderr, "dpdk-test-vdpa bench: no case with frames matches %s; see "
			"--list\n", cases);
		return -ENOENT;
	}
	err = json != NULL ? bench_socket_json(socks, conf, results, nb, json) : 0;
	return failed < 0 ? failed : err;
}

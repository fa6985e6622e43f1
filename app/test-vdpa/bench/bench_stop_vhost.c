/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_mempool.h>

#include "bench.h"
#include "bench_cpu.h"
#include "bench_port.h"
#include "bench_report.h"
#include "bench_stop.h"
#include "bench_stop_vhost.h"
#include "eal.h"
#include "stop.h"
#include "workdir.h"

/* Give up after this many crashes: then the cause is not the known race. */
#define DEATHS_MAX 50

/* Measure from size @p first on, and write each result at once. */
static int
child_measure(const struct bench_conf *conf, uint64_t repeat, const struct eal_need *need,
		const struct workdir *wd, unsigned int first, int fd)
{
	struct bench_stop_result result;
	struct rte_mempool *pool;
	unsigned int size, nb;
	int ret;

	if (eal_start(need) < 0)
		return -EIO;
	ret = bench_cpu_pin(conf->guest_cpu);
	pool = ret == 0 ? bench_pool_create() : NULL;
	if (ret == 0 && pool == NULL)
		ret = -rte_errno;
	for (size = first; size < BENCH_STOP_SIZES && ret == 0 && !stop_requested(); size++) {
		nb = 0;
		ret = bench_stop(conf, 1u << BENCH_VHOST, size, repeat, pool, wd, &result, &nb);
		if (ret == 0 && nb == 1 && write(fd, &result, sizeof(result)) != sizeof(result))
			ret = -errno;
	}
	rte_mempool_free(pool);
	eal_stop();
	return ret;
}

static void
child_main(const struct bench_conf *conf, uint64_t repeat, const struct eal_need *need,
		const struct workdir *wd, unsigned int first, int fd)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	_exit(child_measure(conf, repeat, need, wd, first, fd) == 0 ? 0 : 1);
}

/* Run one child process. @return its status from waitpid(), or -errno */
static int
child_run(const struct bench_conf *conf, uint64_t repeat, const struct eal_need *need,
		struct bench_stop_result *results, unsigned int *nb)
{
	struct workdir wd;
	int fds[2], status, ret;
	pid_t pid;

	ret = workdir_create(&wd);
	if (ret < 0)
		return ret;
	if (pipe(fds) < 0) {
		workdir_remove(&wd);
		return -errno;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		child_main(conf, repeat, need, &wd, *nb, fds[1]);
	}
	status = -errno;
	close(fds[1]);
	/* the child is a fork: pointers in its results are valid here */
	while (pid > 0 && *nb < BENCH_STOP_SIZES &&
			read(fds[0], &results[*nb], sizeof(results[0])) == sizeof(results[0]))
		(*nb)++;
	close(fds[0]);
	if (pid > 0 && waitpid(pid, &status, 0) < 0)
		status = -errno;
	workdir_remove(&wd);
	return status;
}

int
bench_stop_vhost(const struct bench_conf *conf, uint64_t repeat, const struct eal_need *need,
		struct bench_stop_result *results, unsigned int *deaths)
{
	unsigned int nb = 0;
	int status;

	*deaths = 0;
	while (nb < BENCH_STOP_SIZES) {
		status = child_run(conf, repeat, need, results, &nb);
		if (status < 0)
			return status;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && ++*deaths < DEATHS_MAX)
			continue;
		if (nb < BENCH_STOP_SIZES)
			return -EIO;
	}
	return 0;
}

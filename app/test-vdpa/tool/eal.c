/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_memory.h>
#include <rte_service.h>
#include <rte_service_component.h>

#include "eal.h"
#include "eal_args.h"
#include "eal_host.h"
#include "plugin.h"
#include "strvec.h"
#include "vstate_compat.h"

/* Long enough for another thread to get the CPU; short compared to the set-up of a connection. */
#define NAP_US 50
/* More services than any release of DPDK registers. */
#define SERVICES 64

static struct strvec user_args;
static struct strvec eal_words;	/* EAL keeps pointers to these strings */
static char **eal_argv;
static bool own_prefix;
static char runtime_dir[256];
static bool idle;
static uint32_t give_way_service;
static bool give_way_registered;

int
eal_user_args_take(int argc, char **argv, struct strvec *cmd)
{
	return eal_args_split(argc, argv, &user_args, cmd);
}

const struct strvec *
eal_user_args(void)
{
	return &user_args;
}

void
eal_user_args_free(void)
{
	strvec_free(&user_args);
}

void
eal_idle_set(bool on)
{
	/* Relaxed: the service polls this flag, and no other data depends on it. */
	rte_atomic_store_explicit(&idle, on, rte_memory_order_relaxed);
}

/*
 * A service in addition to those of the devices. The guest, a second process and control threads
 * need CPUs as well, and the machine may have only two. A service lcore that only spins would make
 * them wait for milliseconds, one time slice, in every step of a move.
 */
static int32_t
give_way(void *arg __rte_unused)
{
	static __thread bool exact;

	if (!rte_atomic_load_explicit(&idle, rte_memory_order_relaxed)) {
		sched_yield();
		return 0;
	}
	if (!exact) {
		prctl(PR_SET_TIMERSLACK, 1);
		exact = true;
	}
	usleep(NAP_US);
	return 0;
}

/* The directory is named after this process: nobody uses it after the end. */
static void
runtime_dir_remove(void)
{
	if (own_prefix && runtime_dir[0] != '\0')
		rmdir(runtime_dir);
}

static void
words_free(void)
{
	free(eal_argv);
	eal_argv = NULL;
	strvec_free(&eal_words);
}

/*
 * EAL answers a wrong option with its usage of ninety lines on standard output, which may be a
 * report. What it has to say is in its log, on standard error.
 */
static int
eal_init_quietly(int argc, char **argv)
{
	int saved, null, ret;

	if (eal_args_has(&user_args, "-h") || eal_args_has(&user_args, "--help"))
		return rte_eal_init(argc, argv);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (saved >= 0 && null >= 0)
		dup2(null, STDOUT_FILENO);
	ret = rte_eal_init(argc, argv);
	fflush(stdout);
	if (saved >= 0 && null >= 0)
		dup2(saved, STDOUT_FILENO);
	if (saved >= 0)
		close(saved);
	if (null >= 0)
		close(null);
	return ret;
}

static int
eal_init_run(const struct eal_need *need)
{
	struct eal_args_host host = {
		.huge_free_mb = eal_host_huge_free_mb(),
		.memory_mb = need->memory_mb,
		.pid = getpid(),
		.verbose = need->verbose,
		.no_services = need->no_services,
	};
	char cpus[512];
	int ret;

	ret = eal_host_cpus(cpus, sizeof(cpus));
	if (ret < 0)
		return ret;
	host.cpus = cpus;
	ret = eal_args_build(&user_args, &host, &eal_words);
	if (ret < 0)
		return ret;
	own_prefix = !eal_args_has(&user_args, "--file-prefix");
	/* EAL reorders the vector, so it gets a copy. */
	eal_argv = malloc((eal_words.nb + 1) * sizeof(*eal_argv));
	if (eal_argv == NULL)
		return -ENOMEM;
	memcpy(eal_argv, eal_words.v, (eal_words.nb + 1) * sizeof(*eal_argv));
	if (eal_init_quietly(eal_words.nb, eal_argv) < 0)
		return rte_errno != 0 ? -rte_errno : -EINVAL;
	return 0;
}

/* Add a service lcore for devices that nobody polls, if the EAL options name none. */
static int
service_lcore_add(void)
{
	unsigned int lcore;
	uint32_t id;
	int ret;

	lcore = rte_get_next_lcore(-1, 1, 0);
	/* The EAL options leave only the main lcore. */
	if (lcore >= RTE_MAX_LCORE)
		return -ENOENT;
	ret = rte_service_lcore_add(lcore);
	if (ret < 0)
		return ret;
	/* Services that started before this lcore existed are mapped to none. */
	for (id = 0; id < SERVICES; id++)
		if (rte_service_get_name(id) != NULL &&
				rte_service_map_lcore_set(id, lcore, 1) == 0)
			rte_service_runstate_set(id, 1);
	return rte_service_lcore_start(lcore);
}

static int
give_way_register(void)
{
	static const struct rte_service_spec spec = {
		.name = "test_vdpa_give_way",
		.callback = give_way,
		.socket_id = SOCKET_ID_ANY,
	};
	uint32_t lcores[RTE_MAX_LCORE];
	int i, nb, ret;

	ret = rte_service_component_register(&spec, &give_way_service);
	if (ret < 0)
		return ret;
	give_way_registered = true;
	nb = rte_service_lcore_list(lcores, RTE_DIM(lcores));
	for (i = 0; i < nb; i++)
		rte_service_map_lcore_set(give_way_service, lcores[i], 1);
	rte_service_component_runstate_set(give_way_service, 1);
	rte_service_runstate_set(give_way_service, 1);
	return 0;
}

int
eal_start(const struct eal_need *need)
{
	int ret;

	ret = plugin_load(need->plugin);
	if (ret == -ELIBBAD || (ret < 0 && need->plugin))
		return ret;
	/*
	 * Registered before EAL's handlers, so called after them: telemetry has removed its socket.
	 */
	atexit(runtime_dir_remove);
	ret = eal_init_run(need);
	snprintf(runtime_dir, sizeof(runtime_dir), "%s", rte_eal_get_runtime_dir());
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa: EAL cannot start: %s\n", strerror(-ret));
		words_free();
		return ret;
	}
	if (need->no_services)
		return 0;
	if (rte_service_lcore_count() == 0)
		ret = service_lcore_add();
	if (ret == 0)
		ret = give_way_register();
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa: cannot start a service lcore: %s\n",
			ret == -ENOENT ? "the EAL options leave only the main lcore; add one" :
			strerror(-ret));
		eal_stop();
	}
	return ret;
}

static void
service_lcores_stop(void)
{
	uint32_t lcores[RTE_MAX_LCORE];
	int i, nb;

	if (give_way_registered)
		rte_service_runstate_set(give_way_service, 0);
	nb = rte_service_lcore_list(lcores, RTE_DIM(lcores));
	for (i = 0; i < nb; i++)
		if (rte_service_lcore_stop(lcores[i]) == 0)
			rte_eal_wait_lcore(lcores[i]);
	if (give_way_registered)
		rte_service_component_unregister(give_way_service);
	give_way_registered = false;
}

void
eal_stop(void)
{
	service_lcores_stop();
	rte_eal_cleanup();
	words_free();
}

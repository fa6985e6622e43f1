/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>

#include "eal_args.h"
#include "strvec.h"

static bool
option_is(const char *word, const char *opt)
{
	size_t len = strlen(opt);

	if (strncmp(word, opt, len) != 0)
		return false;
	/* The value follows a short option directly, and a long option after '='. */
	return word[len] == '\0' || (opt[1] == '-' ? word[len] == '=' : true);
}

bool
eal_args_has(const struct strvec *user, const char *opt)
{
	int i;

	for (i = 0; i < user->nb; i++)
		if (option_is(user->v[i], opt))
			return true;
	return false;
}

static bool
eal_args_has_any(const struct strvec *user, const char *const opts[])
{
	unsigned int i;

	for (i = 0; opts[i] != NULL; i++)
		if (eal_args_has(user, opts[i]))
			return true;
	return false;
}

/* Move "--eal X" and "--eal=X" from argv to @p eal, and all other words to @p rest. */
static int
eal_option_take(int argc, char **argv, struct strvec *eal, struct strvec *rest)
{
	int i, ret;

	for (i = 1; i < argc; i++) {
		if (!option_is(argv[i], "--eal")) {
			strvec_push(rest, argv[i]);
			continue;
		}
		if (argv[i][strlen("--eal")] == '=')
			ret = strvec_split(eal, argv[i] + strlen("--eal="));
		else if (++i < argc)
			ret = strvec_split(eal, argv[i]);
		else
			ret = -EINVAL;
		if (ret < 0)
			return ret;
	}
	return rest->failed ? -ENOMEM : 0;
}

/* "COMMAND EAL... -- ..." or "EAL... -- COMMAND ...": the first word decides. */
static void
dashes_split(const struct strvec *rest, struct strvec *eal, struct strvec *cmd)
{
	int i, dashes = -1;

	for (i = 0; i < rest->nb && dashes < 0; i++)
		if (strcmp(rest->v[i], "--") == 0)
			dashes = i;
	for (i = 0; i < rest->nb; i++) {
		if (i == dashes)
			continue;
		if (i < dashes && (i > 0 || rest->v[0][0] == '-'))
			strvec_push(eal, rest->v[i]);
		else
			strvec_push(cmd, rest->v[i]);
	}
}

int
eal_args_split(int argc, char **argv, struct strvec *eal, struct strvec *cmd)
{
	struct strvec rest = STRVEC_INIT;
	int ret;

	ret = eal_option_take(argc, argv, eal, &rest);
	if (ret == 0)
		dashes_split(&rest, eal, cmd);
	strvec_free(&rest);
	if (ret == 0 && (eal->failed || cmd->failed))
		ret = -ENOMEM;
	return ret;
}

/* No device on a bus is probed, unless the user names one. */
static void
pci_default(const struct strvec *user, struct strvec *out)
{
	static const char *const opts[] = { "--no-pci", "-a", "--allow", "-b", "--block", NULL };

	if (!eal_args_has_any(user, opts))
		strvec_push(out, "--no-pci");
}

static void
memory_default(const struct strvec *user, const struct eal_args_host *host, struct strvec *out)
{
	static const char *const opts[] = { "--no-huge", "--in-memory", "--huge-dir",
		"--huge-unlink", "--socket-mem", "--socket-limit", "--legacy-mem",
		"--single-file-segments", "--no-shconf", NULL };

	if (eal_args_has_any(user, opts))
		return;
	if (host->huge_free_mb >= host->memory_mb) {
		strvec_push(out, "--in-memory");
		return;
	}
	/*
	 * Without hugepages EAL has no in-memory mode, but it can keep its configuration private.
	 */
	strvec_push(out, "--no-huge");
	strvec_push(out, "--no-shconf");
	if (!eal_args_has(user, "-m"))
		strvec_pushf(out, "-m%u", host->memory_mb);
}

/*
 * Two lcores, each on all CPUs. The kernel places them, so a second process or a machine with one
 * CPU works as well. lcore 1 runs services.
 */
static void
lcores_default(const struct strvec *user, const struct eal_args_host *host, struct strvec *out)
{
	static const char *const cores[] = { "-l", "-c", "--lcores", NULL };
	static const char *const services[] = { "-s", "-S", NULL };

	if (eal_args_has_any(user, cores))
		return;
	strvec_pushf(out, "--lcores=0@(%s),1@(%s)", host->cpus, host->cpus);
	if (!host->no_services && !eal_args_has_any(user, services))
		strvec_push(out, "-S1");
}

static void
log_default(const struct eal_args_host *host, struct strvec *out)
{
	if (host->verbose)
		return;
	/* At its default level vhost logs about forty lines for each connection. */
	strvec_push(out, "--log-level=lib.eal:error");
	strvec_push(out, "--log-level=lib.vhost*:error");
	strvec_push(out, "--log-level=pmd.*:warning");
	strvec_push(out, "--log-level=lib.telemetry:error");
}

int
eal_args_build(const struct strvec *user, const struct eal_args_host *host, struct strvec *out)
{
	strvec_push(out, "dpdk-test-vdpa");
	pci_default(user, out);
	memory_default(user, host, out);
	lcores_default(user, host, out);
	if (!eal_args_has(user, "--file-prefix"))
		strvec_pushf(out, "--file-prefix=test-vdpa-%d", (int)host->pid);
	log_default(host, out);
	strvec_append(out, user);
	return out->failed ? -ENOMEM : 0;
}

int
eal_args_for_child(const struct strvec *user, struct strvec *out)
{
	static const char *const owned[] = { "--vdev", "--file-prefix", "-a", "--allow" };
	unsigned int o;
	int i;

	for (i = 0; i < user->nb; i++) {
		for (o = 0; o < RTE_DIM(owned); o++)
			if (option_is(user->v[i], owned[o]))
				break;
		if (o == RTE_DIM(owned))
			strvec_push(out, user->v[i]);
		else if (strcmp(user->v[i], owned[o]) == 0)
			i++;	/* the next word is its value */
	}
	return out->failed ? -ENOMEM : 0;
}

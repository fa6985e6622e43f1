/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef EAL_ARGS_H
#define EAL_ARGS_H

/**
 * @file
 * Which words of a command line are EAL's, and which defaults EAL gets where the
 * user gave none. Pure functions: nothing here asks the machine.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "strvec.h"

/** What the defaults depend on. */
struct eal_args_host {
	/** CPUs that the process may use, as a list ("0-1,4"). */
	const char *cpus;
	/** Memory in free hugepages. */
	unsigned int huge_free_mb;
	/** Memory that the command needs. */
	unsigned int memory_mb;
	/** Names the files of this process. */
	pid_t pid;
	/** Leave EAL's and vhost's own log levels alone. */
	bool verbose;
	/** Leave lcore 1 to the command. */
	bool no_services;
};

/**
 * Part @p argv (without the tool's name at argv[0]) into EAL's words and the command's:
 * "--eal X" anywhere, and what stands before "--", go to @p eal.
 * @return 0, -EINVAL (--eal without a value or with an open quote), -ENOMEM
 */
int eal_args_split(int argc, char **argv, struct strvec *eal, struct strvec *cmd);

/** Put the words for rte_eal_init() together: name, defaults, then the user's. */
int eal_args_build(const struct strvec *user, const struct eal_args_host *host,
		struct strvec *out);

/** True if the user gave option @p opt ("-l" or "--lcores"), in any spelling. */
bool eal_args_has(const struct strvec *user, const char *opt);

/**
 * The user's words that a second process on the same machine can have as well:
 * without devices and file prefix, which only one process may own.
 */
int eal_args_for_child(const struct strvec *user, struct strvec *out);

#endif /* EAL_ARGS_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef EAL_ARGS_H
#define EAL_ARGS_H

/**
 * @file
 * Which words of a command line belong to EAL, and the defaults of EAL options that the user did
 * not give. Pure functions: they do not read the state of the machine.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "strvec.h"

/** Input of the defaults. */
struct eal_args_host {
	/** CPUs that the process may use, as a list ("0-1,4"). */
	const char *cpus;
	/** Memory in free hugepages, MB. */
	unsigned int huge_free_mb;
	/** Memory that the command needs, MB. */
	unsigned int memory_mb;
	/** Used in the file prefix of this process. */
	pid_t pid;
	/** Do not change the log levels of EAL and vhost. */
	bool verbose;
	/** lcore 1 is for the command, not for services. */
	bool no_services;
};

/**
 * Split @p argv (without the tool's name at argv[0]) into the words of EAL and of the command.
 * "--eal X" anywhere, and the words before "--", go to @p eal.
 * @return 0, -EINVAL (--eal without a value or with an open quote), -ENOMEM
 */
int eal_args_split(int argc, char **argv, struct strvec *eal, struct strvec *cmd);

/**
 * Build the words for rte_eal_init(): name, defaults, then the user's options.
 * @return 0 or -ENOMEM
 */
int eal_args_build(const struct strvec *user, const struct eal_args_host *host,
		struct strvec *out);

/** True if the user gave option @p opt ("-l" or "--lcores"), in any spelling. */
bool eal_args_has(const struct strvec *user, const char *opt);

/**
 * Copy the user's options for a second process on the same machine. Devices and file prefix are
 * left out, because only one process may own them.
 * @return 0 or -ENOMEM
 */
int eal_args_for_child(const struct strvec *user, struct strvec *out);

#endif /* EAL_ARGS_H */

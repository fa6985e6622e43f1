/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef EAL_H
#define EAL_H

/**
 * @file
 * EAL with defaults that need no option, and the driver plugin.
 */

#include <stdbool.h>

#include "strvec.h"

/** What a command needs of EAL. */
struct eal_need {
	/** Memory in MB. */
	unsigned int memory_mb;
	/** Leave log levels alone. */
	bool verbose;
	/** Fail where the driver plugin is not found. */
	bool plugin;
	/** Start no service lcore: the second lcore is for the command's own use. */
	bool no_services;
};

/** Take the user's EAL options from the command line; the command's words go to @p cmd. */
int eal_user_args_take(int argc, char **argv, struct strvec *cmd);
/** The options taken. */
const struct strvec *eal_user_args(void);
void eal_user_args_free(void);

/**
 * Load the plugin, start EAL, and see to it that a service lcore runs.
 * Says on stderr what went wrong.
 */
int eal_start(const struct eal_need *need);
/** Stop the service lcores, clean EAL up and remove what its defaults made. */
void eal_stop(void);

/**
 * Let the service lcore nap between its rounds while no device here has work, so
 * that another process has the CPU. True from eal_start() on where it was asked for.
 */
void eal_idle_set(bool idle);

#endif /* EAL_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef EAL_H
#define EAL_H

/**
 * @file
 * EAL with defaults, so that no option is needed, and the driver plugin.
 */

#include <stdbool.h>

#include "strvec.h"

/** What a command needs from EAL. */
struct eal_need {
	/** Memory in MB. */
	unsigned int memory_mb;
	/** Do not change log levels. */
	bool verbose;
	/** Fail if the driver plugin is not found. */
	bool plugin;
	/** Start no service lcore: the command uses the second lcore itself. */
	bool no_services;
};

/** Split the command line: store the user's EAL options; the other words go to @p cmd. */
int eal_user_args_take(int argc, char **argv, struct strvec *cmd);
/** The user's EAL options. */
const struct strvec *eal_user_args(void);
void eal_user_args_free(void);

/**
 * Load the plugin, start EAL and a service lcore. Errors are reported on stderr.
 * @return 0 or -errno
 */
int eal_start(const struct eal_need *need);
/** Stop the service lcores, clean EAL up and remove the files that its defaults created. */
void eal_stop(void);

/**
 * Let the service lcore sleep between its rounds while no device of this process has work, so that
 * another process gets the CPU. The setting is kept if it is made before eal_start().
 */
void eal_idle_set(bool idle);

#endif /* EAL_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_H
#define CMD_H

/**
 * @file
 * The subcommands. Each gets its own name as argv[0], parses its options and
 * returns the exit status of the tool.
 */

/** What the command was asked for held. */
#define CMD_OK 0
/** It did not hold, or could not be done. */
#define CMD_FAILED 1
/** The command line was not understood. */
#define CMD_USAGE 2

struct cmd {
	const char *name;
	/** One line for the tool's help; NULL hides the command. */
	const char *help;
	int (*run)(int argc, char **argv);
};

struct eal_need;
struct workdir;

/**
 * Do @p job with @p opt between the start and the end of EAL, in a directory of its own.
 * @return what the job returns; CMD_FAILED, told on stderr, if there is no EAL or directory
 */
int cmd_in_eal(const struct eal_need *need, int (*job)(void *opt, const struct workdir *wd),
		void *opt);

#endif /* CMD_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_H
#define CMD_H

/**
 * @file
 * What the subcommands have in common. Each subcommand gets its own name as argv[0], parses its
 * options and returns the exit status of the tool.
 */

#include <stdbool.h>

/** Success: the tested property holds. */
#define CMD_OK 0
/** The tested property does not hold, or the command could not run. */
#define CMD_FAILED 1
/** Wrong usage of the command line. */
#define CMD_USAGE 2

struct cmd {
	const char *name;
	/** One line in the tool's help; NULL: the command is not listed. */
	const char *help;
	int (*run)(int argc, char **argv);
	/** It runs until a signal, which is therefore no failure. */
	bool until_signal;
};

struct eal_need;
struct workdir;

/** True if the words of a subcommand ask for a disk: --class blk or --class scsi. */
bool cmd_class_is_disk(int argc, char **argv);
/** True if they ask for a console: --class console. */
bool cmd_class_is_console(int argc, char **argv);

/**
 * Start EAL, run @p job with @p opt and a private directory, then stop EAL.
 * @return the result of the job; CMD_FAILED, reported on stderr, without EAL or directory
 */
int cmd_in_eal(const struct eal_need *need, int (*job)(void *opt, const struct workdir *wd),
		void *opt);

#endif /* CMD_H */

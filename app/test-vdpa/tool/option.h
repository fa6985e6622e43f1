/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef OPTION_H
#define OPTION_H

/**
 * @file
 * Values of options that several subcommands have. A wrong value is reported on stderr. All
 * functions return 0 or -EINVAL.
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Frame lengths without FCS that the guest can send. */
#define OPTION_FRAME_MIN 60
#define OPTION_FRAME_MAX 65550

/** Report that subcommand @p cmd expects @p want instead of @p word. @return -EINVAL */
int option_refuse(const char *cmd, const char *opt, const char *word, const char *want);
/** A number from @p min to @p max. */
int option_number(const char *cmd, const char *opt, const char *word, uint64_t min, uint64_t max,
		uint64_t *value);
/** A time above 0, in seconds with fractions. */
int option_seconds(const char *cmd, const char *opt, const char *word, double *seconds);
/** One of two words; @p value is true for @p yes. */
int option_choice(const char *cmd, const char *opt, const char *word, const char *no,
		const char *yes, bool *value);
/** Frame lengths as LEN or LEN-LEN. */
int option_frames(const char *cmd, const char *opt, const char *word, uint32_t *min,
		uint32_t *max);

/**
 * Pass each option of a command line to @p take. Other arguments are refused. With the option 'h'
 * @p usage prints the help to stdout.
 * @param take  returns 0, or -EINVAL after a message
 * @param arg   for @p take
 * @return also 1: the help was printed
 */
int option_walk(const char *cmd, int argc, char **argv, const struct option *options,
		int (*take)(void *arg, int opt, const char *word), void *arg,
		void (*usage)(FILE *f));

#endif /* OPTION_H */

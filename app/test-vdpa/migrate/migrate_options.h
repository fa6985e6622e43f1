/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_OPTIONS_H
#define MIGRATE_OPTIONS_H

struct migrate_options;

/**
 * Parse the command line.
 * @return 0; 1 if the help was printed; -EINVAL, reported on stderr
 */
int migrate_options_parse(struct migrate_options *opt, int argc, char **argv);

#endif /* MIGRATE_OPTIONS_H */

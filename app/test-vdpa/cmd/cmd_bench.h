/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_BENCH_H
#define CMD_BENCH_H

/** The subcommand bench. @return exit status of the tool */
int cmd_bench(int argc, char **argv);

#endif /* CMD_BENCH_H */

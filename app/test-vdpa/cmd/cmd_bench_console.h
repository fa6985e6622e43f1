/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_BENCH_CONSOLE_H
#define CMD_BENCH_CONSOLE_H

/** bench --class console. @return exit status */
int cmd_bench_console(int argc, char **argv);

#endif /* CMD_BENCH_CONSOLE_H */

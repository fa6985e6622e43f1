/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_BENCH_DISK_H
#define CMD_BENCH_DISK_H

/** bench --class blk. */
int cmd_bench_disk(int argc, char **argv);

#endif /* CMD_BENCH_DISK_H */

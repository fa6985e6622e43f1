/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_BENCH_SOCKET_H
#define CMD_BENCH_SOCKET_H

#include <stdio.h>

/**
 * The bench subcommand with back ends of other processes. EAL must run.
 * @param cases shell patterns, separated by commas
 * @param json file of the report; NULL: no report
 * @return 0 or -errno, reported on stderr
 */
int cmd_bench_sockets(const struct bench_sockets *socks, struct bench_conf *conf,
		const char *cases, FILE *json);

#endif /* CMD_BENCH_SOCKET_H */

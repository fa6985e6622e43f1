/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_BENCH_SOCKET_H
#define CMD_BENCH_SOCKET_H

/**
 * The bench subcommand with back ends of other processes. EAL has been started.
 * @param cases shell patterns with commas between
 * @param json where the report goes, "-" for standard output; NULL: none
 * @return 0 or -errno, told on stderr
 */
int cmd_bench_sockets(const struct bench_sockets *socks, struct bench_conf *conf,
		const char *cases, const char *json);

#endif /* CMD_BENCH_SOCKET_H */

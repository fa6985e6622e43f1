/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_SOCKET_REPORT_H
#define BENCH_SOCKET_REPORT_H

#include <stdio.h>

struct bench_conf;
struct bench_socket_result;
struct bench_sockets;

void bench_socket_head(const struct bench_conf *conf, FILE *f);
void bench_socket_rows(const struct bench_sockets *socks, const struct bench_socket_result *r,
		FILE *f);
/** @return 0 or -errno, reported on stderr */
int bench_socket_json(const struct bench_sockets *socks, const struct bench_conf *conf,
		const struct bench_socket_result *results, unsigned int nb, FILE *f);

#endif /* BENCH_SOCKET_REPORT_H */

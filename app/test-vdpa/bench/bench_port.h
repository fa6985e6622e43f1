/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BENCH_PORT_H
#define BENCH_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

struct workdir;

extern const char *const bench_kind_names[BENCH_KINDS];

/** Create the mbuf pool of both ports. @return NULL with rte_errno */
struct rte_mempool *bench_pool_create(void);
/** Create device @p kind with a socket in @p wd, and start it. Errors are reported on stderr. */
int bench_port_open(struct bench_port *port, enum bench_kind kind, uint16_t pairs,
		struct rte_mempool *pool, const struct workdir *wd);
void bench_port_close(struct bench_port *port);
/** Wait until the port's link is up or down. @return 0, -ETIMEDOUT */
int bench_port_wait_link(const struct bench_port *port, bool up);

#endif /* BENCH_PORT_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_CONNECT_H
#define HOSTILE_CONNECT_H

/**
 * @file
 * Many connections, one after the other, each of which ends in the same way. The back end must use
 * no more afterwards than before.
 */

#include <stdint.h>
#include <sys/types.h>

struct hostile_case;
struct hostile_conf;
struct hostile_witness;

/** Write at most @p room cases. @return how many */
uint32_t hostile_connect_cases(struct hostile_case *c, uint32_t room);
/**
 * Run all kinds of connection and print a table with the growth of descriptors, threads and memory
 * of process @p pid.
 * @return 0; -EPROTO if one of them grew, or the second device was not served
 */
int hostile_connect_table(const struct hostile_conf *conf, struct hostile_witness *witness,
		pid_t pid);

#endif /* HOSTILE_CONNECT_H */

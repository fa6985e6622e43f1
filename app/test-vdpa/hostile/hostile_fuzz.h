/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_FUZZ_H
#define HOSTILE_FUZZ_H

/**
 * @file
 * Random messages for a time, and a line about what they did to the back end.
 */

#include <sys/types.h>

struct hostile_conf;
struct hostile_witness;

/**
 * Send the messages of conf->seed for conf->seconds. The same seed sends the same messages on each
 * connection, until the back end closes it.
 * @return 0; -EPROTO: a line that begins with FAIL says why
 */
int hostile_fuzz_run(const struct hostile_conf *conf, struct hostile_witness *witness, pid_t pid);

#endif /* HOSTILE_FUZZ_H */

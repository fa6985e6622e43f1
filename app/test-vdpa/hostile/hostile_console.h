/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_CONSOLE_H
#define HOSTILE_CONSOLE_H

/**
 * @file
 * Drivers of a console that misbehave, one way in each case, and the check that the back end took
 * no harm. The console has two ports; port 0 is a UNIX socket. Queues of port 0 and the control
 * queues are attacked.
 */

struct hostile_conf;

/** Print names and descriptions of the cases. */
void hostile_console_list(void);
/**
 * Run the cases that conf->name lists, as hostile_run() does. Of @p conf these apply: path, split,
 * packed, name, witness (a second console with two ports), pid, rss_limit_mb, expect_reset,
 * verbose.
 * @param port  socket of port 0
 * @return 0 if no case failed and at least one passed
 */
int hostile_console_run(const struct hostile_conf *conf, const char *port);

#endif /* HOSTILE_CONSOLE_H */

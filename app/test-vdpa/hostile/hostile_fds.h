/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_FDS_H
#define HOSTILE_FDS_H

/**
 * @file
 * Descriptors that a message may not bring: of every kind, with every request number, in messages
 * of right and wrong sizes, versions and queue indices. The back end must close them all.
 */

#include <stdint.h>

struct hostile_case;

/** Write at most @p room cases. @return how many */
uint32_t hostile_fds_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_FDS_H */

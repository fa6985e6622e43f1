/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_VIA_H
#define MIGRATE_VIA_H

/**
 * @file
 * Carriers: how a state gets from one back end to the other.
 */

#include <stdio.h>

struct migrate_via;

/** Find a carrier by name. @return NULL if there is none */
const struct migrate_via *migrate_via_find(const char *name);
/** List the carriers on @p f. */
void migrate_via_help(FILE *f);

#endif /* MIGRATE_VIA_H */

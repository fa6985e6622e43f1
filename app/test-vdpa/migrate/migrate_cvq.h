/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef MIGRATE_CVQ_H
#define MIGRATE_CVQ_H

/**
 * @file
 * With --cvq: the guest changes settings through its control queue before each round, and after it
 * the back end that runs the rings must have them all.
 */

struct migrate;

/** The first back end runs, without traffic: make all queue pairs active. 0, or -1. */
int migrate_cvq_begin(struct migrate *m);
/** Change settings, under load. 0, or -1 after migrate_fail(). */
int migrate_cvq_change(struct migrate *m);
/**
 * Suspend the back end that runs, compare its settings with those that the guest sent, and resume.
 * 0, or -1 after migrate_fail().
 */
int migrate_cvq_compare(struct migrate *m);

#endif /* MIGRATE_CVQ_H */

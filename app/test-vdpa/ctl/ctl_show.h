/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CTL_SHOW_H
#define CTL_SHOW_H

/** @file Replies and events of a control socket as text. */

#include <stdio.h>

#include <jansson.h>

/** A string member; "-" if there is none. */
const char *ctl_show_text(const json_t *object, const char *key);
/** A word for the status of a device in a list or in show: "running", "suspended" ... */
const char *ctl_show_state(const json_t *device);

void ctl_show_list(const json_t *reply, FILE *f);
void ctl_show_device(const json_t *reply, FILE *f);
/** The counters that are not 0. */
void ctl_show_statistics(const json_t *reply, FILE *f);
/** What a state holds that was saved or loaded: "saved" is @p verb. */
void ctl_show_summary(const json_t *reply, const char *verb, const char *file, FILE *f);
/** One line. */
void ctl_show_event(const json_t *event, FILE *f);

#endif /* CTL_SHOW_H */

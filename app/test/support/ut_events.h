/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_EVENTS_H
#define UT_EVENTS_H

/**
 * @file
 * The events that devices send to the clients of control sockets. The linker sends the driver's
 * calls of rte_vhost_state_event_send() here (--wrap, see meson.build), which passes them on.
 */

#include <stddef.h>

/** Forget the events until now, and record those of all devices from now on. */
void events_record(void);
/**
 * Stop, and write the names of the events to @p text, as "suspended:request fault:1:address": the
 * event, the virtqueue if there is one, and the details if there are any.
 */
void events_read(char *text, size_t size);

#endif /* UT_EVENTS_H */

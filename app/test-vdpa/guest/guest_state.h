/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_STATE_H
#define GUEST_STATE_H

/**
 * @file
 * The device's state through a pipe (vhost-user DEVICE_STATE), in the order that QEMU uses.
 */

#include <stddef.h>

struct guest_link;

/**
 * Have the device write its state, by SET_DEVICE_STATE_FD and CHECK_DEVICE_STATE. Call it after
 * guest_link_stop().
 * @param bytes written: the state, to be freed by the caller; NULL if the device has none
 */
int guest_link_state_save(struct guest_link *l, void **bytes, size_t *len);
/** Have the device read its state: after guest_link_open(), before guest_link_negotiate(). */
int guest_link_state_load(struct guest_link *l, const void *bytes, size_t len);

#endif /* GUEST_STATE_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_CONSOLE_H
#define VHOST_STATE_CONSOLE_H

/**
 * @file
 * Console (VIRTIO "Console Device").
 */

#include "vhost_state_class.h"

extern const struct vhost_state_class vhost_state_console;

#endif /* VHOST_STATE_CONSOLE_H */

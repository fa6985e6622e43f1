/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_PASS_H
#define VSTATE_CONSOLE_PASS_H

/**
 * @file
 * The host's sides of a console go to the process that takes the device over, with all bytes that
 * the kernel holds. Members of struct vstate_class, documented there.
 */

struct vstate_dev;
struct vstate_passed;

int vstate_console_pass(struct vstate_dev *dev, unsigned int i, struct vstate_passed *part);
int vstate_console_take(struct vstate_dev *dev, struct vstate_passed *part);
void vstate_console_left(struct vstate_dev *dev);

#endif /* VSTATE_CONSOLE_PASS_H */

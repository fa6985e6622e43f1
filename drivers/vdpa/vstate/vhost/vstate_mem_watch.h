/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MEM_WATCH_H
#define VSTATE_MEM_WATCH_H

/**
 * @file
 * Guards the memory of a front end (ring/vstate_mem_guard.h): guest memory and dirty log, as
 * rte_vhost has mapped them. On rte_vhost's thread.
 */

#include <stdbool.h>

struct vstate_dev;

/** Guard what is mapped now. */
void vstate_mem_watch_begin(struct vstate_dev *dev);
/** rte_vhost is about to unmap memory. */
void vstate_mem_watch_end(struct vstate_dev *dev);

/**
 * If memory was taken away, break all queues of the device and log the reason. Called by the watch
 * thread, control lock held.
 */
void vstate_mem_watch_report(struct vstate_dev *dev);

#endif /* VSTATE_MEM_WATCH_H */

/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PROBE_H
#define VSTATE_PROBE_H

/**
 * @file
 * Assembly of a device from the parts of all directories. Only vstate_probe.c knows all of them.
 */

struct vstate_class;
struct vstate_conf;
struct vstate_dev;

/**
 * Make a device with the parts of dev/, handover/ and vhost/, and publish it. It has no port, no
 * service and no open socket yet.
 * @param socket NUMA node, or SOCKET_ID_ANY
 * @return the device; NULL with rte_errno: EBUSY: a living process owns the state file; EPERM:
 *   other users can write to it; or another errno
 */
struct vstate_dev *vstate_probe_make(const char *name, const struct vstate_conf *conf,
		const struct vstate_class *class, int socket);
/** Unpublish and free a device. No poll thread and no front end uses it any more. */
void vstate_probe_unmake(struct vstate_dev *dev);

#endif /* VSTATE_PROBE_H */
